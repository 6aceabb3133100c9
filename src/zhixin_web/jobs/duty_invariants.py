"""What must follow in duties: every claim, answer, version, minutes and escalation from its entry; nobody confirms alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.duties.models import Escalation, Meeting, PlanVersion, ProgressEntry, ProgressPaper, QuarterReport
from zhixin_web.papers.services.issue import kept_file

Kind = ProgressEntry.Kind


def duty_deviations() -> tuple[int, list[str]]:
    """Compare every row of the duties with its entry in the ledger, and every answer with what it answers."""
    said = _said()
    rows = [*_progress(), *_versions(), *_meetings(), *_others()]
    broken = []
    for row, seq, expected, wrong in rows:
        found = said.pop(seq, None)
        if found is None:
            broken.append(f"{row}: expected the entry {seq} in the ledger, found none")
        else:
            broken += [
                f"{row}.{name}: expected {found.get(name)!r}, found {value!r}"
                for name, value in expected.items()
                if found.get(name) != value
            ]
        broken += [f"{row}: {words}" for words in wrong]
    papers = set(ProgressPaper.objects.values_list("paper_id", flat=True))
    broken += [
        f"the ledger knows the duty of entry {seq} that is not there"
        for seq, body in sorted(said.items())
        if body.get("paper") not in papers
    ]
    broken += [
        f"duties_progresspaper {item.pk}: its file is gone or is another one"
        for item in ProgressPaper.objects.select_related("paper")
        if kept_file(item.paper.code, item.paper.file_sha256) is None
    ]
    return len(rows), broken


Checked = tuple[str, int | None, dict[str, Any], list[str]]
"""Name of a row, number of its ledger entry, expected content of the entry, other faults of the row."""


def _said() -> dict[int | None, dict[str, Any]]:
    entries = LedgerEntry.objects.filter(kind__startswith="duty.").values("seq")
    return {seq: json.loads(body) for seq, body in SealedBody.objects.filter(seq__in=entries).values_list("seq", "body")}


def _progress() -> Iterator[Checked]:
    for item in ProgressEntry.objects.select_related("about", "about__about", "unit").order_by("pk"):
        wrong = []
        about = item.about
        if about is not None and (about.item != item.item or about.by_id == item.by_id):
            wrong.append("answers another item or itself")
        wanted = {Kind.CONFIRM: Kind.CLAIM, Kind.RETURN: Kind.CLAIM, Kind.REOPEN: Kind.CONFIRM}.get(Kind(item.kind))
        if about is not None and about.kind != wanted:
            wrong.append(f"a {item.kind} answers a {about.kind}")
        expected = {
            "item": item.item, "unit": item.unit.code, "by": item.by_id, "on": item.on.isoformat(), "text": item.text, "link": item.link,
            "sha256": item.sha256, "due_on": item.due_on.isoformat(), "task": item.task,
        }  # fmt: skip
        yield f"duties_progressentry {item.pk}", item.ledger_seq, expected, wrong


def _versions() -> Iterator[Checked]:
    for item in PlanVersion.objects.exclude(status=PlanVersion.Status.PROPOSED).order_by("pk"):
        wrong = [] if hashlib.sha256(item.text.encode()).hexdigest() == item.sha256 else ["its text is not that of its hash"]
        expected = {
            "plan": item.plan, "version": item.version, "sha256": item.sha256, "decided_by": item.decided_by_id,
            "approved": item.status != PlanVersion.Status.REFUSED, "proposed_by": item.proposed_by_id,
        }  # fmt: skip
        yield f"duties_planversion {item.pk}", item.ledger_seq, expected, wrong


def _meetings() -> Iterator[Checked]:
    for item in Meeting.objects.exclude(status=Meeting.Status.RECORDED).order_by("pk"):
        rows = item.resolutions.select_related("lead").order_by("position")
        expected = {
            "meeting": item.pk, "minutes": item.minutes, "approved": item.status == Meeting.Status.CONFIRMED, "decided_by": item.decided_by_id,
            "resolved": [[row.title, row.lead.code, row.due_on.isoformat(), row.proof] for row in rows],
        }  # fmt: skip
        yield f"duties_meeting {item.pk}", item.ledger_seq, expected, []


def _others() -> Iterator[Checked]:
    for report in QuarterReport.objects.select_related("unit").order_by("pk"):
        expected: dict[str, Any] = {
            "plan": report.plan, "unit": report.unit.code, "quarter": f"{report.year}-{report.quarter}", "revision": report.revision,
            "done": report.done, "problems": report.problems, "next_steps": report.next_steps, "standing": report.standing,
        }  # fmt: skip
        yield f"duties_quarterreport {report.pk}", report.ledger_seq, expected, []
    for item in Escalation.objects.order_by("pk"):
        expected = {"item": item.item, "due_on": item.due_on.isoformat(), "to": item.to, "days_overdue": item.days_overdue}
        wrong = [] if (item.on - item.due_on).days == item.days_overdue else ["its days are not those since the end"]
        yield f"duties_escalation {item.pk}", item.ledger_seq, expected, wrong
