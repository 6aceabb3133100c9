"""A rulebook in words: what each rule says, in Chinese and English, generated from the rule itself.

A node without words of its own is written as its canonical JSON, so that nothing a rule says is ever left out. The text
of the 办法, the public rules page and the difference between two versions all come from here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from zhixin.explanation.phrases import Phrases
from zhixin.law.conditions import All, Any_, AtLeastOf, AttributeTest, Compare, InClass, Not, PreviousIs, ScoreIs
from zhixin.law.measures import AppendedTerm, Exists
from zhixin.law.nodes import Dated, plain
from zhixin.law.points import Affine, Band, Cases, Categories, Linear, Once, PerRecord, PerUnit, Steps, Tier
from zhixin.law.rules import (
    Add,
    AnsweredConduct,
    Ceiling,
    Discretion,
    Floor,
    Indicator,
    Inspect,
    LadderGrade,
    Limits,
    MeasureRule,
    Round,
    WeightedMean,
)

_COMPOUND = (All, Any_, AtLeastOf)
_SCENARIOS = {
    "inspection": ("监督检查", "inspection"), "subsidy": ("财政资金", "subsidies"), "approval": ("行政审批", "approvals"),
    "honour": ("评优评先", "honours"), "publicity": ("公示", "publicity"), "procurement": ("政府采购", "procurement"),
}  # fmt: skip


class Wording(Phrases):
    """What a rulebook says, rule by rule, in one language (see :class:`zhixin.explanation.phrases.Phrases`)."""

    # --- points ---

    def points_rule(self, points: Any) -> str:
        """How the measured value becomes points."""
        match points:
            case PerUnit(each=each, free=free):
                beyond = "" if free == 0 else self.say(f"超过 {self.number(free)} 的部分，", f"beyond {self.number(free)}, ")
                return self.say(f"{beyond}每一单位计 {self.points(each)}", f"{beyond}{self.points(each)} each")
            case Once(points=value):
                return self.say(f"成立即计 {self.points(value)}", f"{self.points(value)} if so")
            case Steps(bands=bands, below=below, side=side, round=rounds):
                sign = "≥" if side == "at_least" else ">"
                parts = [self.band(item, sign) for item in bands]
                first = self.say(f"不足首档计 {self.points(below)}", f"{self.points(below)} below the first step")
                if rounds:
                    first = self.say("先四舍五入为整数，", "rounded half up to a whole number first; ") + first
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
            case PerRecord(each=each, tiers=tiers, distinct=distinct):
                parts = [
                    self.say(f"每件计 {self.points(each)}", f"{self.points(each)} for each record"),
                    *(self.tier(item) for item in tiers),
                ]
                if distinct:
                    alike = self.keys(distinct)
                    parts.append(
                        self.say(
                            f"同一{alike}的只计一件（扣分最多的；都不扣分的，计分最多的）",
                            f"of the records of one {alike} only one counts: that which takes most off, or else gives most",
                        )
                    )
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
            zh, en = f"{head}的，每件计 {self.points(tier.each)}", f"{head}: {self.points(tier.each)} each"
            if tier.plus is not None:
                share, part, whole = self.points(tier.plus.each), self.field(tier.plus.of), self.field(tier.plus.over)
                zh, en = f"{zh}，另按{part}与{whole}之比计 {share}", f"{en}, and {share} times {part} over {whole}"
            return self.say(zh, en)
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
        """A condition; what an unknown value means is said where it is not the usual (false)."""
        words = self._condition(condition)
        if getattr(condition, "when_missing", False):
            words += self.say("（没有数据也视为成立）", " (also if unknown)")
        return words

    def part(self, condition: Any) -> str:
        """A condition inside another; a compound one is put in brackets, so that two rules never read alike."""
        words = self.condition(condition)
        return self.say(f"（{words}）", f"({words})") if isinstance(condition, _COMPOUND) else words

    def _condition(self, condition: Any) -> str:
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
                return self.say(" 且 ", " and ").join(self.part(item) for item in parts)
            case Any_(any=parts):
                return self.say(" 或 ", " or ").join(self.part(item) for item in parts)
            case Not(not_=part):
                return self.say(f"并非（{self.condition(part)}）", f"not ({self.condition(part)})")
            case AtLeastOf(at_least_of=number, of=parts):
                words = self.semicolon.join(self.part(item) for item in parts)
                return self.say(f"以下至少 {number} 项成立：{words}", f"at least {number} of: {words}")
        return self.raw(condition)

    def grade(self, grade: LadderGrade) -> str:
        """A grade with its letter and its cut."""
        words = f"{grade.id} · {self.text(grade.title)}"
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
        return words + self.say("：", ": ") + self.say("，", ", ").join(parts) + self.effective(grade)

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
                mean = self.say(f"按权重加权平均：{parts}", f"weighted mean: {parts}")
                return mean if step.when_missing is None else mean + self.say("；", "; ") + self.mean_of_nothing(step)
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

    def mean_of_nothing(self, step: WeightedMean) -> str:
        """What holds where no dimension of a mean has a value."""
        if step.when_missing == "hold":
            return self.say("各维度都没有数据的，暂不定级", "held where no dimension has data")
        points = self.number(step.when_missing.points) if step.when_missing is not None else "0"
        return self.say(f"各维度都没有数据的，计 {points} 分", f"{points} where no dimension has data")

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

    def answered(self, conduct: AnsweredConduct) -> str:
        """Conduct that a measure answers, and its term."""
        kinds = self.kinds(conduct.kinds)
        one, most = self.number(conduct.months), self.number(conduct.at_most_months)
        if one == most:
            return self.say(f"针对{kinds}，自认定文书之日起 {one} 个月", f"for {kinds}, {one} months from the document")
        return self.say(
            f"针对{kinds}，自认定文书之日起 {one} 个月，再次失信的依次顺延，最长 {most} 个月",
            f"for {kinds}, {one} months from the document, appended for each further document up to {most} months",
        )

    def measure_rule(self, rule: MeasureRule) -> str:
        """A measure for some grades, with whom it concerns, where it is used and for how long."""
        definition = next(item for item in self.rulebook.measure_catalogue if item.code == rule.measure)
        title, nature = self.text(definition.title), self.nature(definition.nature)
        parts = [self.say(f"{title}（{nature}）", f"{title} ({nature})")]
        parts += [self.answered(conduct) for conduct in definition.answers]
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
