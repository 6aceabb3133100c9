"""Words of the parts of a rulebook: numbers, records, measures, bases; :mod:`zhixin.explanation.wording` puts them into sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from zhixin.law.catalogue import CORE_FIELDS
from zhixin.law.filters import Corrected, CorrectedTest, DatedFlag, FieldTest, RecordFilter, Window
from zhixin.law.measures import (
    AppendedTerm,
    Attribute,
    AttributeAge,
    CleanYears,
    Combined,
    Count,
    DaysSince,
    Exists,
    Extreme,
    Latest,
    Mean,
    PreviousScore,
    Ratio,
    Related,
    Sum,
)
from zhixin.law.nodes import Basis, Dated, Node, plain
from zhixin.law.rulebook import Rulebook

_SEVERITY = {"minor": ("轻微", "minor"), "general": ("一般", "general"), "serious": ("严重", "serious")}
_DATES = {
    "decided_on": ("认定日", "the date of recognition"), "occurred_on": ("行为发生日", "the date of the act"),
    "published_on": ("公示日", "the date of publication"),
}  # fmt: skip
_FLAGS = {
    "first_offence": ("首次违法", "first offences"), "corrected": ("已改正的", "what was corrected"),
    "repaired": ("已修复的", "what was repaired"), "revoked": ("已撤销的", "what was revoked"),
}  # fmt: skip
_COUNTS_BY = {
    "fact": ("按行为发生日取值", "by the date of the act"),
    "decision": ("按认定日取值", "by the date of recognition"),
}
_COMBINE = {
    "maximum": ("各指标取最高一项", "the highest of its indicators counts"), "minimum": ("各指标取最低一项", "the lowest of its indicators counts"),
}  # fmt: skip
_NATURES = {
    "incentive": ("激励", "incentive"), "supervision": ("监管", "supervision"), "restriction": ("惩戒", "restriction"),
    "positive": ("正面", "positive"), "negative": ("负面", "negative"), "neutral": ("中性", "neutral"),
}  # fmt: skip


class Phrases:
    """The words of the parts of one rulebook in one language.

    Args:
        rulebook: as loaded, or resolved at a date; dated numbers are written out with their dates.
        language: ``zh`` or ``en``.
    """

    def __init__(self, rulebook: Rulebook, language: str) -> None:
        self.rulebook, self.zh = rulebook, language.startswith("zh")
        self.titles = {item.id: item.title for item in rulebook.catalogue}
        self.classes = {item.id: item.title for item in rulebook.classes}

    # --- small words ---

    def say(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    @property
    def semicolon(self) -> str:
        return "；" if self.zh else "; "

    def text(self, text: Any) -> str:
        return str(text.zh if self.zh else text.en or text.zh)

    def join(self, parts: Iterable[str]) -> str:
        return ("、" if self.zh else ", ").join(parts)

    def number(self, value: Decimal | Dated | None) -> str:
        """A number; a dated one with the day from which each value is in force."""
        if value is None:
            return self.say("无", "none")
        if isinstance(value, Dated):
            parts = []
            for start, item in sorted(value.values.items()):
                number = self.say("废止", "repealed") if item.value is None else str(plain(item.value))
                parts.append(self.say(f"自 {start} 起 {number}", f"{number} from {start}"))
            if value.counts_by != "evaluation":
                parts.append(self.say(*_COUNTS_BY[value.counts_by]))
            return self.say("（", "(") + self.semicolon.join(parts) + self.say("）", ")")
        return str(plain(value))

    def points(self, value: Decimal | Dated) -> str:
        if isinstance(value, Dated):
            return self.number(value) + self.say(" 分", " points")
        return self.say(f"{plain(value)} 分", f"{plain(value)} points")

    def raw(self, node: Any) -> str:
        """What has no words of its own, exactly as the machine reads it."""
        content = node.model_dump(mode="json", by_alias=True, exclude_defaults=True) if isinstance(node, Node) else node
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    def kinds(self, patterns: Iterable[str]) -> str:
        """Record kinds by their titles; a pattern that names many is written out."""
        return self.join(self.text(self.titles[name]) for name in self.rulebook.kinds_matching(patterns))

    def attribute(self, name: str) -> str:
        found = self.rulebook.attribute.get(name)
        return self.text(found.title) if found and found.title else name

    def field(self, name: str) -> str:
        found = self.rulebook.record_fields.get(name)
        title = (found.title if found else None) or (CORE_FIELDS[name].title if name in CORE_FIELDS else None)
        return self.text(title) if title else name

    def classes_of(self, names: Iterable[str]) -> str:
        return self.join(self.text(self.classes[name]) for name in names)

    # --- records ---

    def window(self, window: Window) -> str:
        for name, zh, en in (
            ("days", "近 {} 日", "in {} days"), ("months", "近 {} 个月", "in {} months"),
            ("calendar_months", "近 {} 个自然月", "in {} calendar months"), ("calendar_years", "近 {} 个自然年", "in {} calendar years"),
            ("evaluations", "近 {} 个评价周期", "in {} evaluation periods"),
        ):  # fmt: skip
            value = getattr(window, name)
            if value is not None:
                words = self.say(zh, en).format(self.number(value))
                return words + (self.say(f"（再往前 {window.back} 期）", f" ({window.back} back)") if window.back else "")
        return self.raw(window)

    def test(self, test: FieldTest) -> str:
        name = self.field(test.field)
        if test.in_ is not None:
            return self.say(f"{name}为{self.join(test.in_)}", f"{name} is one of {self.join(test.in_)}")
        if test.is_ is not None:
            return name if test.is_ else self.say(f"非{name}", f"not {name}")
        if test.has_all is not None or test.has_any is not None:
            words = self.join(test.has_all or test.has_any or ())
            how = self.say("全部", "all of") if test.has_all else self.say("任一", "any of")
            return self.say(f"{name}含{how}{words}", f"{name} has {how} {words}")
        if test.reached is not None:
            come = self.say(f"{name}已到", f"{name} has come"), self.say(f"{name}未到", f"{name} is still to come")
            return come[0] if test.reached else come[1]
        if test.over is not None:
            name = self.say(f"{name}与{self.field(test.over)}之比", f"{name} over {self.field(test.over)}")
        return f"{name} {self.bounds(test)}"

    def bounds(self, node: Any) -> str:
        """Bounds of a comparison."""
        signs = (("at_least", "≥"), ("above", ">"), ("at_most", "≤"), ("below", "<"))
        parts = [f"{sign} {self.number(getattr(node, name))}" for name, sign in signs if getattr(node, name) is not None]
        return self.say(" 且 ", " and ").join(parts)

    def corrected(self, node: Corrected) -> str:
        day = self.say(*_DATES.get(str(node.of), (str(node.of), str(node.of))))
        parts = []
        if node.days is not None:
            parts.append(
                self.say(
                    f"自{day}起 {self.number(node.days)} 日内改正",
                    f"corrected within {self.number(node.days)} days of {day}",
                )
            )
        if node.months is not None:
            parts.append(
                self.say(
                    f"自{day}起 {self.number(node.months)} 个月内改正",
                    f"corrected within {self.number(node.months)} months of {day}",
                )
            )
        if node.same_year is not None:
            parts.append(
                self.say(
                    "当年改正" if node.same_year else "次年及以后改正",
                    "corrected in the same year" if node.same_year else "corrected in a later year",
                )
            )
        return self.join(parts) or self.say("已改正", "corrected")

    def records(self, of: RecordFilter) -> str:
        """Which records are counted."""
        severity = self.join(self.say(*_SEVERITY[str(item)]) for item in of.severities)
        kinds = self.kinds(of.kinds) + (self.say(f"（{severity}）", f" ({severity})") if severity else "")
        window = self.window(of.within) if of.within else ""
        valid = self.say("在有效期内的", "in force ") if of.while_valid else ""
        words = f"{window}{valid}{kinds}" if self.zh else f"{kinds} {valid}{window}".strip()
        extra = [self.test(item) for item in of.where]
        if of.effective_after_days:
            extra.append(self.say(f"满 {of.effective_after_days} 日后计入", f"counted after {of.effective_after_days} days"))
        if str(of.on) != "decided_on":
            extra.append(
                self.say(
                    f"按{_DATES.get(str(of.on), (str(of.on),))[0]}计", f"by {_DATES.get(str(of.on), ('', str(of.on)))[1]}"
                )
            )
        exempt = self.exemptions(of)
        if exempt:
            extra.append(exempt)
        return words + (self.say(f"（{'；'.join(extra)}）", f" ({'; '.join(extra)})") if extra else "")

    def exemptions(self, of: RecordFilter) -> str:
        """Exemptions beyond the usual ones (revoked and repaired never count)."""
        words = []
        for item in of.unless:
            if isinstance(item, str):
                if item not in ("revoked", "repaired"):
                    words.append(self.say(*_FLAGS[item]))
            elif isinstance(item, DatedFlag):
                words.append(self.dated(item))
            elif isinstance(item, CorrectedTest):
                words.append(self.corrected(item.corrected))
            else:
                words.append(self.test(item))
        missing = [self.say(*_FLAGS[flag]) for flag in ("revoked", "repaired") if flag not in of.unless]
        parts = [self.say(f"不计{self.join(words)}", f"without {self.join(words)}")] if words else []
        parts += [self.say(f"{self.join(missing)}仍计入", f"{self.join(missing)} still count")] if missing else []
        return self.say("，", ", ").join(parts)

    def dated(self, item: DatedFlag) -> str:
        """A flag that exempts records of a time only."""
        day = self.say(*_DATES.get(str(item.on), (str(item.on), str(item.on))))
        zh = "".join([f"{item.from_} 起" if item.from_ else "", f"至 {item.until} 止" if item.until else ""])
        en = " ".join([f"from {item.from_}" if item.from_ else "", f"until {item.until}" if item.until else ""]).strip()
        flag = self.say(*_FLAGS[item.flag])
        return self.say(f"{day}在 {zh}的{flag}", f"{flag} with {day} {en}")

    # --- measures ---

    def keys(self, names: Iterable[str]) -> str:
        """The fields that distinguish records."""
        known = {"day": ("日", "day"), "month": ("月份", "month"), "year": ("年份", "year"), "kind": ("类别", "kind")}
        return self.join(self.say(*known[name]) if name in known else self.field(name) for name in names)

    def measure(self, measure: Any) -> str:
        """What is measured."""
        match measure:
            case Count(of=of, distinct=()):
                return self.say(f"{self.records(of)}的件数", f"number of {self.records(of)}")
            case Count(of=of, distinct=distinct):
                by = self.keys(distinct)
                return self.say(f"{self.records(of)}涉及的不同{by}数", f"different {by}s with {self.records(of)}")
            case Sum(of=of, field=name):
                return self.say(
                    f"{self.records(of)}的{self.field(name)}合计", f"total {self.field(name)} of {self.records(of)}"
                )
            case Extreme(of=of, field=name, type=how):
                word = self.say("最小" if how == "minimum" else "最大", "smallest" if how == "minimum" else "largest")
                return self.say(
                    f"{self.records(of)}的{word}{self.field(name)}", f"{word} {self.field(name)} of {self.records(of)}"
                )
            case Latest(of=of, field=name):
                return self.say(
                    f"最近一件{self.records(of)}的{self.field(name)}",
                    f"{self.field(name)} of the newest of {self.records(of)}",
                )
            case Exists(of=of):
                return self.say(f"是否有{self.records(of)}", f"whether there is {self.records(of)}")
            case DaysSince(of=of):
                return self.say(f"距最近一件{self.records(of)}的天数", f"days since the newest of {self.records(of)}")
            case CleanYears(of=of, since=since):
                return self.say(
                    f"自{self.attribute(since)}起未再发生{self.records(of)}的整年数",
                    f"whole years without {self.records(of)}, at most since {self.attribute(since)}",
                )
            case AppendedTerm(of=of, months=months, max_months=most):
                return self.say(
                    f"是否处于{self.records(of)}的管理期（每件 {self.number(months)} 个月，再次发生顺延，累计不超过 {self.number(most)} 个月）",
                    f"whether a term of management for {self.records(of)} runs ({self.number(months)} months each, appended, at most {self.number(most)})",
                )
            case Mean(of=of, field=name, weighted_by=weight):
                by = self.say(f"（按{self.field(weight)}加权）", f" (weighted by {self.field(weight)})") if weight else ""
                return self.say(
                    f"{self.records(of)}的{self.field(name)}平均值{by}", f"mean {self.field(name)} of {self.records(of)}{by}"
                )
        return self.plain_measure(measure)

    def plain_measure(self, measure: Any) -> str:
        """Measures that count no records themselves."""
        match measure:
            case Attribute(id=name):
                return self.attribute(name)
            case AttributeAge(id=name, unit=unit):
                word = self.say("整年数" if unit == "years" else "天数", unit)
                return self.say(f"自{self.attribute(name)}起的{word}", f"whole {word} since {self.attribute(name)}")
            case PreviousScore(back=back):
                return self.say(f"前 {back} 次评价得分", f"score {back} evaluation(s) before")
            case Ratio(numerator=one, denominator=other):
                return self.say(
                    f"{self.measure(one)} ÷ {self.measure(other)}", f"{self.measure(one)} ÷ {self.measure(other)}"
                )
            case Combined(how=how, of=of, missing_as=missing):
                names = {
                    "sum": ("之和", "sum of"),
                    "mean": ("平均值", "mean of"),
                    "minimum": ("最小值", "smallest of"),
                    "maximum": ("最大值", "largest of"),
                }
                parts = self.join(self.measure(item) for item in of)
                number = self.number(missing)
                gap = "" if missing is None else self.say(f"（缺一项按 {number} 计）", f" (a missing one counts {number})")
                return self.say(f"{parts}的{names[how][0]}{gap}", f"{names[how][1]} {parts}{gap}")
            case Related(relation=relation, measure=inner, aggregate=how, direction=way):
                zh, en = ("由本主体指向", "from it") if way == "outgoing" else ("指向本主体", "to it")
                return self.say(
                    f"关联主体（{relation}，{zh}）的{self.measure(inner)}（{how}）",
                    f"{how} over related subjects ({relation}, {en}): {self.measure(inner)}",
                )
        return self.raw(measure)

    # --- what parts have in common ---

    def range(self, low: Decimal | Dated | None, high: Decimal | Dated | None) -> str:
        """Where a value must lie; either end may be open."""
        ends = [f"≥ {self.number(low)}" if low is not None else "", f"≤ {self.number(high)}" if high is not None else ""]
        return self.say(" 且 ", " and ").join(end for end in ends if end)

    def effective(self, item: Any) -> str:
        """From when and until when a part is in force, where it says so."""
        found = getattr(item, "effective", None)
        if found is None:
            return ""
        parts = []
        if found.from_ is not None:
            parts.append(self.say(f"自 {found.from_} 起适用", f"from {found.from_}"))
        if found.until is not None:
            parts.append(self.say(f"至 {found.until} 止", f"until {found.until}"))
        return self.say("（", " (") + self.join(parts) + self.say("）", ")") if parts else ""

    def source(self, basis: Iterable[Basis]) -> str:
        """What a rule rests on, as the end of its sentence; nothing where nothing is given."""
        words = self.basis(basis)
        return self.say("。依据：", ". Basis: ") + words if words else ""

    def combine(self, how: Any) -> str:
        """How the indicators of a dimension become one number; empty for the usual sum."""
        return self.say(*_COMBINE[str(how)]) if str(how) in _COMBINE else ""

    def nature(self, nature: Any) -> str:
        return self.say(*_NATURES[str(nature)])

    def severity(self, severity: Any) -> str:
        return self.say(*_SEVERITY[str(severity)])

    def basis(self, basis: Iterable[Basis]) -> str:
        """Documents and articles; what was not checked word for word is said to be so."""
        parts = []
        for item in basis:
            document = self.rulebook.documents.get(item.document)
            name = self.say(f"《{document.title.zh}》", document.title.en) if document else item.document
            words = name + (self.say("", " ") + item.article if item.article else "")
            parts.append(words + ("" if item.verified else self.say("（未核对）", " (not verified)")))
        return self.semicolon.join(parts)
