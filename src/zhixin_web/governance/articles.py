"""A rulebook as articles of a 办法, and the difference between two rulebooks article by article.

Articles are generated from the rules, so the text cannot say anything else than the machine does. Each has a stable key
(the part of the rulebook it comes from), by which two versions are compared and comments refer to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from zhixin.rulebook import Rulebook
from zhixin.wording import Wording

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
class Change:
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


def _general(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("总则", "General")
    documents = [f"《{item.title.zh}》" if words.zh else item.title.en for item in rulebook.documents.values()]
    lines = [words.text(rulebook.title), words.say("制定机关：", "Authority: ") + words.text(rulebook.authority)]
    if rulebook.note is not None:
        lines.append(words.text(rulebook.note))
    lines.append(words.say("依据：", "Based on: ") + words.join(documents))
    yield "general.purpose", chapter, words.say("目的和依据", "Purpose and basis"), lines
    classes = [f"{words.text(item.title)}{words.say('：', ': ')}{words.condition(item.when)}" for item in rulebook.classes]
    if classes:
        yield "general.classes", chapter, words.say("适用对象和分类", "Subjects and classes"), classes
    every = {
        "day": ("每日", "every day"),
        "month": ("每月", "every month"),
        "quarter": ("每季度", "every quarter"),
        "year": ("每年", "every year"),
    }
    lines = [words.say("评价周期：", "Evaluated ") + words.say(*every[rulebook.cycle.every])]
    if rulebook.cycle.event_driven:
        kinds = words.kinds(rulebook.cycle.event_driven)
        lines.append(words.say(f"下列信息归集后即时重新评价：{kinds}", f"Evaluated again at once after: {kinds}"))
    lines.append(words.basis(rulebook.cycle.basis))
    yield "general.cycle", chapter, words.say("评价周期", "Cycle"), [line for line in lines if line]
    seen = {
        "public": ("向社会公开", "public"),
        "subject": ("仅向本人公开", "for the subject itself"),
        "internal": ("仅限内部使用", "internal"),
    }
    visible = rulebook.visibility
    yield (
        "general.visibility",
        chapter,
        words.say("公开范围", "Who may see"),
        [
            words.say("等级：", "Grade: ") + words.say(*seen[str(visible.grade)]),
            words.say("得分：", "Score: ") + words.say(*seen[str(visible.score)]),
            words.say("依据：", "Basis: ") + words.basis(visible.basis),
        ],
    )


def _collection(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("信息归集", "Collection")
    sources = [
        f"{words.text(item.title)}{words.say('（', ' (')}{words.text(item.owner)}{words.say('）', ')')}"
        for item in rulebook.sources
    ]
    if sources:
        yield "collection.sources", chapter, words.say("信息来源", "Sources"), sources
    lines = []
    for item in rulebook.catalogue:
        parts = [words.text(item.title)]
        if item.evidence is not None:
            parts.append(words.say("认定文书：", "document: ") + words.text(item.evidence))
        if item.publicity is not None:
            low, high = words.number(item.publicity.min_months), words.number(item.publicity.max_months)
            parts.append(words.say(f"公示最短 {low} 个月、最长 {high} 个月", f"published for {low} to {high} months"))
        if item.repair is not None:
            after = words.number(item.repair.after_months)
            parts.append(
                words.say(
                    f"满 {after} 个月可申请修复：{words.text(item.repair.conditions)}",
                    f"repair after {after} months: {words.text(item.repair.conditions)}",
                )
            )
        lines.append(words.semicolon.join(parts))
    if lines:
        yield "collection.catalogue", chapter, words.say("信用信息归集目录", "Catalogue of collected information"), lines


def _indicators(words: Wording) -> Iterator[Part]:
    chapter = words.say("评价指标", "Indicators")
    for dimension in words.rulebook.dimensions:
        lines = []
        if limits := words.limits(dimension.limits):
            lines.append(words.say(f"本维度合计{limits}。", f"This dimension counts {limits}."))
        if dimension.weight is not None:
            lines.append(words.say("权重：", "Weight: ") + words.number(dimension.weight))
        for item in words.rulebook.indicators:
            if item.dimension == dimension.id:
                basis = words.basis(item.basis)
                lines.append(
                    f"{words.text(item.title)}{words.say('：', ': ')}{words.indicator(item)}"
                    + (words.say("。依据：", ". Basis: ") + basis if basis else "")
                )
        yield f"dimension.{dimension.id}", chapter, words.text(dimension.title), lines


def _grading(words: Wording) -> Iterator[Part]:
    rulebook, chapter = words.rulebook, words.say("等级评定", "Grading")
    cases = [
        f"{words.condition(item.when)}{words.say('：', ': ')}"
        + (
            words.number(item.value)
            if item.value is not None
            else f"{words.measure(item.measure)} × {words.number(item.times)}"
        )
        for item in rulebook.score.start.cases
    ]
    start = [*cases, words.say("起始分：", "Start: ") + words.number(rulebook.score.start.otherwise)]
    yield "score", chapter, words.say("得分", "Score"), [*start, *(words.step(item) for item in rulebook.steps)]
    yield (
        "ladder",
        chapter,
        words.say("等级", "Grades"),
        [
            *(words.grade(item) for item in rulebook.ladder),
            *(words.text(item.title) for item in rulebook.side_grades),
        ],
    )
    decisions = rulebook.decisions
    for key, title, rules in (
        ("exclude", words.say("不予评价", "Not evaluated"), decisions.exclude),
        ("direct", words.say("直接定级", "Direct grades"), decisions.direct),
        ("side", words.say("旁列等级", "Side grades"), decisions.side),
    ):
        lines = [
            f"{words.text(item.title)}{words.say('（', ' (')}{words.condition(item.when)}{words.say('）的，定为 ', '): ')}{item.grade}{words.say('。依据：', '. Basis: ')}{words.basis(item.basis)}"
            for item in rules
        ]
        if lines:
            yield f"decisions.{key}", chapter, title, lines
    caps = [
        f"{words.text(item.title)}{words.say('（', ' (')}{words.condition(item.when)}{words.say('）的，不高于 ', '): not above ')}{item.not_above}{words.say('。依据：', '. Basis: ')}{words.basis(item.basis)}"
        for item in decisions.caps
    ]
    if caps:
        yield "decisions.caps", chapter, words.say("等级上限", "Caps"), caps
    shifts = [
        f"{words.text(item.title)}{words.say('（', ' (')}{words.condition(item.when)}{words.say('）的，', '): ')}{words.shift(item.steps)}{words.say('。依据：', '. Basis: ')}{words.basis(item.basis)}"
        for item in decisions.shifts
    ]
    if shifts:
        yield "decisions.shifts", chapter, words.say("等级升降", "Shifts"), shifts


def _measures(words: Wording) -> Iterator[Part]:
    chapter = words.say("分级分类监管", "Measures")
    ladder: tuple[Any, ...] = (*words.rulebook.ladder, *words.rulebook.side_grades)
    for grade in ladder:
        lines = [
            words.measure_rule(rule) + (words.say("。依据：", ". Basis: ") + words.basis(rule.basis) if rule.basis else "")
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


def differences(old: Rulebook, new: Rulebook, language: str) -> list[Change]:
    """What differs between two rulebooks, article by article, in the order of the new one; removed articles last."""
    before = {item.key: item for item in articles(old, language)}
    after = {item.key: item for item in articles(new, language)}
    found = []
    for key, item in after.items():
        if key not in before:
            found.append(Change(key, item.title, "added", tuple(("+", line) for line in item.lines)))
        elif (lines := _compared(before[key].lines, item.lines)) and any(mark != " " for mark, _line in lines):
            found.append(Change(key, item.title, "changed", tuple(line for line in lines if line[0] != " ")))
    for key, item in before.items():
        if key not in after:
            found.append(Change(key, item.title, "removed", tuple(("-", line) for line in item.lines)))
    return found


def _compared(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [(" ", line) for line in old[a:b]]
        else:
            lines += [("-", line) for line in old[a:b]] + [("+", line) for line in new[c:d]]
    return lines
