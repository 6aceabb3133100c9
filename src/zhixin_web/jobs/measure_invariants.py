"""What must follow in measures: each from a decision of its case and its entry, none longer than decided, none past its end."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta

from django.utils import timezone

from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.cases.models import Case
from zhixin_web.measures.models import ImposedMeasure


def measure_deviations() -> tuple[int, list[str]]:
    """Compare every measure with its entries in the ledger, with the case that imposed it, and with the day."""
    entries: dict[str, list[tuple[str, int]]] = defaultdict(list)
    known = LedgerEntry.objects.filter(kind__startswith="measure.").order_by("seq")
    for kind, ref, seq in known.values_list("kind", "ref", "seq"):
        entries[ref].append((kind, seq))
    bodies = {
        seq: json.loads(body)
        for seq, body in SealedBody.objects.filter(seq__in=known.values("seq")).values_list("seq", "body")
    }
    cases = {f"case:{case.pk}": case for case in Case.objects.filter(procedure="measure").prefetch_related("steps__paper")}
    broken: list[str] = []
    measures = list(ImposedMeasure.objects.order_by("pk"))
    for item in measures:
        wrong = list(_wrong(item, entries.pop(item.case, []), bodies, cases.get(item.case)))
        broken += [f"measures_imposedmeasure {item.pk}: {words}" for words in wrong]
    broken += [f"the ledger knows a measure of {ref} that is not there" for ref in sorted(entries)]
    return len(measures), broken


def _wrong(
    item: ImposedMeasure, entries: list[tuple[str, int]], bodies: dict[int, dict[str, object]], case: Case | None
) -> list[str]:
    wrong = []
    made = [seq for kind, seq in entries if kind == "measure.impose"]
    if made != [item.ledger_seq]:
        return [f"expected the entry {item.ledger_seq}, found {made}"]
    body = bodies.get(item.ledger_seq, {})
    untils = [str(body.get("until"))] + [str(bodies[seq]["until"]) for kind, seq in entries if kind == "measure.shorten"]
    if untils != sorted(untils, reverse=True) or untils[-1] != item.until.isoformat():
        wrong.append(f"ends on {item.until}, the ledger says {untils}")
    ends = [bodies[seq] for kind, seq in entries if kind == "measure.end"]
    said = [{"on": end["on"], "why": end["why"]} for end in ends]
    held = [{"on": item.ended_on.isoformat(), "why": item.ending}] if item.ended_on else []
    if said != held:
        wrong.append(f"ended {held}, the ledger says {said}")
    if item.ended_on is None and item.until + timedelta(days=1) < timezone.localdate():
        wrong.append(f"is past its end of {item.until} and was not ended")
    papers = {step.paper.number for step in case.steps.all() if hasattr(step, "paper")} if case is not None else set()
    if case is None or case.is_open or item.number not in papers:
        wrong.append(f"no decision {item.number} of {item.case}")
    return wrong
