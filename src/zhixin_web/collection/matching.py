"""The matching desk: subjects that a row without a good code may be about."""

from __future__ import annotations

import re
from typing import Any

from rapidfuzz import fuzz

from zhixin_web.collection.models import QuarantinedRow
from zhixin_web.records import search
from zhixin_web.records.models import Subject

MATCHABLE = ("subject.no_code", "subject.name_differs", "subject.organisation_code", "record.unknown_subject", "uscc.check", "uscc.character", "uscc.length", "uscc.old_number",
             "uscc.organisation_code", "uscc.scientific", "uscc.foreign_letter", "uscc.invisible")  # fmt: skip


def candidates(row: QuarantinedRow, limit: int = 5) -> list[dict[str, Any]]:
    """Subjects that a row without a good code may be about, best first; a person decides."""
    name = str(row.cells.get("name") or "")
    code = re.sub(r"\W", "", str(row.cells.get("subject_id") or ""))
    keys = set(search.find(name[:40], limit=200)) if name else set()
    for place in range(0, max(len(name) - 3, 0), 2):  # parts of the name: a wrong character must not hide the right subject
        if len(keys) >= 200:
            break
        keys |= set(search.find(name[place : place + 4], limit=100))
    if len(code) >= 8:
        keys |= set(search.find(code[-9:-1], limit=20))
    wanted = search.name_key(name)
    found = [
        {
            "subject": subject,
            "likeness": round(fuzz.ratio(wanted, subject.name_key)),
            "same_tail": bool(code) and subject.code[8:17] == code[8:17],
        }
        for subject in Subject.objects.filter(pk__in=list(keys)[:400])
    ]
    return sorted(found, key=lambda item: (item["same_tail"], item["likeness"]), reverse=True)[:limit]
