"""Each list page has a fixed number of queries, however long the list is (the snapshot is ``query_counts.json``)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from zhixin_web.collection.models import QuarantinedRow
from zhixin_web.evaluations.services import runs as services
from zhixin_web.records.models import Subject

SNAPSHOT = Path(__file__).with_name("query_counts.json")
LISTS = (
    "/c/",
    "/c/sources",
    "/c/sources/penalties",
    "/c/batches",
    "/c/quarantine",
    "/c/subjects",
    "/c/subjects?q=郑州",
    "/c/subjects?grade=B",
    "/c/runs",
    "/c/rulebooks",
    "/c/ledger",
)


def _count(browser: Browser) -> dict[str, int]:
    counts = {}
    for address in LISTS:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert browser.get(address).status_code == 200
        counts[address] = len(captured)
    return counts


def test_the_number_of_queries_does_not_grow_with_the_list(
    subjects: list[Subject], people: Any, take: Any, penalty: Any, release: Any
) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚0"), ("", "无代码", "罚x")))
    services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    _count(browser)  # the first visit writes the session's clock
    few = _count(browser)
    for number in range(2):
        take(
            "penalties",
            penalty(
                *[(item.code, item.name, f"罚{number}-{n}") for n, item in enumerate(subjects)],
                ("", "无代码", f"罚{number}"),
            ),
        )
        services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    assert QuarantinedRow.objects.count() == 3
    assert _count(browser) == few
    if os.environ.get("ZHIXIN_UPDATE_SNAPSHOTS") == "1":
        held = json.loads(SNAPSHOT.read_text(encoding="utf-8")) | {connection.vendor: few}
        SNAPSHOT.write_text(json.dumps(held, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert few == json.loads(SNAPSHOT.read_text(encoding="utf-8"))[connection.vendor]
