"""A rulebook in words: what each rule says, in Chinese and English, generated from the rule itself.

A node without words of its own is written as its canonical JSON, so that nothing a rule says is ever left out. The text
of the 办法, the public rules page and the difference between two versions all come from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from zhixin.catalogue import CORE_FIELDS
from zhixin.expressions import (
    All,
    Any_,
    AppendedTerm,
    AtLeastOf,
    Attribute,
    AttributeAge,
    AttributeTest,
    CleanYears,
    Combined,
    Compare,
    Count,
    DaysSince,
    Exists,
    Extreme,
    InClass,
    Latest,
    Mean,
    Not,
    PreviousIs,
    PreviousScore,
    Ratio,
    Related,
    ScoreIs,
    Sum,
)
from zhixin.filters import Corrected, CorrectedTest, FieldTest, RecordFilter, Window
from zhixin.nodes import Basis, Dated, Node, plain
from zhixin.points import Affine, Band, Cases, Categories, Linear, Once, PerRecord, PerUnit, Steps, Tier
from zhixin.rulebook import Rulebook
from zhixin.rules import Add, Ceiling, Discretion, Floor, Grade, Indicator, Inspect, Limits, MeasureRule, Round, WeightedMean

_SEVERITY = {"minor": ("轻微", "minor"), "general": ("一般", "general"), "serious": ("严重", "serious")}
_DATES = {
    "decided_on": ("认定日", "the date of recognition"), "occurred_on": ("行为发生日", "the date of the act"),
    "published_on": ("公示日", "the date of publication"),
}  # fmt: skip
_FLAGS = {
    "first_offence": ("首次违法", "first offences"), "corrected": ("已改正的", "what was corrected"),
    "repaired": ("已修复的", "what was repaired"), "revoked": ("已撤销的", "what was revoked"),
}  # fmt: skip
_SCENARIOS = {
    "inspection": ("监督检查", "inspection"), "subsidy": ("财政资金", "subsidies"), "approval": ("行政审批", "approvals"),
    "honour": ("评优评先", "honours"), "publicity": ("公示", "publicity"), "procurement": ("政府采购", "procurement"),
}  # fmt: skip


class Wording:
    """The words of one rulebook in one language.

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
            elif isinstance(item, CorrectedTest):
                words.append(self.corrected(item.corrected))
            else:
                words.append(self.test(item))
        missing = [self.say(*_FLAGS[flag]) for flag in ("revoked", "repaired") if flag not in of.unless]
        parts = [self.say(f"不计{self.join(words)}", f"without {self.join(words)}")] if words else []
        parts += [self.say(f"{self.join(missing)}仍计入", f"{self.join(missing)} still count")] if missing else []
        return self.say("，", ", ").join(parts)

    # --- measures ---

    def measure(self, measure: Any) -> str:
        """What is measured."""
        match measure:
            case Count(of=of, distinct=()):
                return self.say(f"{self.records(of)}的件数", f"number of {self.records(of)}")
            case Count(of=of, distinct=distinct):
                names = {
                    "day": ("日", "day"),
                    "month": ("月份", "month"),
                    "year": ("年份", "year"),
                    "kind": ("类别", "kind"),
                }
                by = self.join(self.say(*names[name]) if name in names else self.field(name) for name in distinct)
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
            case Mean(of=of, field=name):
                return self.say(
                    f"{self.records(of)}的{self.field(name)}平均值", f"mean {self.field(name)} of {self.records(of)}"
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
            case Combined(how=how, of=of):
                names = {
                    "sum": ("之和", "sum of"),
                    "mean": ("平均值", "mean of"),
                    "minimum": ("最小值", "smallest of"),
                    "maximum": ("最大值", "largest of"),
                }
                parts = self.join(self.measure(item) for item in of)
                return self.say(f"{parts}的{names[how][0]}", f"{names[how][1]} {parts}")
            case Related(relation=relation, measure=inner, aggregate=how):
                return self.say(
                    f"关联主体（{relation}）的{self.measure(inner)}（{how}）",
                    f"{how} over related subjects ({relation}): {self.measure(inner)}",
                )
        return self.raw(measure)

    # --- points ---

    def points_rule(self, points: Any) -> str:
        """How the measured value becomes points."""
        match points:
            case PerUnit(each=each, free=free):
                beyond = "" if free == 0 else self.say(f"超过 {self.number(free)} 的部分，", f"beyond {self.number(free)}, ")
                return self.say(f"{beyond}每一单位计 {self.points(each)}", f"{beyond}{self.points(each)} each")
            case Once(points=value):
                return self.say(f"成立即计 {self.points(value)}", f"{self.points(value)} if so")
            case Steps(bands=bands, below=below, side=side):
                sign = "≥" if side == "at_least" else ">"
                parts = [self.band(item, sign) for item in bands]
                first = self.say(f"不足首档计 {self.points(below)}", f"{self.points(below)} below the first step")
                return self.semicolon.join([first, *parts])
            case Linear(points=line):
                parts = [f"({self.number(item.x)}, {self.number(item.y)})" for item in line]
                return self.say(f"按折线 {' → '.join(parts)} 计分", f"along the line {' → '.join(parts)}")
            case Affine(constant=constant, each=each):
                return self.say(
                    f"{self.points(constant)}，每一单位另计 {self.points(each)}",
                    f"{self.points(constant)} and {self.points(each)} each",
                )
            case Categories(attribute=name, points=table, otherwise=other):
                parts = [f"{key} {self.points(value)}" for key, value in table.items()]
                return self.say(
                    f"按{self.attribute(name)}：{self.join(parts)}；其他 {self.points(other)}",
                    f"by {self.attribute(name)}: {self.join(parts)}; otherwise {self.points(other)}",
                )
            case Cases(cases=cases):
                return self.semicolon.join(f"{self.condition(item.when)}: {self.points_rule(item.points)}" for item in cases)
            case PerRecord(each=each, tiers=tiers):
                parts = [
                    self.say(f"每件计 {self.points(each)}", f"{self.points(each)} for each record"),
                    *(self.tier(item) for item in tiers),
                ]
                return self.semicolon.join(parts)
        return self.raw(points)

    def band(self, band: Band, sign: str) -> str:
        return self.say(
            f"{sign} {self.number(band.from_)} 计 {self.points(band.points)}",
            f"{self.points(band.points)} if {sign} {self.number(band.from_)}",
        )

    def tier(self, tier: Tier) -> str:
        tests = [self.test(item) for item in tier.where] + ([self.corrected(tier.corrected)] if tier.corrected else [])
        head = self.say(" 且 ", " and ").join(tests) or self.say("其他", "otherwise")
        if tier.each is not None:
            return self.say(f"{head}的，每件计 {self.points(tier.each)}", f"{head}: {self.points(tier.each)} each")
        assert tier.give_back is not None
        if tier.give_back == 1:
            return self.say(f"{head}的，不扣分", f"{head}: all points are given back")
        return self.say(
            f"{head}的，返还所扣分的 {self.number(tier.give_back)}",
            f"{head}: a share of {self.number(tier.give_back)} is given back",
        )

    def limits(self, limits: Limits) -> str:
        parts = []
        if limits.at_most is not None:
            parts.append(self.say(f"最高 {self.points(limits.at_most)}", f"at most {self.points(limits.at_most)}"))
        if limits.at_least is not None:
            parts.append(self.say(f"最低 {self.points(limits.at_least)}", f"at least {self.points(limits.at_least)}"))
        return self.say("，", ", ").join(parts)

    def indicator(self, indicator: Indicator) -> str:
        """One indicator in one sentence: what is measured, how it becomes points, limits, whom it concerns, if missing."""
        parts = []
        if indicator.measure is not None:
            parts.append(self.measure(indicator.measure))
        parts.append(self.points_rule(indicator.points))
        if limits := self.limits(indicator.limits):
            parts.append(limits)
        if indicator.applies_to:
            parts.append(
                self.say(f"适用于{self.classes_of(indicator.applies_to)}", f"for {self.classes_of(indicator.applies_to)}")
            )
        if indicator.except_for:
            parts.append(
                self.say(
                    f"不适用于{self.classes_of(indicator.except_for)}", f"not for {self.classes_of(indicator.except_for)}"
                )
            )
        parts.append(self.missing(indicator))
        return self.say("；", "; ").join(parts)

    def missing(self, indicator: Indicator) -> str:
        words = {
            "no_points": ("缺数据不计分", "no points if missing"),
            "leave_out": ("缺数据不参与加权", "left out if missing"),
            "hold": ("缺数据暂不定级", "held if missing"),
        }
        if isinstance(indicator.when_missing, str):
            return self.say(*words[indicator.when_missing])
        return self.say(
            f"缺数据计 {self.points(indicator.when_missing.points)}",
            f"{self.points(indicator.when_missing.points)} if missing",
        )

    # --- conditions and grades ---

    def condition(self, condition: Any) -> str:
        match condition:
            case Compare(measure=Exists(of=of)) if condition.at_least == 1:
                return self.say(f"有{self.records(of)}", f"there is {self.records(of)}")
            case Compare(measure=AppendedTerm() as term) if condition.at_least == 1:
                return self.measure(term).removeprefix("是否").removeprefix("whether ")
            case Compare(measure=measure):
                return f"{self.measure(measure)} {self.bounds(condition)}"
            case ScoreIs():
                return self.say("得分", "the score") + " " + self.bounds(condition)
            case AttributeTest(attribute=name, is_=value) if value is not None:
                return (
                    self.attribute(name) if value else self.say(f"非{self.attribute(name)}", f"not {self.attribute(name)}")
                )
            case AttributeTest(attribute=name, in_=values):
                return self.say(
                    f"{self.attribute(name)}为{self.join(values or ())}",
                    f"{self.attribute(name)} is {self.join(values or ())}",
                )
            case InClass(class_=name):
                return self.say(f"属于{self.text(self.classes[name])}", f"is {self.text(self.classes[name])}")
            case PreviousIs(previous=back, grade_in=grades, step_in=steps):
                words = self.join((*(grades or ()), *(steps or ())))
                return self.say(f"前 {back} 次评价为 {words}", f"{back} evaluation(s) before: {words}")
            case All(all=parts):
                return self.say(" 且 ", " and ").join(self.condition(item) for item in parts)
            case Any_(any=parts):
                return self.say(" 或 ", " or ").join(self.condition(item) for item in parts)
            case Not(not_=part):
                return self.say(f"并非（{self.condition(part)}）", f"not ({self.condition(part)})")
            case AtLeastOf(at_least_of=number, of=parts):
                words = self.semicolon.join(self.condition(item) for item in parts)
                return self.say(f"以下至少 {number} 项成立：{words}", f"at least {number} of: {words}")
        return self.raw(condition)

    def grade(self, grade: Grade) -> str:
        """A grade with its cut."""
        words = self.text(grade.title)
        cut = "" if grade.side is None else self.say("得分 ", "score ") + self.bounds(grade)
        parts = [cut or self.say("其余", "the rest")]
        if grade.requires is not None:
            parts.append(self.say("且", "and ") + self.condition(grade.requires))
        parts += [
            self.say(
                f"{self.text(self.classes[name])}为 {self.number(value)}",
                f"{self.number(value)} for {self.text(self.classes[name])}",
            )
            for name, value in grade.by_class.items()
        ]
        return words + self.say("：", ": ") + self.say("，", ", ").join(parts)

    def step(self, step: Any) -> str:
        """One step of the score."""
        titles = {item.id: self.text(item.title) for item in self.rulebook.dimensions}
        match step:
            case Add(add=names):
                return self.say(
                    f"加上{self.join(titles[name] for name in names)}各维度的分值",
                    f"add {self.join(titles[name] for name in names)}",
                )
            case WeightedMean(weighted_mean=names):
                weights = {item.id: item.weight for item in self.rulebook.dimensions}
                parts = self.join(f"{titles[name]} {self.number(weights[name])}" for name in names)
                return self.say(f"按权重加权平均：{parts}", f"weighted mean: {parts}")
            case Floor(floor=value):
                return self.say(
                    f"低于 {self.number(value)} 分的按 {self.number(value)} 分", f"at least {self.number(value)}"
                )
            case Ceiling(ceiling=value):
                return self.say(f"高于 {self.number(value)} 分的按 {self.number(value)} 分", f"at most {self.number(value)}")
            case Round(round=value, how=how):
                ways = {"half_up": ("四舍五入", "half up"), "down": ("向下", "down"), "up": ("向上", "up")}
                return self.say(
                    f"{ways[how][0]}取整到 {self.number(value)}", f"rounded {ways[how][1]} to {self.number(value)}"
                )
        return self.raw(step)

    def shift(self, steps: int | Discretion) -> str:
        if isinstance(steps, Discretion):
            return self.say(
                f"由{self.attribute(steps.answer)}在 {steps.at_least} 至 {steps.at_most} 级之间裁量，未记载的 {steps.otherwise} 级",
                f"{steps.at_least} to {steps.at_most} grades at discretion ({self.attribute(steps.answer)}), {steps.otherwise} if none is recorded",
            )
        word = self.say("降" if steps > 0 else "升", "down" if steps > 0 else "up")
        return self.say(f"{word} {abs(steps)} 级", f"{abs(steps)} {word}")

    # --- measures of supervision ---

    def inspection(self, inspect: Inspect) -> str:
        signs = {"exactly": "", "at_least": self.say("不低于 ", "at least "), "at_most": self.say("不高于 ", "at most ")}
        parts = []
        if inspect.ratio is not None:
            parts.append(self.say("抽查比例", "ratio ") + signs[inspect.ratio_bound] + self.share(inspect.ratio))
        if inspect.times is not None:
            months = self.number(inspect.per_months or Decimal(12))
            parts.append(
                self.say(
                    f"每 {months} 个月检查 {self.number(inspect.times)} 次",
                    f"{self.number(inspect.times)} checks in {months} months",
                )
            )
        if inspect.times_at_most is not None:
            parts.append(
                self.say(f"不超过 {self.number(inspect.times_at_most)} 次", f"at most {self.number(inspect.times_at_most)}")
            )
        if inspect.exempt_months is not None:
            parts.append(
                self.say(
                    f"{self.number(inspect.exempt_months)} 个月内免检",
                    f"exempt for {self.number(inspect.exempt_months)} months",
                )
            )
        return self.say("，", ", ").join(parts)

    def share(self, value: Decimal | Dated) -> str:
        if isinstance(value, Dated):
            parts = [
                self.say(f"自 {day} 起 {self._percent(item.value)}", f"{self._percent(item.value)} from {day}")
                for day, item in sorted(value.values.items())
            ]
            return self.semicolon.join(parts)
        return self._percent(value)

    def _percent(self, value: Decimal | None) -> str:
        return self.say("废止", "repealed") if value is None else f"{plain(value * 100)}%"

    def measure_rule(self, rule: MeasureRule) -> str:
        """A measure for some grades, with whom it concerns, where it is used and for how long."""
        titles = {item.code: self.text(item.title) for item in self.rulebook.measure_catalogue}
        parts = [titles[rule.measure]]
        if rule.classes:
            parts.append(self.say(f"适用于{self.classes_of(rule.classes)}", f"for {self.classes_of(rule.classes)}"))
        if rule.inspect is not None:
            parts.append(self.inspection(rule.inspect))
        if rule.effect is not None:
            parts.append(self.text(rule.effect))
        if rule.amount is not None:
            parts.append(self.number(rule.amount))
        if rule.duration_months is not None:
            parts.append(
                self.say(f"期限 {self.number(rule.duration_months)} 个月", f"for {self.number(rule.duration_months)} months")
            )
        scenario = _SCENARIOS.get(rule.scenario)
        parts.append(self.say(f"用于{scenario[0]}", f"used in {scenario[1]}") if scenario else rule.scenario)
        return self.say("，", ", ").join(parts)

    # --- basis ---

    def basis(self, basis: Iterable[Basis]) -> str:
        """Documents and articles; what was not checked word for word is said to be so."""
        parts = []
        for item in basis:
            document = self.rulebook.documents.get(item.document)
            name = self.say(f"《{document.title.zh}》", document.title.en) if document else item.document
            words = name + (self.say("", " ") + item.article if item.article else "")
            parts.append(words + ("" if item.verified else self.say("（未核对）", " (not verified)")))
        return self.semicolon.join(parts)
