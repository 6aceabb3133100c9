"""What must follow in case work: every step from the procedure and its ledger entry, every paper from its step, numbers without gap."""

from __future__ import annotations

import json
from collections import defaultdict

from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.cases.models import Case, CasePaper, CaseStep
from zhixin_web.papers.services.issue import kept_file


def case_deviations() -> tuple[int, list[str]]:
    """Walk every case again through its steps; compare its entries, its end, its papers."""
    entries: dict[tuple[str, str], list[int]] = defaultdict(list)
    known = LedgerEntry.objects.filter(kind__in=("case.open", "case.step")).order_by("seq")
    for kind, ref, seq in known.values_list("kind", "ref", "seq"):
        entries[kind, ref.removeprefix("case:")].append(seq)
    bodies = dict(SealedBody.objects.filter(seq__in=known.values("seq")).values_list("seq", "body"))
    broken: list[str] = []
    cases = list(Case.objects.order_by("pk").prefetch_related("steps__paper__paper"))
    for case in cases:
        opened, stepped = (entries.pop((kind, str(case.pk)), []) for kind in ("case.open", "case.step"))
        steps = sorted(case.steps.all(), key=lambda step: step.position)
        if len(opened) != 1 or stepped != [step.ledger_seq for step in steps]:
            broken.append(
                f"cases_case {case.pk}: {len(opened)} openings and {len(stepped)} steps in the ledger, {len(steps)} steps kept"
            )
        broken += _walked(case, steps, bodies)
    broken += [f"the ledger knows a case {name} that is not there" for _kind, name in sorted(entries)]
    return len(cases), broken + _numbers()


def _walked(case: Case, steps: list[CaseStep], bodies: dict[int, str]) -> list[str]:
    procedure = procedure_of(case)
    broken: list[str] = []
    state = procedure.start
    for place, done in enumerate(steps):
        here = f"cases_casestep {done.pk}"
        allowed = {step.id: step for step in procedure.leaving(state)}
        step = allowed.get(done.transition)
        if step is None or (done.position, done.state_from, done.state_to) != (place, state, step.to):
            return [*broken, f"{here}: the procedure has no step {done.transition} from {state} to {done.state_to}"]
        said = json.loads(bodies.get(done.ledger_seq, "{}"))
        if (said.get("step"), said.get("by"), said.get("reason")) != (done.transition, done.by_id, done.reason):
            broken.append(f"{here}: its ledger entry says another step, person or reason")
        paper = getattr(done, "paper", None)
        if (step.paper is None) != (paper is None):
            broken.append(f"{here}: expected {'a' if step.paper else 'no'} paper, found {'one' if paper else 'none'}")
        elif paper is not None and kept_file(paper.paper.code, paper.paper.file_sha256) is None:
            broken.append(f"cases_casepaper {paper.pk}: the file of {paper.number} is missing or was changed")
        if step.other_than and any(
            item.by_id == done.by_id and item.transition in step.other_than for item in steps[:place]
        ):
            broken.append(f"{here}.by: decided by who proposed")
        state = step.to
    if case.state != state:
        broken.append(f"cases_case {case.pk}.state: expected {state}, found {case.state}")
    if case.is_open == procedure.state(state).is_end:
        broken.append(f"cases_case {case.pk}.is_open: expected {not case.is_open}, found {case.is_open}")
    return broken


def _numbers() -> list[str]:
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for procedure, year, serial in CasePaper.objects.order_by("serial").values_list("procedure", "year", "serial"):
        found[procedure, year].append(serial)
    return [
        f"cases_casepaper: numbers of {procedure} {year} are not 1 to {len(serials)}"
        for (procedure, year), serials in sorted(found.items())
        if serials != list(range(1, len(serials) + 1))
    ]
