"""The register of subjects as deliveries are checked against it: the names by which a code is known."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from zhixin_web.records.models import Subject, SubjectVersion
from zhixin_web.records.services.versions import LOOKUP, chunked

REGISTRATIONS = "registrations"


def names_of(codes: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Return the registered name of each known code, then its former names."""
    found: dict[str, list[str]] = {}
    for part in chunked(sorted(codes), LOOKUP):
        rows = list(Subject.objects.filter(code__in=part).values_list("pk", "code", "name"))
        found |= {code: [name] for _pk, code, name in rows if name}
        renamed = SubjectVersion.objects.filter(
            subject__in=[pk for pk, _code, _name in rows], source=REGISTRATIONS, version__gt=1
        ).values("subject")
        versions = SubjectVersion.objects.filter(subject__in=renamed, source=REGISTRATIONS).order_by("-version")
        for code, body in versions.values_list("subject__code", "body"):
            name = json.loads(body).get("attributes", {}).get("name") if body else None
            if name and name not in found.setdefault(code, []):
                found[code].append(name)
    return found
