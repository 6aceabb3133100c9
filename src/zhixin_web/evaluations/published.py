"""What the public may see of grades and rules: the privacy wall. Portal and API read evaluation through here only.

Whether a grade or a score is public is declared by the rulebook with its basis; a risk class never is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.db.models import Count, Max, QuerySet

from zhixin import RunFolder, explain
from zhixin.errors import ZhixinError
from zhixin.law.rulebook import Rulebook
from zhixin.law.vocabulary import Visibility
from zhixin_web.evaluations import queries
from zhixin_web.evaluations.models import HELD, CurrentGrade, Grade, GradeOrder, Run
from zhixin_web.evaluations.preflight import freshness
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.records.published import PublishedSubject
from zhixin_web.rulebooks.published import public_releases
from zhixin_web.rulebooks.queries import rulebook_by_pk

State = Literal["graded", "not_evaluated", "excluded", "held", "not_public"]


@dataclass(frozen=True)
class PublishedGrade:
    """What may be said of a subject's grade. Only ``graded`` has a letter; every other state says why there is none."""

    state: State
    grade: str = ""
    title: dict[str, str] | None = None
    since: date | None = None
    as_of: date | None = None
    run: int | None = None
    release: int | None = None
    until: date | None = None
    is_score_public: bool = False
    score_milli: int | None = None
    reason: dict[str, str] | None = None
    """Why a subject is not graded, in the words of the rule."""


def _public_grades() -> QuerySet[CurrentGrade]:
    """Grades in force that are public, whichever run gave them."""
    return CurrentGrade.objects.filter(run__release__in=public_releases())


def published_grade(subject: PublishedSubject) -> PublishedGrade:
    """The grade of a subject, if the rulebook makes grades public."""
    rows = CurrentGrade.objects.filter(subject=subject.pk)
    found = list(
        rows.values(
            "grade", "in_force", "since", "step", "run", "run__as_of", "run__release", "run__release__sha256", "score_milli"
        )[:1]
    )
    if not found:
        return PublishedGrade("not_evaluated")
    row = found[0]
    rulebook = rulebook_by_pk(row["run__release"])
    shared: dict[str, Any] = {"as_of": row["run__as_of"], "run": row["run"], "release": row["run__release"]}
    if rulebook.visibility.grade != Visibility.PUBLIC:
        return PublishedGrade("not_public", **shared)
    if row["in_force"] == HELD:
        until = GradeOrder.objects.filter(subject=subject.pk, status=GradeOrder.Status.ACTIVE).values_list(
            "until", flat=True
        )
        return PublishedGrade("held", until=until.first(), **shared)
    grade = row["in_force"]
    words = rulebook.grade_title(grade)
    title = {"zh": words.zh, "en": words.en or words.zh}
    if grade not in rulebook.grade_rank:
        return PublishedGrade("excluded", grade=grade, title=title, reason=_reason(rulebook, row["step"]), **shared)
    is_score_public = rulebook.visibility.score == Visibility.PUBLIC
    return PublishedGrade(
        "graded", grade, title, row["since"], is_score_public=is_score_public,
        score_milli=row["score_milli"] if is_score_public and row["in_force"] == row["grade"] else None, **shared,
    )  # fmt: skip


def _reason(rulebook: Rulebook, step: str) -> dict[str, str] | None:
    """The title of the rule that leaves a subject ungraded."""
    rules = {f"{kind}:{rule.id}": rule for kind in ("exclude", "side") for rule in getattr(rulebook.decisions, kind)}
    rule = rules.get(step)
    return None if rule is None else {"zh": rule.title.zh, "en": rule.title.en or rule.title.zh}


def published_history(subject: PublishedSubject, limit: int = 24) -> list[tuple[date, str]]:
    """How the public grade has gone: day of each change and the grade from then on, newest first."""
    rows = Grade.objects.filter(subject=subject.pk).order_by("-pk").values_list("run__as_of", "grade", "was", "run__release")
    return [
        (day, grade)
        for day, grade, was, release in rows[:limit]
        if grade != was and rulebook_by_pk(release).visibility.grade == Visibility.PUBLIC
    ]


def published_why(subject: PublishedSubject, grade: PublishedGrade) -> dict[str, Any] | None:
    """The explanation of a public grade (``explanation/1``); the caller shows points only where the score is public.

    ``None``: the grade is not public, or there is none.
    """
    if grade.state not in ("graded", "excluded") or grade.run is None:
        return None
    try:
        return explain(RunFolder.open(run_folder(Run.objects.get(pk=grade.run))), subject.code)
    except ZhixinError:
        return None


def order_in_force(subject: PublishedSubject) -> GradeOrder | None:
    """The two-person order that sets the grade by hand, if one is in force."""
    return queries.order_in_force(subject.pk)


def published_runs(limit: int = 50) -> list[Run]:
    """Released full evaluations with public grades, newest first; rulebook text is left in the database."""
    released = Run.objects.released().filter(kind=Run.Kind.FULL, release__in=public_releases())
    return list(released.select_related("release").defer("release__text").order_by("-released_at")[:limit])


def grade_counts() -> Counter[str]:
    """How many subjects hold each public grade."""
    rows = _public_grades().values_list("in_force").annotate(n=Count("pk"))
    return Counter(dict(rows.values_list("in_force", "n")))


def ungraded_counts() -> list[tuple[dict[str, str], int]]:
    """Why subjects of public evaluations are not graded, in the words of the rules, and how many."""
    rows = _public_grades().values_list("run__release", "in_force", "step").annotate(n=Count("pk"))
    found: Counter[tuple[str, str]] = Counter()
    for release, grade, step, count in rows:
        rulebook = rulebook_by_pk(release)
        reason = _reason(rulebook, step) if grade not in rulebook.grade_rank else None
        if reason is not None:
            found[reason["zh"], reason["en"]] += count
    return [({"zh": zh, "en": en}, count) for (zh, en), count in found.most_common()]


def grades_by_district() -> dict[str, Counter[str]]:
    """Public grades by district code."""
    found: dict[str, Counter[str]] = {}
    rows = _public_grades().values_list("subject__district", "in_force").annotate(n=Count("pk"))
    for district, grade, count in rows.values_list("subject__district", "in_force", "n"):
        found.setdefault(district, Counter())[grade] = count
    return found


def published_grades_of(keys: list[int]) -> dict[int, str]:
    """Public grades of several subjects by primary key, for result lists."""
    rows = _public_grades().filter(subject__in=keys).values_list("subject", "in_force")
    return {key: "" if grade == HELD else grade for key, grade in rows}


def trustworthy(limit: int) -> list[tuple[str, str, str, date]]:
    """Subjects whose public grade in force is the best: code, name, grade, since when; the newest first."""
    newest = published_runs(1)
    if not newest:
        return []
    best = rulebook_by_pk(newest[0].release_id).ladder_on(newest[0].as_of)[0].id
    rows = _public_grades().filter(in_force=best).order_by("-since", "subject__name")
    return list(rows.values_list("subject__code", "subject__name", "in_force", "since")[:limit])


def every_public_grade() -> Iterator[tuple[str, str, str | None, date, str | None]]:
    """Code, name, public grade in force, since when, and why there is none, in the order of the codes: for the bulk files."""
    rows = _public_grades().exclude(in_force=HELD).order_by("subject__code")
    columns = rows.values_list("subject__code", "subject__name", "in_force", "since", "step", "run__release")
    rulebooks: dict[int, Rulebook] = {}
    for code, name, grade, since, step, release in columns.iterator(chunk_size=5_000):
        if release not in rulebooks:
            rulebooks[release] = rulebook_by_pk(release)
        rulebook = rulebooks[release]
        if grade in rulebook.grade_rank:
            yield code, name, grade, since, None
        else:
            yield code, name, None, since, (_reason(rulebook, step) or {"zh": rulebook.grade_title(grade).zh})["zh"]


def grade_stamp() -> str:
    """Changes whenever grades in force change: by a release or by an order."""
    last = Run.objects.released().aggregate(at=Max("released_at"))["at"]
    order = GradeOrder.objects.aggregate(decided=Max("decided_at"), ended=Max("ended_at"))
    return "|".join(str(value) for value in (last, order["decided"], order["ended"]))


def source_freshness() -> list[dict[str, Any]]:
    """Each source with its last delivery and whether it is stale: part of what is known to be wrong with the data."""
    return freshness()
