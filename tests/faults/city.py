"""The base city of the fault runs, built in a process of its own (``python city.py FOLDER``), and its deliveries.

Two hundred subjects; run 1 is released, run 2 a draft, and facts have come in since. The deliveries that the trials
send lie in ``FOLDER/deliveries`` with ``deliveries.json`` saying how each is sent.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

SUBJECTS, SEED = 200, 11
HERE = Path(__file__).parent
HEAD = "统一社会信用代码,企业名称,处理结果文书号,办结日期,投诉人"


def complaints(table: Any, places: range, series: str, day: str = "2026-10-{:02d}") -> list[str]:
    """Rows of complaints, one for each of the subjects at these places."""
    codes, names = table["subject_id"], table["name"]
    return [
        f"{codes[place % SUBJECTS]},{names[place % SUBJECTS]},（虚构）{series}-{place},{day.format(place % 28 + 1)},虚构人"
        for place in places
    ]


def file_of(rows: list[str], head: str = HEAD) -> bytes:
    return "\n".join([head, *rows]).encode()


def import_deliveries(table: Any) -> list[dict[str, Any]]:
    """Renamed and new subjects, changed holdings, a push with faults of every kind, and a correction batch."""
    import polars as pl

    from zhixin import City
    from zhixin_web.demonstration import subject_files

    renamed = table.head(60).with_columns(pl.col("name") + "（更名）")
    registrations = dict(subject_files(pl.concat([renamed, City(45, SEED + 1).subject_table()])))["registrations"]
    holdings = dict(subject_files(table.with_columns(pl.col("trademarks_in_force") + 1)))["holdings"]
    mixed = complaints(table, range(0, 130), "推送")
    mixed += complaints(table, range(0, 12), "基础")  # known already, same content: duplicates
    mixed += complaints(table, range(12, 20), "基础", "2026-09-{:02d}")  # known already, other content: conflicts
    mixed += [row.replace("2026-10", "2026-13") for row in complaints(table, range(150, 158), "坏日期")]
    mixed += complaints(table, range(5, 9), "推送")  # twice in one file
    correction = complaints(table, range(20, 70), "基础", "2026-09-{:02d}")
    return [
        {"source": "registrations", "content": registrations},
        {"source": "complaints", "content": file_of(mixed), "automatic": True, "key": "client-1:complaints-1"},
        {"source": "complaints", "content": file_of(correction), "is_correction": True},
        {"source": "holdings", "content": holdings},
    ]


def other_deliveries(table: Any) -> list[dict[str, Any]]:
    """More independent files for the trials that send everything several times in any order."""
    return [
        {"source": "complaints", "content": file_of(complaints(table, range(100, 140), "甲"))},
        {"source": "complaints", "content": file_of(complaints(table, range(140, 190), "乙")), "automatic": True, "key": "client-1:b"},
        {"source": "complaints", "content": file_of(complaints(table, range(0, 45), "丙")), "automatic": True, "key": "client-2:c"},
    ]  # fmt: skip


def event_delivery(table: Any) -> dict[str, Any]:
    """A listing: it must make three subjects D at once."""
    rows = [
        f"{table['subject_id'][place]},{table['name'][place]},（虚构）列入-{place},虚构事由,2026-11-0{place % 9 + 1},,虚构机关"
        for place in (70, 71, 72)
    ]
    content = file_of(rows, "统一社会信用代码,企业名称,列入决定书文号,列入事由,列入日期,移出日期,列入机关")
    return {"source": "serious_list", "content": content, "automatic": True, "key": "client-1:listing"}


def write_deliveries(folder: Path, groups: dict[str, list[dict[str, Any]]]) -> None:
    """Each content as a file, and how it is sent."""
    folder.mkdir()
    listed: dict[str, list[dict[str, Any]]] = {}
    for group, deliveries in groups.items():
        for number, item in enumerate(deliveries):
            name = f"{group}-{number}.csv"
            (folder / name).write_bytes(item.pop("content"))
            listed.setdefault(group, []).append(item | {"file": name})
    (folder / "deliveries.json").write_text(json.dumps(listed, ensure_ascii=False), encoding="utf-8")


def build(folder: Path, rulebook: str) -> None:
    """Fill the empty database that the environment names."""
    from django.utils import timezone

    from zhixin import City, load_rulebook
    from zhixin.loader import loads_rulebook, shipped_rulebooks
    from zhixin_web import demonstration
    from zhixin_web.evaluations import services

    table = City(SUBJECTS, SEED).subject_table()
    people = demonstration.make_people(str(table["subject_id"][0]))
    text = (HERE / "rulebook.yaml").read_text(encoding="utf-8")
    chosen = loads_rulebook(text, "faults") if rulebook == "faults" else load_rulebook(shipped_rulebooks() / rulebook)
    release = services.approve_rulebook(services.propose_rulebook(chosen, people["city"]), people["approver"])
    for name, content in demonstration.subject_files(table):
        take(name, content, people["city"])
    take("complaints", file_of(complaints(table, range(0, 80), "基础")), people["city"])
    today = timezone.localdate()
    first = services.execute(services.start_run(release, as_of=today - timedelta(days=24), by=people["city"]))
    services.propose_run(first, people["city"])
    services.release_run(first, people["approver"])
    take("complaints", file_of(complaints(table, range(60, 120), "其后")), people["city"])
    services.execute(services.start_run(release, as_of=today - timedelta(days=1), by=people["city"]))
    take("complaints", file_of(complaints(table, range(100, 170), "最后")), people["city"])
    groups = {"import": import_deliveries(table), "more": other_deliveries(table), "event": [event_delivery(table)]}
    write_deliveries(folder / "deliveries", groups)


def take(source: str, content: bytes, by: Any) -> None:
    """Deliver a file and take it in."""
    from zhixin_web.records import services
    from zhixin_web.records.models import Batch

    batch, _ = services.deliver(source=source, file_name=f"{source}.csv", chunks=[content], way=Batch.Way.UPLOAD, by=by)
    services.process(batch)
    batch.refresh_from_db()
    services.request_commit(batch, by)
    batch.refresh_from_db()
    batch = services.process(batch)
    if batch.status != Batch.Status.COMMITTED:
        raise RuntimeError(f"{source}: {batch.status} {batch.fault}")


def main() -> None:
    """``python city.py FOLDER RULEBOOK``; the environment names database and data folder."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fault_settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    build(Path(sys.argv[1]), sys.argv[2])
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


if __name__ == "__main__":
    main()
