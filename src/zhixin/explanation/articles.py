"""A rulebook as articles of a 办法, and the difference between two rulebooks article by article.

Articles are generated from the rules, so the text cannot say anything else than the machine does. Each has a stable key
(the part of the rulebook it comes from), by which two versions are compared and comments refer to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from zhixin.explanation.wording import Wording
from zhixin.law.catalogue import Deadline, DishonestyTerms, RecordKind
from zhixin.law.rulebook import Rulebook

NUMERALS = "零一二三四五六七八九"


@dataclass(frozen=True)
class Article:
    """One article: a stable key, its number, a heading and its paragraphs (each starting with its own number)."""

    key: str
    number: int
    chapter: str
    title: str
    lines: tuple[str, ...]

    @property
    def numeral(self) -> str:
        return f"第{chinese_number(self.number)}条"


@dataclass(frozen=True)
class ArticleChange:
    """What happened to one article: added, removed or changed, line by line with a mark (``+``, ``-``, blank)."""

    key: str
    title: str
    kind: str
    lines: tuple[tuple[str, str], ...]


def chinese_number(number: int) -> str:
    """A number below a hundred as articles count: 二十一."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else NUMERALS[tens] + "十"
    return head + (NUMERALS[ones] if ones or not tens else "")


def articles(rulebook: Rulebook, language: str) -> list[Article]:
    """The articles of a rulebook in a language."""
    words = Wording(rulebook, language)
    found = []
    for number, (key, chapter, title, lines) in enumerate(_parts(words), 1):
        found.append(Article(key, number, chapter, title, tuple(lines)))
    return found


Part = tuple[str, str, str, list[str]]


def _parts(words: Wording) -> Iterator[Part]:
    yield from _general(words)
    yield from _collection(words)
    yield from _indicators(words)
    yield from _grading(words)
    yield from _measures(words)
    yield from _rights(words)


_CADENCE = {
    "day": ("每日", "daily"), "week": ("每周", "weekly"), "month": ("每月", "monthly"), "quarter": ("每季度", "quarterly"),
    "year": ("每年", "yearly"), "event": ("随时", "as it happens"),
}  # fmt: skip
_SEEN = {
    "public": ("向社会公开", "public"), "subject": ("仅向本人公开", "for the subject itself"), "internal": ("仅限内部使用", "internal"),
}  # fmt: skip


def _general(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("总则", "General")
    documents = [f"《{item.title.zh}》" if words.zh else item.title.en for item in rulebook.documents.values()]
    lines = [words.text(rulebook.title), words.say("制定机关：", "Authority: ") + words.text(rulebook.authority)]
    if rulebook.note is not None:
        lines.append(words.text(rulebook.note))
    if documents:
        lines.append(words.say("依据：", "Based on: ") + words.join(documents))
    yield "general.purpose", chapter, words.say("目的和依据", "Purpose and basis"), lines
    classes = [f"{words.text(item.title)}{words.say('：', ': ')}{words.condition(item.when)}" for item in rulebook.classes]
    if classes:
        yield "general.classes", chapter, words.say("适用对象和分类", "Subjects and classes"), classes
    yield "general.cycle", chapter, words.say("评价周期", "Cycle"), list(_cycle(words))
    seen, source = rulebook.visibility, words.basis(rulebook.visibility.basis)
    lines = [
        words.say("等级：", "Grade: ") + words.say(*_SEEN[str(seen.grade)]),
        words.say("得分：", "Score: ") + words.say(*_SEEN[str(seen.score)]),
    ]
    yield (
        "general.visibility",
        chapter,
        words.say("公开范围", "Who may see"),
        lines + ([words.say("依据：", "Basis: ") + source] if source else []),
    )


def _cycle(words: Wording) -> Iterator[str]:
    cycle = words.rulebook.cycle
    day = words.say(
        f"，以每期 {cycle.snapshot_day} 日的数据为准", f", on the data of day {cycle.snapshot_day} of the period"
    )
    if cycle.snapshot_month is not None:
        day = words.say(
            f"，以 {cycle.snapshot_month} 月 {cycle.snapshot_day} 日的数据为准",
            f", on the data of {cycle.snapshot_month}-{cycle.snapshot_day}",
        )
    yield words.say("评价周期：", "Evaluated ") + words.say(*_CADENCE[cycle.every]) + ("" if cycle.every == "day" else day)
    if cycle.event_driven:
        kinds = words.kinds(cycle.event_driven)
        yield words.say(f"下列信息归集后即时重新评价：{kinds}", f"Evaluated again at once after: {kinds}")
    if source := words.basis(cycle.basis):
        yield words.say("依据：", "Basis: ") + source


def _collection(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("信息归集", "Collection")
    sources = []
    for item in rulebook.sources:
        often = words.say(*_CADENCE[item.cadence])
        stale = words.say(f"{item.stale_after_days} 日未更新的视为过期", f"stale after {item.stale_after_days} days")
        sources.append(
            words.semicolon.join([words.text(item.title), words.text(item.owner), often, stale]) + words.source(item.basis)
        )
    if sources:
        yield "collection.sources", chapter, words.say("信息来源", "Sources"), sources
    terms = [_term(words, item) for item in rulebook.terms]
    if terms:
        yield "collection.terms", chapter, words.say("公示期限", "Terms of publication"), terms
    kinds = [_kind(words, item) for item in rulebook.catalogue]
    if kinds:
        yield "collection.catalogue", chapter, words.say("信用信息归集目录", "Catalogue of collected information"), kinds
    answers = [
        words.text(item.title) + words.say("：", ": ") + words.range(item.minimum, item.maximum)
        for item in rulebook.attributes
        if item.minimum is not None or item.maximum is not None
    ]
    if answers:
        yield "collection.answers", chapter, words.say("由工作人员填写的项目", "What officers answer"), answers


def _term(words: Wording, item: DishonestyTerms) -> str:
    """The terms of one class of dishonesty."""
    low, high = words.number(item.publicity.min_months), words.number(item.publicity.max_months)
    shown = words.say(
        f"自认定之日起公示，最短 {low} 个月、最长 {high} 个月，期满自动终止；最短期满方可修复",
        f"published from the day of the decision for {low} to {high} months and ends by itself; "
        "repair is open after the shortest term",
    )
    unless = words.say("来源单位未公示的，不公示", "not published unless the source published it")
    parts = [shown, *([unless] if item.published == "if_published_by_source" else [])]
    return words.severity(item.id) + words.say("：", ": ") + words.semicolon.join(parts) + words.source(item.basis)


UNIT_WORDS = {
    "working": ("个工作日", "working days"),
    "calendar": ("日", "days"),
    "month": ("个月", "months"),
    "year": ("年", "years"),
}


def _deadline(words: Wording, item: Deadline) -> str:
    """One deadline with its unit and its source."""
    zh, en = UNIT_WORDS[item.unit]
    term = words.number(item.term)
    return words.text(item.title) + words.say(f"：{term} {zh}", f": {term} {en}") + words.source(item.basis)


def _kind(words: Wording, item: RecordKind) -> str:
    """One line of the catalogue: nature, source, class, document, term of publication, repair, how long it is kept."""
    owners = {source.id: words.text(source.title) for source in words.rulebook.sources}
    parts = [words.text(item.title) + words.effective(item), words.nature(item.nature), owners.get(item.source, item.source)]
    if item.severity is not None:
        parts.append(words.severity(item.severity))
    if item.evidence is not None:
        parts.append(words.say("认定文书：", "document: ") + words.text(item.evidence))
    if item.publicity is not None:
        low, high = words.number(item.publicity.min_months), words.number(item.publicity.max_months)
        parts.append(words.say(f"公示最短 {low} 个月、最长 {high} 个月", f"published for {low} to {high} months"))
    if item.repair is not None:
        after, terms = words.number(item.repair.after_months), words.text(item.repair.conditions)
        parts.append(words.say(f"满 {after} 个月可申请修复：{terms}", f"repair after {after} months: {terms}"))
        if item.repair.required_measures:
            named = words.join(item.repair.required_measures)
            parts.append(words.say(f"修复前应完成：{named}", f"to be done before: {named}"))
    if item.retention_years is not None:
        parts.append(words.say(f"保存 {item.retention_years} 年", f"kept for {item.retention_years} years"))
    return words.semicolon.join(parts)


def _indicators(words: Wording) -> Iterator[Part]:
    chapter = words.say("评价指标", "Indicators")
    for dimension in words.rulebook.dimensions:
        lines = []
        if how := words.combine(dimension.combine):
            lines.append(how)
        if dimension.start != 0:
            lines.append(words.say("起始：", "Starts at: ") + words.points(dimension.start))
        if limits := words.limits(dimension.limits):
            lines.append(words.say(f"本维度合计{limits}。", f"This dimension counts {limits}."))
        if dimension.weight is not None:
            lines.append(words.say("权重：", "Weight: ") + words.number(dimension.weight))
        lines += [
            f"{words.text(item.title)}{words.effective(item)}{words.say('：', ': ')}{words.indicator(item)}{words.source(item.basis)}"
            for item in words.rulebook.indicators
            if item.dimension == dimension.id
        ]
        yield f"dimension.{dimension.id}", chapter, words.text(dimension.title), lines


def _grading(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("等级评定", "Grading")
    cases = []
    for item in rulebook.score.start.cases:
        value = (
            words.number(item.value)
            if item.value is not None
            else f"{words.measure(item.measure)} × {words.number(item.times)}"
        )
        cases.append(f"{words.condition(item.when)}{words.effective(item)}{words.say('：', ': ')}{value}")
    start = [*cases, words.say("起始分：", "Start: ") + words.number(rulebook.score.start.otherwise)]
    yield "score", chapter, words.say("得分", "Score"), [*start, *(words.step(item) for item in rulebook.steps)]
    sides = [f"{item.id} · {words.text(item.title)}" for item in rulebook.side_grades]
    held = (
        [words.say(f"暂不定级的，记为 {rulebook.held_grade}", f"The held are given {rulebook.held_grade}")]
        if rulebook.held_grade
        else []
    )
    yield "ladder", chapter, words.say("等级", "Grades"), [*(words.grade(item) for item in rulebook.ladder), *sides, *held]
    yield from _decisions(words, chapter)


def _decisions(words: Wording, chapter: str) -> Iterator[Part]:
    decisions = words.rulebook.decisions
    first = words.say("同时符合多项的，适用先列的一项", "Where several hold, the first listed counts")
    worst = words.say("同时符合多项的，适用最低的等级", "Where several hold, the worst grade counts")
    order = [first if decisions.direct_order == "first" else worst]
    all_shifts = words.say("各项升降合并计算", "Shifts add up")
    strongest = words.say(
        "只计最重的一项降级和最高的一项升级", "Only the strongest worsening and the strongest improvement count"
    )
    listed: tuple[tuple[str, str, Any, Any, list[str]], ...] = (
        ("exclude", words.say("不予评价", "Not evaluated"), decisions.exclude, lambda rule: words.say(f"定为 {rule.grade}", f"{rule.grade}"), []),
        ("direct", words.say("直接定级", "Direct grades"), decisions.direct, lambda rule: words.say(f"定为 {rule.grade}", f"{rule.grade}"), order),
        ("side", words.say("旁列等级", "Side grades"), decisions.side, lambda rule: words.say(f"定为 {rule.grade}", f"{rule.grade}"), []),
        ("caps", words.say("等级上限", "Caps"), decisions.caps, lambda rule: words.say(f"不高于 {rule.not_above}", f"not above {rule.not_above}"), []),
        ("shifts", words.say("等级升降", "Shifts"), decisions.shifts, lambda rule: words.shift(rule.steps), [all_shifts if decisions.shift_order == "all" else strongest]),
    )  # fmt: skip
    for key, title, rules, consequence, tail in listed:
        if rules:
            yield f"decisions.{key}", chapter, title, [_rule(words, rule, consequence(rule)) for rule in rules] + tail


def _rule(words: Wording, rule: Any, consequence: str) -> str:
    """One rule of a decision: title, condition, whom it concerns, what follows, what it rests on."""
    whom = ""
    if rule.applies_to:
        names = words.classes_of(rule.applies_to)
        whom = words.say(f"，适用于{names}", f", for {names}")
    condition = words.condition(rule.when)
    head = words.say(f"{words.text(rule.title)}（{condition}{whom}）的，", f"{words.text(rule.title)} ({condition}{whom}): ")
    return f"{head}{consequence}{words.effective(rule)}{words.source(rule.basis)}"


def _measures(words: Wording) -> Iterator[Part]:
    chapter = words.say("分级分类监管", "Measures")
    ladder: tuple[Any, ...] = (*words.rulebook.ladder, *words.rulebook.side_grades)
    for grade in ladder:
        lines = [
            words.measure_rule(rule) + words.effective(rule) + words.source(rule.basis)
            for rule in words.rulebook.measures
            if grade.id in rule.grades
        ]
        if lines:
            yield f"measures.{grade.id}", chapter, words.text(grade.title), lines


def _rights(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("权利保障和附则", "Rights and final provisions")
    yield (
        "rights",
        chapter,
        words.say("权利保障", "Rights"),
        [
            words.say(
                "信用主体有权查询本主体的信用信息、等级及每一分值的依据。",
                "A subject may see its records, its grade and what every point rests on.",
            ),
            words.say(
                "认为公示信息有误的，可以提出异议；核实期间对该信息予以标注。",
                "Who holds a published record wrong may object; it is marked while being verified.",
            ),
            words.say(
                "符合条件的，可以申请信用修复；修复后终止公示、停止共享和使用、解除管理措施，并重新评价。",
                "After repair, publication, sharing, use and measures end together, and the subject is evaluated again.",
            ),
        ],
    )
    deadlines = [_deadline(words, item) for item in rulebook.deadlines]
    if deadlines:
        yield "deadlines", chapter, words.say("办理期限", "Deadlines"), deadlines
    day = rulebook.effective.from_
    lines = [
        words.say(
            f"本办法自 {day} 起施行。" if day else "施行日期另行公布。",
            f"In force from {day}." if day else "The date of entry into force is published separately.",
        )
    ]
    lines.append(
        words.say(
            f"本文本由评价规则自动生成，规则散列 SHA-256：{rulebook.sha256}。",
            f"This text is generated from the rulebook with SHA-256 {rulebook.sha256}.",
        )
    )
    yield "final", chapter, words.say("施行", "Entry into force"), lines


def differences(old: Rulebook, new: Rulebook, language: str) -> list[ArticleChange]:
    """What differs between two rulebooks, article by article, in the order of the new one; removed articles last."""
    before = {item.key: item for item in articles(old, language)}
    after = {item.key: item for item in articles(new, language)}
    found = []
    for key, item in after.items():
        if key not in before:
            found.append(ArticleChange(key, item.title, "added", tuple(("+", line) for line in item.lines)))
        elif (lines := _compared(before[key].lines, item.lines)) and any(mark != " " for mark, _line in lines):
            found.append(ArticleChange(key, item.title, "changed", tuple(line for line in lines if line[0] != " ")))
    for key, item in before.items():
        if key not in after:
            found.append(ArticleChange(key, item.title, "removed", tuple(("-", line) for line in item.lines)))
    return found


def _compared(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [(" ", line) for line in old[a:b]]
        else:
            lines += [("-", line) for line in old[a:b]] + [("+", line) for line in new[c:d]]
    return lines
