"""Checks that measures are proportionate: a kind and its basis, conduct they answer, an end that the catalogue allows."""

from __future__ import annotations

from collections.abc import Iterator

from zhixin.law.checks.problems import Path, Problem, problem_at
from zhixin.law.nodes import days_of_change, number_on
from zhixin.law.rulebook import MAY_DEROGATE, Rulebook
from zhixin.law.rules import AnsweredConduct, MeasureDefinition, MeasureRule
from zhixin.law.vocabulary import Nature


def measures_are_proportionate(rulebook: Rulebook) -> Iterator[Problem]:
    """What is imposed on a subject has a kind, a basis that carries it, conduct it answers and an end."""
    definitions = {item.code: item for item in rulebook.measure_catalogue}
    for item in rulebook.measure_catalogue:
        path: Path = ("measure_catalogue", item.code)
        yield from _kind_holds(rulebook, path, item)
        for number, conduct in enumerate(item.answers):
            yield from _conduct_is_dishonest(rulebook, (*path, "answers", number), conduct)
            yield from _terms_hold((*path, "answers", number), conduct)
    for rule in rulebook.measures:
        definition = definitions.get(rule.measure)
        if definition is not None:
            yield from _rule_is_within(("measures", rule.id), rule, definition)


def _kind_holds(rulebook: Rulebook, path: Path, item: MeasureDefinition) -> Iterator[Problem]:
    forces = {document.legal_force for part in item.basis if (document := rulebook.documents.get(part.document)) is not None}
    if item.kind == "derogation" and not forces & MAY_DEROGATE:
        yield problem_at(
            "R054", path, "减损权益或者增加义务的措施没有法律、法规或者党中央、国务院政策文件依据",
            "a measure that takes rights or adds duties rests on no law, regulation or document of the central government",
            "补写依据并注明该文件的 legal_force，或者删除该措施", "add such a basis with the legal_force of its document, or drop the measure",
        )  # fmt: skip
    if item.answers and item.kind is None:
        yield problem_at(
            "R055", path, "对失信行为采取的措施没有写明类别", "a measure against conduct says no kind",
            "补写 kind：derogation、management 或者 third_party", "add kind: derogation, management or third_party",
        )  # fmt: skip
    if item.answers and item.nature == "incentive":
        yield problem_at(
            "R056",
            path,
            "激励措施不能针对失信行为",
            "an incentive answers no dishonest conduct",
            "删除 answers",
            "drop answers",
        )
    if item.nature == "restriction" and not item.answers:
        yield problem_at(
            "R057", path, "惩戒措施没有写明针对何种失信行为，不会对任何主体实施",
            "a restriction that answers no conduct is imposed on nobody", "补写 answers", "add answers", warning=True,
        )  # fmt: skip


def _conduct_is_dishonest(rulebook: Rulebook, path: Path, conduct: AnsweredConduct) -> Iterator[Problem]:
    for pattern in conduct.kinds:
        named = rulebook.kinds_matching([pattern])
        good = [name for name in named if rulebook.kind[name].nature is not Nature.NEGATIVE]
        if not named or good:
            yield problem_at(
                "R058", path, f"{pattern} 不是目录中的失信信息", f"{pattern} names no dishonest conduct of the catalogue",
                "改为目录中的负面信息种类", "name negative kinds of the catalogue",
            )  # fmt: skip


def _terms_hold(path: Path, conduct: AnsweredConduct) -> Iterator[Problem]:
    """One term is at least a month, and no longer than all of them together may be."""
    for day in days_of_change(conduct.months, conduct.at_most_months):
        one, most = number_on(conduct.months, day), number_on(conduct.at_most_months, day)
        if one is not None and most is not None and not 1 <= one <= most:
            yield problem_at(
                "R059", path, f"每次期限 {one} 个月，应不少于一个月，且不超过最长期限 {most} 个月",
                f"a term of {one} months is not between one month and the longest, {most}", "核对两个期限", "check both numbers",
            )  # fmt: skip


def _rule_is_within(path: Path, rule: MeasureRule, definition: MeasureDefinition) -> Iterator[Problem]:
    """A rule may shorten the term that the catalogue gives to a measure against conduct; it does not lengthen it."""
    if rule.duration_months is None:
        return
    for conduct in definition.answers:
        for day in days_of_change(rule.duration_months, conduct.months):
            asked, allowed = number_on(rule.duration_months, day), number_on(conduct.months, day)
            if asked is not None and allowed is not None and asked > allowed:
                yield problem_at(
                    "R060", path, f"期限 {asked} 个月，长于清单允许的 {allowed} 个月",
                    f"{asked} months are longer than the {allowed} that the catalogue allows", "缩短期限", "shorten the term",
                )  # fmt: skip
