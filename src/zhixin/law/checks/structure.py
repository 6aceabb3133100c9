"""Static checks of a rulebook: everything that can be known to be wrong before a single record is read.

Each check is a generator of problems; all of them run, so that the author sees all faults at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from zhixin.errors import Message, UsageError
from zhixin.law.checks.fields import fields_agree, fields_of_points, names_free
from zhixin.law.checks.numbers import NUMBER_RULES
from zhixin.law.checks.problems import KEYED, Path, Problem, problem_at, scopes, unknown_name
from zhixin.law.checks.proportionality import measures_are_proportionate
from zhixin.law.checks.references import references
from zhixin.law.conditions import ScoreIs
from zhixin.law.measures import Count
from zhixin.law.nodes import Basis, Dated, days_of_change, number_on, walk
from zhixin.law.points import Categories, PerRecord
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Add, WeightedMean, holding_means
from zhixin.law.vocabulary import Direction, Nature, Status, Visibility


def check(rulebook: Rulebook) -> list[Problem]:
    """Every problem of a rulebook, each once. Checks of numbers run at every date on which something changes."""
    problems: dict[tuple[str, Path, str], Problem] = {}
    structural = [problem for rule in STRUCTURE_RULES for problem in rule(rulebook)]
    dated: list[Problem] = []
    if not any(not problem.is_warning for problem in structural):
        for day in change_dates(rulebook):
            try:
                snapshot = rulebook.at(day)
            except UsageError as error:
                dated.append(
                    Problem("R047", ("score",), error.message, Message("补全各期取值", "give a value for every period"))
                )
                continue
            dated += [problem for rule in (ladder_shape, *NUMBER_RULES) for problem in rule(snapshot)]
    places: dict[int, dict[str, int]] = {}
    for problem in structural + dated:
        path = _indexed(rulebook, problem.path, places)
        problems.setdefault((problem.code, path, problem.what.en), problem._replace(path=path))
    return list(problems.values())


def change_dates(rulebook: Rulebook) -> list[date]:
    """Every day on which a dated value or an effective period of the rulebook starts or ends."""
    days: set[date] = {rulebook.effective.from_ or date(2000, 1, 1)}
    for node in walk(rulebook):
        if isinstance(node, Dated):
            days.update(node.values)
        effective = getattr(node, "effective", None)
        if effective is not None:
            days.update(day for day in (effective.from_, effective.until) if day is not None)
    first = min(rulebook.effective.from_ or min(days), max(days))
    return sorted(day for day in days if day >= first and (rulebook.effective.until or date.max) > day)


def _indexed(rulebook: Rulebook, path: Path, places: dict[int, dict[str, int]]) -> Path:
    """Replace an item's id by its index: ("indicators", "late_filing") → ("indicators", 3).

    ``places`` keeps the indices of each list: looking each of 5,000 indicators up anew takes half a minute.
    """
    if len(path) >= 2 and path[0] == "decisions":
        return ("decisions", *_indexed_in(rulebook.decisions, path[1:], places))
    return _indexed_in(rulebook, path, places)


def _indexed_in(owner: Any, path: Path, places: dict[int, dict[str, int]]) -> Path:
    if len(path) < 2 or not isinstance(path[1], str):
        return path
    items = getattr(owner, str(path[0]), ())
    if not isinstance(items, tuple):
        return path
    if id(items) not in places:
        names = [getattr(item, "id", None) or getattr(item, "code", "") for item in items]
        places[id(items)] = {name: len(names) - 1 - index for index, name in enumerate(reversed(names))}
    index = places[id(items)].get(path[1])
    return path if index is None else (path[0], index, *path[2:])


# --- structure ----------------------------------------------------------------------------------------------------


def duplicate_ids(rulebook: Rulebook) -> Iterator[Problem]:
    """Ids are unique inside their part; grades across ladder and side grades; rules across all decisions."""
    places: list[list[tuple[str, Path]]] = [
        [(getattr(item, "id", None) or item.code, (part, index)) for index, item in enumerate(getattr(rulebook, part))]
        for part in KEYED
        if part not in ("ladder", "side_grades")
    ]
    grades: list[tuple[str, Path]] = [(grade.id, ("ladder", index)) for index, grade in enumerate(rulebook.ladder)]
    grades += [(grade.id, ("side_grades", index)) for index, grade in enumerate(rulebook.side_grades)]
    rules: list[tuple[str, Path]] = []
    for step in ("exclude", "direct", "side", "caps", "shifts"):
        rules += [(rule.id, ("decisions", step, index)) for index, rule in enumerate(getattr(rulebook.decisions, step))]
    for group in (*places, grades, rules):
        seen: set[str] = set()
        for name, path in group:
            if name in seen:
                yield problem_at(
                    "R020", path, f"编号 {name} 重复", f"the id {name} is used twice", "换一个编号", "choose another id"
                )
            seen.add(name)


_WITH_BASIS = ("sources", "catalogue", "terms", "deadlines", "indicators", "decisions", "measures", "measure_catalogue")


def basis_given(rulebook: Rulebook) -> Iterator[Problem]:
    """Every source, kind, indicator, rule and measure states its legal basis."""
    for path, item in scopes(rulebook):
        if path[0] in _WITH_BASIS and not item.basis:
            yield problem_at("R030", path, "没有依据", "no basis is given", "补写 basis", "add its basis")
    if rulebook.visibility.grade is Visibility.PUBLIC and not rulebook.visibility.basis:
        yield problem_at(
            "R031",
            ("visibility",),
            "等级对外公开但没有依据",
            "the grade is public without a basis",
            "补写 visibility.basis",
            "add visibility.basis",
        )


def terms_hold(rulebook: Rulebook) -> Iterator[Problem]:
    """The shortest publication is not longer than the longest; a term is a whole number, at least one."""
    publicities: list[tuple[Path, Any]] = [(("terms", item.id), item.publicity) for item in rulebook.terms]
    publicities += [(("catalogue", kind.id), kind.publicity) for kind in rulebook.catalogue if kind.publicity is not None]
    for path, publicity in publicities:
        for day in days_of_change(publicity.min_months, publicity.max_months):
            least, most = number_on(publicity.min_months, day), number_on(publicity.max_months, day)
            if least is not None and most is not None and least > most:
                yield problem_at(
                    "R050",
                    path,
                    f"自 {day} 起最短公示 {least} 个月，长于最长的 {most} 个月",
                    f"from {day} the shortest publication, {least} months, is longer than the longest, {most}",
                    "核对两个期限",
                    "check the two terms",
                )
    for deadline in rulebook.deadlines:
        for day in days_of_change(deadline.term):
            term = deadline.term.at(day) if isinstance(deadline.term, Dated) else deadline.term
            if term is not None and (term < 1 or term != int(term)):
                yield problem_at(
                    "R051",
                    ("deadlines", deadline.id),
                    f"期限应为不少于 1 的整数，而不是 {term}",
                    f"a term is a whole number, at least one, not {term}",
                    "改为整数",
                    "write a whole number",
                )


def evidence_required(rulebook: Rulebook) -> Iterator[Problem]:
    """No dishonesty record without an effective document (domain/law.md §12.2 rule 1)."""
    for kind in rulebook.catalogue:
        if kind.nature is Nature.NEGATIVE and kind.evidence is None:
            yield problem_at(
                "R032",
                ("catalogue", kind.id),
                "负面信息没有写明认定文书",
                "a negative kind names no evidence document",
                "补写 evidence",
                "add its evidence document",
            )


def points_fit_measures(rulebook: Rulebook) -> Iterator[Problem]:
    """Check that points have the measure they need."""
    for indicator in rulebook.indicators:
        path: Path = ("indicators", indicator.id)
        wants = not isinstance(indicator.points, Categories)
        if wants and indicator.measure is None:
            yield problem_at("R024", path, "缺少 measure", "measure is missing", "写明所测量的内容", "say what is measured")
        plain_count = isinstance(indicator.measure, Count) and not indicator.measure.distinct
        if isinstance(indicator.points, PerRecord) and not plain_count:
            yield problem_at(
                "R025",
                path,
                "逐条计分须用不去重的 count",
                "points per record need a count without distinct",
                "改用 count",
                "use a plain count",
            )


def conditions_are_known(rulebook: Rulebook) -> Iterator[Problem]:
    """Check that the score is asked for only after it is known, and dates of records only per record."""
    allowed = {
        id(node) for step in ("side", "caps", "shifts") for r in getattr(rulebook.decisions, step) for node in walk(r)
    }
    per_record = {
        id(node)
        for indicator in rulebook.indicators
        if isinstance(indicator.points, PerRecord)
        for node in walk(indicator.points.each)
    }
    for path, item in scopes(rulebook):
        for node in walk(item):
            if isinstance(node, ScoreIs) and id(node) not in allowed:
                yield problem_at(
                    "R026",
                    path,
                    "此处得分尚未算出",
                    "the score is not known yet at this step",
                    "移到 side、caps 或 shifts",
                    "move it to side, caps or shifts",
                )
            if isinstance(node, Dated) and node.counts_by != "evaluation" and id(node) not in per_record:
                yield problem_at(
                    "R027",
                    path,
                    "只有逐条计分的 each 可按记录日期取值",
                    "only the each of points per record may go by the record's date",
                    "改为 counts_by: evaluation",
                    "write counts_by: evaluation",
                )


def dates_in_order(rulebook: Rulebook) -> Iterator[Problem]:
    for path, item in scopes(rulebook):
        for node in walk(item):
            if isinstance(node, Dated) and any(a >= b for a, b in pairwise(node.values)):
                yield problem_at(
                    "R033",
                    path,
                    "分期取值的日期没有按先后排列",
                    "dated values are out of order",
                    "按日期先后排列",
                    "write them in order of date",
                )


def effective_periods(rulebook: Rulebook) -> Iterator[Problem]:
    """A period in force begins before it ends; a repealed rulebook says until when it was in force."""
    periods: list[tuple[Path, Any]] = [(("effective",), rulebook.effective)]
    periods += [(path, period) for path, item in scopes(rulebook) for period in _periods(item)]
    for path, period in periods:
        if period.from_ is not None and period.until is not None and period.until <= period.from_:
            yield problem_at(
                "R052",
                path,
                f"有效期自 {period.from_} 起，却到 {period.until} 止，没有一天有效",
                f"in force from {period.from_} until {period.until}: not for a single day",
                "核对 from 与 until",
                "check from and until",
            )
    if rulebook.status is Status.REPEALED and rulebook.effective.until is None:
        yield problem_at(
            "R053",
            ("status",),
            "已废止的规则没有写明有效期到哪天为止",
            "a repealed rulebook does not say until when it was in force",
            "在 effective 中写明 until",
            "write until into effective",
        )


def _periods(item: Any) -> list[Any]:
    found = (getattr(node, "effective", None) for node in walk(item))
    return [period for period in found if period is not None]


def score_uses_dimensions(rulebook: Rulebook) -> Iterator[Problem]:
    known = {dimension.id: dimension for dimension in rulebook.dimensions}
    used: Counter[str] = Counter()
    for step in rulebook.steps:
        names = step.add if isinstance(step, Add) else step.weighted_mean if isinstance(step, WeightedMean) else ()
        used.update(names)
        for name in names:
            if name not in known:
                yield unknown_name(("score",), "维度", "dimension", name)
            elif isinstance(step, WeightedMean) and known[name].weight is None:
                yield problem_at(
                    "R034",
                    ("dimensions", name),
                    "加权维度没有权重",
                    "a weighted dimension has no weight",
                    "补写 weight",
                    "add its weight",
                )
    for name in known:
        if used[name] != 1:
            yield problem_at(
                "R035",
                ("dimensions", name),
                f"维度在得分步骤中出现 {used[name]} 次",
                f"the dimension is used {used[name]} times by the score steps",
                "在 add 或 weighted_mean 中恰好列出一次",
                "list it exactly once in add or weighted_mean",
            )


def ladder_shape(rulebook: Rulebook) -> Iterator[Problem]:
    """Every grade but the last has a cut on the side that the direction of the score asks for."""
    sides = ("at_least", "above") if rulebook.direction is Direction.HIGHER_BETTER else ("at_most", "below")
    last = rulebook.ladder[-1]
    for grade in rulebook.ladder:
        given = [side for side in ("at_least", "above", "at_most", "below") if getattr(grade, side) is not None]
        wrong = given if grade is last else ([] if len(given) == 1 and given[0] in sides else given or ["-"])
        if wrong:
            yield problem_at(
                "R036",
                ("ladder", grade.id),
                "等级分界写法不对" if grade is not last else "最末等级不应有分界",
                "the last grade takes what is left and has no cut"
                if grade is last
                else f"a grade needs exactly one cut, {sides[0]} or {sides[1]}",
                f"用 {sides[0]} 或 {sides[1]}（最末等级不写）",
                f"use {sides[0]} or {sides[1]}, none on the last",
            )
    holds = any(indicator.when_missing == "hold" for indicator in rulebook.indicators) or holding_means(rulebook.steps)
    if (holds or rulebook.held_grade) and rulebook.held_grade not in {item.id for item in rulebook.side_grades}:
        yield problem_at(
            "R037",
            ("held_grade",),
            "暂不评价的主体没有旁列等级",
            "subjects on hold need a side grade",
            "在 side_grades 中定义并写入 held_grade",
            "declare one under side_grades and name it in held_grade",
        )


def unverified_numbers(rulebook: Rulebook) -> Iterator[Problem]:
    for path, item in scopes(rulebook):
        nodes = [node for node in walk(item) if isinstance(node, Basis) and not node.verified]
        dated = [
            value for node in walk(item) if isinstance(node, Dated) for value in node.values.values() if not value.verified
        ]
        if nodes or dated:
            names = "、".join(sorted({node.document for node in nodes} | {value.document for value in dated}))
            yield problem_at(
                "R090",
                path,
                f"数值未经官方文本核对（{names}）",
                f"not checked against the official text ({names})",
                "核对后改为 verified: true",
                "check it, then write verified: true",
                warning=True,
            )


# --- numbers, at one date ----------------------------------------------------------------------------------------


STRUCTURE_RULES: tuple[Callable[[Rulebook], Iterator[Problem]], ...] = (
    duplicate_ids,
    references,
    fields_of_points,
    fields_agree,
    names_free,
    basis_given,
    terms_hold,
    evidence_required,
    measures_are_proportionate,
    points_fit_measures,
    conditions_are_known,
    dates_in_order,
    effective_periods,
    score_uses_dimensions,
    ladder_shape,
    unverified_numbers,
)
