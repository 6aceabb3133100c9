"""What must follow in case work: every step from the procedure and its ledger entry, every paper from its step, numbers without gap."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Min

from zhixin.law.procedures import Transition
from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.models import Case, CasePaper, CaseStep
from zhixin_web.cases.parties import workers
from zhixin_web.cases.services.effects import GRADED
from zhixin_web.evaluations.models import Run
from zhixin_web.papers.models import Paper
from zhixin_web.papers.services.issue import kept_file


def case_deviations() -> tuple[int, list[str]]:
    """Walk every case again through its steps; compare its entries, its end, its papers."""
    entries: dict[tuple[str, str], list[int]] = defaultdict(list)
    known = LedgerEntry.objects.filter(kind__in=("case.open", "case.step")).order_by("seq")
    for kind, ref, seq in known.values_list("kind", "ref", "seq"):
        entries[kind, ref.removeprefix("case:")].append(seq)
    kept = _Kept(
        dict(SealedBody.objects.filter(seq__in=known.values("seq")).values_list("seq", "body")),
        set(Paper.objects.filter(kind=Paper.Kind.CASE).values_list("code", flat=True)),
        set(Run.objects.filter(trigger__startswith="case:").values_list("trigger", flat=True)),
        Run.objects.released().aggregate(first=Min("released_at"))["first"],
    )
    broken: list[str] = []
    cases = list(Case.objects.order_by("pk").prefetch_related("steps__paper", "attachments"))
    for case in cases:
        opened, stepped = (entries.pop((kind, str(case.pk)), []) for kind in ("case.open", "case.step"))
        steps = sorted(case.steps.all(), key=lambda step: step.position)
        if len(opened) != 1 or stepped != [step.ledger_seq for step in steps]:
            broken.append(
                f"cases_case {case.pk}: {len(opened)} openings and {len(stepped)} steps in the ledger, {len(steps)} steps kept"
            )
        said = json.loads(kept.bodies.get(opened[0], "{}")).get("attachments", []) if opened else []
        held = sorted(item.sha256 for item in case.attachments.all())
        if sorted(said) != held:
            broken.append(f"cases_attachment of case {case.pk}: expected {sorted(said)}, found {held}")
        broken += _walked(case, steps, kept)
    broken += [f"the ledger knows a case {name} that is not there" for _kind, name in sorted(entries)]
    return len(cases), broken + _numbers()


class _Kept(NamedTuple):
    """What the steps of cases are compared with."""

    bodies: dict[int, str]
    papers: set[str]
    followed: set[str | None]
    """Triggers of the evaluations that followed a case."""
    evaluated_since: datetime | None


def _walked(case: Case, steps: list[CaseStep], kept: _Kept) -> list[str]:
    procedure = procedure_of(case)
    broken: list[str] = []
    answers: dict[str, object] = {}
    state = procedure.start
    for place, done in enumerate(steps):
        here = f"cases_casestep {done.pk}"
        allowed = {step.id: step for step in procedure.leaving(state)}
        step = allowed.get(done.transition)
        if step is None or (done.position, done.state_from, done.state_to) != (place, state, step.to):
            return [*broken, f"{here}: the procedure has no step {done.transition} from {state} to {done.state_to}"]
        said = json.loads(kept.bodies.get(done.ledger_seq, "{}"))
        if (said.get("step"), said.get("by"), said.get("reason")) != (done.transition, done.by_id, done.reason):
            broken.append(f"{here}: its ledger entry says another step, person or reason")
        if step.asks:
            answers[step.asks] = said.get("answers")
        broken += _paper_deviates(here, done, step, kept)
        if step.by == "approver" and done.by_id in workers(case, procedure, steps[:place]):
            broken.append(f"{here}.by: decided by who worked on it")
        state = step.to
    broken += [
        f"cases_case {case.pk}.details: {name} are not as its ledger entry says"
        for name, said_last in answers.items()
        if case.details.get(name) != said_last
    ]
    if case.state != state:
        broken.append(f"cases_case {case.pk}.state: expected {state}, found {case.state}")
    last = procedure.transition(steps[-1].transition) if steps else None
    is_graded = kept.evaluated_since is not None and case.closed_at is not None and kept.evaluated_since < case.closed_at
    has_effect = last is not None and last.effect in GRADED
    if case.is_settled and has_effect and is_graded and f"case:{case.pk}" not in kept.followed:
        broken.append(f"cases_case {case.pk}.is_settled: no evaluation followed")
    if case.is_open == procedure.state(state).is_end:
        broken.append(f"cases_case {case.pk}.is_open: expected {not case.is_open}, found {case.is_open}")
    return broken


def _paper_deviates(here: str, done: CaseStep, step: Transition, kept: _Kept) -> Iterator[str]:
    paper: CasePaper | None = getattr(done, "paper", None)
    if (step.paper is None) != (paper is None):
        yield f"{here}: expected {'a' if step.paper else 'no'} paper, found {'one' if paper else 'none'}"
    elif paper is not None and paper.paper_id not in kept.papers:
        yield f"cases_casepaper {paper.pk}.paper: there is no paper {paper.paper_id}"
    elif paper is not None and kept_file(paper.paper.code, paper.paper.file_sha256) is None:
        yield f"cases_casepaper {paper.pk}: the file of {paper.number} is missing or was changed"


def _numbers() -> list[str]:
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for procedure, year, serial in CasePaper.objects.order_by("serial").values_list("procedure", "year", "serial"):
        found[procedure, year].append(serial)
    return [
        f"cases_casepaper: numbers of {procedure} {year} are not 1 to {len(serials)}"
        for (procedure, year), serials in sorted(found.items())
        if serials != list(range(1, len(serials) + 1))
    ]
