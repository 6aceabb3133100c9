"""What the platform must reach, measured: import of 200,000 penalties, search and list pages at 200,000 subjects, invariants.

``python benchmarks/collection.py [--subjects N] [--rows N]`` uses SQLite in a fresh folder, or the empty database that
``DATABASE_URL`` names. It prints one line for each figure.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from zhixin_web.accounts.demonstration_people import make_people
from zhixin_web.demonstration.city_files import subject_files
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.services.replay import replay

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhixin_web.settings")
os.environ.setdefault("ZHIXIN_DEMO", "1")
os.environ.setdefault("ZHIXIN_VAR", tempfile.mkdtemp(prefix="zhixin-bench-"))


def timed(name: str, act: Callable[[], Any]) -> Any:
    """Do it once and print the time it took."""
    started = time.perf_counter()
    result = act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{name:58} {time.perf_counter() - started:8.2f} s   peak {peak:,.0f} MB\n")
    sys.stdout.flush()
    return result


def median_of(name: str, act: Callable[[], Any], times: int = 9) -> None:
    """The median of some repetitions, in milliseconds."""
    act()
    took = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - started))
    sys.stdout.write(f"{name:58} {statistics.median(took):8.1f} ms  worst {max(took):.1f}\n")
    sys.stdout.flush()


def penalties(codes: Any, names: Any, rows: int) -> bytes:
    """A file of penalties with all the columns a department fills."""
    head = "行政相对人名称,行政相对人类别,行政相对人代码_1(统一社会信用代码),法定代表人,行政处罚决定书文号,违法行为类型,违法事实,处罚依据,处罚类别,处罚内容,罚款金额（万元）,处罚决定日期,处罚机关,处罚机关统一社会信用代码,数据来源单位,失信程度"
    lines = [head]
    for number in range(rows):
        place = number * 7 % len(codes)
        day = f"202{3 + number % 3}-{number % 12 + 1:02}-{number % 28 + 1:02}"
        lines.append(
            f"{names[place]},法人及非法人组织,{codes[place]},虚构人,（虚构）罚〔2026〕{number}号,商标侵权,虚构的违法事实：销售侵犯注册商标专用权的商品第{number}号,《中华人民共和国商标法》第五十七条,罚款,罚款并没收侵权商品,{number % 90 / 10},{day},虚构市场监督管理局,11410100MB00000000,虚构市场监督管理局,一般"
        )
    return "\n".join(lines).encode()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--subjects", type=int, default=200_000)
    parser.add_argument("--rows", type=int, default=200_000)
    chosen = parser.parse_args()
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client as Browser

    from zhixin import City, load_rulebook
    from zhixin.law.loading import shipped_rulebooks
    from zhixin_web.collection.models import Batch
    from zhixin_web.collection.services.batches import commit, deliver, request_commit, stage
    from zhixin_web.evaluations.services import runs as services
    from zhixin_web.jobs import invariants
    from zhixin_web.records import search
    from zhixin_web.rulebooks.services import approval as rulebook_services

    sys.stdout.write(f"{connection.vendor}, {chosen.subjects:,} subjects, {chosen.rows:,} penalties\n")
    call_command("migrate", verbosity=0)
    table = City(chosen.subjects, 1).subject_table()
    people = make_people(str(table["subject_id"][0]))

    def take(source: str, content: bytes) -> Batch:
        batch, _ = deliver(source=source, file_name="b.csv", chunks=[content], way=Batch.Way.UPLOAD, by=people["city"])
        batch = stage(batch)
        request_commit(batch, people["city"])
        batch.refresh_from_db()
        return commit(batch)

    for name, content in subject_files(table):
        timed(f"import {name}", lambda name=name, content=content: take(name, content))
    file = penalties(table["subject_id"], table["name"], chosen.rows)
    batch = timed(f"import of {chosen.rows:,} penalties", lambda: take("penalties", file))
    assert batch.accepted == chosen.rows, (batch.accepted, batch.quarantined)
    release = rulebook_services.approve_rulebook(
        rulebook_services.propose_rulebook(load_rulebook(shipped_rulebooks() / "zhengzhou-ip"), people["city"]),
        people["approver"],
    )
    from django.utils import timezone

    run = timed(
        "evaluation run (snapshot, evaluate, draft)",
        lambda: services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"])),
    )
    propose_run(run, people["city"])
    run = timed("release", lambda: release_run(run, people["approver"]))
    timed("replay", lambda: replay(run))
    for query in ("宇通", "金恒", "zzjh", str(table["subject_id"][77])[9:14].lower(), "（虚构）"):
        median_of(f"search {query}", lambda query=query: search.find(query))
    browser = Browser()
    browser.force_login(people["city"])
    for address in (
        "/c/",
        "/c/sources",
        "/c/batches",
        "/c/quarantine",
        "/c/match",
        "/c/subjects",
        "/c/subjects?q=金恒",
        "/c/subjects?grade=D",
        f"/c/subjects/{table['subject_id'][7]}",
        "/c/runs",
        "/c/ledger",
    ):
        median_of(f"page {address}", lambda address=address: browser.get(address))
    findings = timed("check_invariants without replay", lambda: list(invariants.check(replays=0)))
    sys.stdout.write(f"  entries {findings[2].checked:,}, broken {sum(len(item.broken) for item in findings)}\n")


if __name__ == "__main__":
    main()
