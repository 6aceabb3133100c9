"""Fault runs: kill −9 at named points and at random, immediate database restarts, repeats, two workers, a full disk.

``python benchmarks/faults.py --database sqlite|postgresql --kills N [--seed S] [--only import,release,…]`` (``make faults``).
Each trial forks a child that does one operation and is killed; another child does it again, as ``tick`` would; then the
database must hold what an undisturbed run gives: nothing acknowledged is lost, nothing is there twice. One line per
operation and fault; exit status 1 if anything is lost, doubled or different, with seed and trial to repeat it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from zhixin_web.accounts.demonstration_people import make_people
from zhixin_web.demonstration.city_files import subject_files

IMPORT_POINTS = (
    "import.received",
    "import.staged",
    "import.chunk",
    "ledger.appended",
    "import.before_commit",
    "import.after_commit",
)
RUN_POINTS = ("run.snapshot", "run.evaluated", "run.before_finish", "run.after_finish")
RELEASE_POINTS = ("ledger.appended", "release.before_commit", "release.after_commit")
SUBJECTS = 120
PORT = 5498


@dataclass
class Line:
    """The account of one operation under one fault."""

    name: str
    trials: int = 0
    killed: int = 0
    wrong: list[str] = field(default_factory=list)
    settle: Callable[[], Any] = lambda: None
    """Waits until what was disturbed is up again, before anything is checked."""

    def show(self) -> None:
        sys.stdout.write(
            f"{self.name:44} trials {self.trials:6,}  interrupted {self.killed:6,}  lost, doubled or different {len(self.wrong)}\n"
        )
        for text in self.wrong[:5]:
            sys.stdout.write(f"    {text}\n")
        sys.stdout.flush()


# --- children -------------------------------------------------------------------------------------------------------------


def forked(act: Callable[[], None], *, point: str = "", delay: float | None = None) -> bool:
    """Do something in a child; kill it at a named point or after a while. ``True``: it was killed."""
    from django.db import connections

    connections.close_all()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.environ["ZHIXIN_FAILPOINT"] = point
            act()
            connections.close_all()
            status = 0
        except BaseException as error:
            sys.stderr.write(f"child: {type(error).__name__}: {str(error)[:300]}\n")
        finally:
            os._exit(status)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def until_done(act: Callable[[], None], attempts: int = 40) -> None:
    """Try again while the database restarts: the outcome of what failed is unknown, so the same call is repeated."""
    from django.db import DatabaseError, InterfaceError, connections

    for attempt in range(attempts):
        try:
            act()
            return
        except (DatabaseError, InterfaceError):
            connections.close_all()
            time.sleep(0.05 * (attempt + 1))
    raise RuntimeError("the database did not come back")


# --- the ground ------------------------------------------------------------------------------------------------------------


class Ground:
    """A small city with a released rulebook and two finished runs to release in turn."""

    def __init__(self, seed: int) -> None:
        from django.core.management import call_command
        from django.utils import timezone

        from zhixin import City, load_rulebook
        from zhixin.law.loading import shipped_rulebooks
        from zhixin_web.evaluations.services import runs as services
        from zhixin_web.rulebooks.services import approval as rulebook_services

        call_command("migrate", verbosity=0)
        self.random = random.Random(seed)
        table = City(SUBJECTS, 5).subject_table()
        self.codes, self.names = table["subject_id"].to_list(), table["name"].to_list()
        self.people = make_people(self.codes[0])
        for name, content in subject_files(table):
            self.take(name, content)
        self.take("penalties", self.penalties(0, SUBJECTS))
        rulebook = load_rulebook(shipped_rulebooks() / "zhengzhou-ip")
        self.release = rulebook_services.approve_rulebook(
            rulebook_services.propose_rulebook(rulebook, self.people["city"]), self.people["approver"]
        )
        today = timezone.localdate()
        early = services.execute(services.start_run(self.release, as_of=today, by=self.people["city"], known_seq=SUBJECTS))
        self.model = services.execute(services.start_run(self.release, as_of=today, by=self.people["city"]))
        self.models = [early, self.model]
        assert all(run.status == "draft" for run in self.models), [run.error for run in self.models]

    def take(self, source: str, content: bytes) -> Any:
        from zhixin_web.collection.services import batches as services

        batch, _ = services.deliver(
            source=source, file_name="f.csv", chunks=[content], way="push", by=self.people["city"], automatic=True
        )
        return services.process(batch)

    def penalties(self, trial: int, rows: int = 30) -> bytes:
        """A delivery of its own: good rows, one repeated, one wrong."""
        head = "行政相对人名称,行政相对人类别,统一社会信用代码,行政处罚决定书文号,违法行为类型,违法事实,处罚依据,处罚类别,处罚内容,罚款金额,处罚决定日期,处罚机关"
        line = "{},法人及非法人组织,{},（虚构）{}-{},商标侵权,虚构,虚构,罚款,虚构,{},2026-0{}-1{},虚构机关"
        lines = [head]
        for number in range(rows):
            place = (trial * 31 + number) % SUBJECTS
            lines.append(
                line.format(self.names[place], self.codes[place], trial, number, number % 7 + 1, number % 9 + 1, number % 9)
            )
        return "\n".join([*lines, lines[1], lines[2].replace("2026-", "2026-13-")]).encode()


def check_batch(ground: Ground, content: bytes, rows: int = 30) -> str:
    """What is wrong with the outcome of a delivery; empty: nothing."""
    import hashlib

    from zhixin_web.collection.models import Batch, DuplicateRow, QuarantinedRow
    from zhixin_web.records.models import CreditRecord

    batches = list(Batch.objects.filter(sha256=hashlib.sha256(content).hexdigest()))
    if len(batches) != 1:
        return f"{len(batches)} batches"
    batch = batches[0]
    found = (batch.status, batch.rows, batch.accepted, batch.duplicates, batch.quarantined)
    if found != ("committed", rows + 2, rows, 1, 1):
        return f"batch {batch.pk}: {found}"
    counts = [model.objects.filter(batch=batch).count() for model in (CreditRecord, DuplicateRow, QuarantinedRow)]
    keys = CreditRecord.objects.filter(batch=batch).values("key").distinct().count()
    return "" if (counts, keys) == ([rows, 1, 1], rows) else f"batch {batch.pk}: {counts}, {keys} keys"


# --- operations ------------------------------------------------------------------------------------------------------------


def import_trial(ground: Ground, trial: int, line: Line, fault: dict[str, Any]) -> None:
    content = ground.penalties(trial)
    line.killed += forked(lambda: until_done(lambda: ground.take("penalties", content) and None), **fault)
    forked(lambda: until_done(lambda: ground.take("penalties", content) and None))
    line.settle()
    wrong = check_batch(ground, content)
    if wrong:
        line.wrong.append(f"trial {trial} {fault}: {wrong}")


def run_trial(ground: Ground, trial: int, line: Line, fault: dict[str, Any]) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from zhixin_web.evaluations.models import Run
    from zhixin_web.evaluations.services import runs as services

    run = services.start_run(
        ground.release, as_of=ground.model.as_of, by=ground.people["city"], known_seq=ground.model.known_seq
    )
    line.killed += forked(lambda: until_done(lambda: services.execute(Run.objects.get(pk=run.pk)) and None), **fault)
    Run.objects.filter(pk=run.pk, status="running").update(heartbeat_at=timezone.now() - timedelta(hours=1))
    forked(lambda: until_done(lambda: services.execute(Run.objects.get(pk=run.pk)) and None))
    run.refresh_from_db()
    same = (run.result_sha256, run.grades_sha256, run.contributions_sha256) == (
        ground.model.result_sha256,
        ground.model.grades_sha256,
        ground.model.contributions_sha256,
    )
    if run.status != "draft" or not same:
        line.wrong.append(f"trial {trial} {fault}: run {run.pk} is {run.status} {run.error[:200]}")
    for path in (Path(os.environ["ZHIXIN_VAR"]) / "runs").glob(f"{run.pk}-*"):
        shutil.rmtree(path, ignore_errors=True)


def release_trial(ground: Ground, trial: int, line: Line, fault: dict[str, Any]) -> None:
    from zhixin_web.audit.models import LedgerEntry
    from zhixin_web.evaluations.models import CurrentGrade, Run
    from zhixin_web.evaluations.services import runs as services
    from zhixin_web.evaluations.snapshots import read_grades, run_folder

    run = Run.objects.get(pk=ground.models[trial % 2].pk)
    run.pk = run.id = None
    run.status, run.proposed_by = "proposed", ground.people["city"]
    run.save(force_insert=True)
    approver = ground.people["approver"]
    line.killed += forked(
        lambda: until_done(lambda: services.release_run(Run.objects.get(pk=run.pk), approver) and None), **fault
    )
    forked(lambda: until_done(lambda: services.release_run(Run.objects.get(pk=run.pk), approver) and None))
    line.settle()
    run.refresh_from_db()
    entries = LedgerEntry.objects.filter(kind="grade.publish", ref=f"run:{run.pk}").count()
    expected = {row["subject_id"]: row["grade"] for row in read_grades(run_folder(run))}
    held = dict(CurrentGrade.objects.values_list("subject__code", "grade"))
    if (run.status, entries) != ("released", 1) or held != expected:
        line.wrong.append(
            f"trial {trial} {fault}: run {run.pk} is {run.status}, {entries} entries, grades equal {held == expected}"
        )


Trial = Callable[[Ground, int, Line, dict[str, Any]], None]
OPERATIONS: dict[str, tuple[Trial, tuple[str, ...], float]] = {
    "import": (import_trial, IMPORT_POINTS, 0.12),
    "evaluation": (run_trial, RUN_POINTS, 1.6),
    "release": (release_trial, RELEASE_POINTS, 0.12),
}


def kills(ground: Ground, name: str, count: int, first: int) -> list[Line]:
    """Half of the kills at named points in turn, half at random moments."""
    trial, points, longest = OPERATIONS[name]
    named, chance = Line(f"{name}: kill -9 at named points"), Line(f"{name}: kill -9 at random moments")
    for number in range(count):
        if number % 2:
            trial(ground, first + number, chance, {"delay": ground.random.random() * longest})
            chance.trials += 1
        else:
            trial(ground, first + number, named, {"point": points[number // 2 % len(points)]})
            named.trials += 1
    return [named, chance]


def _wait_for(restarting: subprocess.Popen[bytes]) -> None:
    from django.db import connections

    restarting.wait()
    connections.close_all()


def restarts(ground: Ground, name: str, count: int, first: int, cluster: Cluster) -> Line:
    """Immediate restarts of the database while a child works; the child repeats its call until it is through."""
    trial, _, longest = OPERATIONS[name]
    line = Line(f"{name}: immediate database restart")
    for number in range(count):
        restarting = cluster.restart_later(ground.random.random() * longest)
        line.settle = partial(_wait_for, restarting)
        until_done(lambda number=number: trial(ground, first + number, line, {}))  # type: ignore[misc]
        restarting.wait()
        line.trials += 1
        line.killed += 1
    return line


def repeats(ground: Ground, count: int, first: int) -> Line:
    """Every delivery sent one to five times in random order by two senders at once."""
    line = Line("deliveries 1-5 times, any order, 2 senders")
    contents = [ground.penalties(first + number) for number in range(count)]
    sent = [content for content in contents for _ in range(ground.random.randint(1, 5))]
    ground.random.shuffle(sent)

    def sender(part: list[bytes]) -> Callable[[], None]:
        return lambda: (
            [until_done(lambda content=content: ground.take("penalties", content) and None) for content in part] and None
        )  # type: ignore[misc]

    children = []
    from django.db import connections

    connections.close_all()
    for part in (sent[::2], sent[1::2]):
        child = os.fork()
        if child == 0:
            sender(part)()
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    line.trials, line.killed = len(sent), 0
    line.wrong = [wrong for content in contents if (wrong := check_batch(ground, content))]
    return line


def two_workers(ground: Ground, count: int, first: int) -> Line:
    """Two workers take the same batch at the same moment."""
    from zhixin_web.collection.services import batches as services

    line = Line("two workers on one batch")
    for number in range(count):
        content = ground.penalties(first + number)
        batch, _ = services.deliver(
            source="penalties", file_name="f.csv", chunks=[content], way="push", by=ground.people["city"], automatic=True
        )
        from django.db import connections

        connections.close_all()
        children = []
        for _worker in range(2):
            child = os.fork()
            if child == 0:
                until_done(lambda batch=batch: services.process(batch) and None)  # type: ignore[misc]
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        line.trials += 1
        wrong = check_batch(ground, content)
        if wrong:
            line.wrong.append(f"trial {number}: {wrong}")
    return line


# --- PostgreSQL of our own -----------------------------------------------------------------------------------------------------


class Cluster:
    """A database cluster that may be shot: run as the postgres user on another port, removed at the end."""

    def __init__(self) -> None:
        self.bin = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.folder = Path(tempfile.mkdtemp(prefix="zhixin-pg-"))
        shutil.chown(self.folder, "postgres", "postgres")
        self._do(f"{self.bin}/initdb -D {self.folder}/data -A trust -U postgres -E UTF8 --locale C.UTF-8 >/dev/null")
        self._do(
            f"{self.bin}/pg_ctl -D {self.folder}/data -o '-p {PORT} -k {self.folder}' -l {self.folder}/log -w start >/dev/null"
        )
        self._do(f"{self.bin}/createdb -h 127.0.0.1 -p {PORT} zhixin")

    def _command(self, command: str) -> list[str]:
        return ["su", "postgres", "-s", "/bin/sh", "-c", command]

    def _do(self, command: str) -> None:
        subprocess.run(self._command(command), check=True)

    def restart_later(self, delay: float) -> subprocess.Popen[bytes]:
        command = f"sleep {delay:.3f}; {self.bin}/pg_ctl -D {self.folder}/data -o '-p {PORT} -k {self.folder}' -l {self.folder}/log -m immediate -w restart >/dev/null"
        return subprocess.Popen(self._command(command))

    def remove(self) -> None:
        subprocess.run(self._command(f"{self.bin}/pg_ctl -D {self.folder}/data -m immediate stop >/dev/null"), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


# --- a full disk -----------------------------------------------------------------------------------------------------------------


def full_disk(ground: Ground, sizes: int, first: int) -> Line:
    """Fill the data folder's small tmpfs so that an import fails on the way; give room; do it again."""
    folder = os.environ["ZHIXIN_VAR"]
    line = Line("import: disk full on a small tmpfs")
    for number in range(sizes):
        content = ground.penalties(first + number, rows=2_000)
        free = shutil.disk_usage(folder).free
        filler = Path(folder) / "filler"
        left = int(ground.random.random() * 3_000_000)
        with filler.open("wb") as file:
            file.truncate(0)
            os.posix_fallocate(file.fileno(), 0, max(free - left, 1))
        try:
            ground.take("penalties", content)
        except Exception as error:
            line.killed += 1
            if not any(word in str(error) for word in ("full", "space", "I/O")):
                line.wrong.append(f"trial {number}: an unclear error: {error}")
        from django.db import connections

        connections.close_all()
        filler.unlink()
        ground.take("penalties", content)
        line.trials += 1
        wrong = check_batch(ground, content, rows=2_000)
        if wrong:
            line.wrong.append(f"trial {number}: {wrong}")
    return line


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="import,evaluation,release,repeats,workers,disk")
    chosen = parser.parse_args()
    wanted = set(chosen.only.split(","))
    folder = Path(tempfile.mkdtemp(prefix="zhixin-faults-"))
    small = "disk" in wanted and chosen.database == "sqlite" and os.geteuid() == 0
    if small:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)], check=True)
    os.environ |= {"DJANGO_SETTINGS_MODULE": "zhixin_web.settings", "ZHIXIN_DEMO": "1", "ZHIXIN_VAR": str(folder)}
    os.environ.pop("DATABASE_URL", None)
    cluster = None
    if chosen.database == "postgresql":
        cluster = Cluster()
        os.environ["DATABASE_URL"] = f"postgresql://postgres@127.0.0.1:{PORT}/zhixin"
    try:
        return _all(chosen, wanted, cluster, small)
    finally:
        if cluster is not None:
            cluster.remove()
        if small:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _all(chosen: argparse.Namespace, wanted: set[str], cluster: Cluster | None, small: bool) -> int:
    import django

    django.setup()
    ground = Ground(chosen.seed)
    lines: list[Line] = []
    first = 1
    sys.stdout.write(f"{chosen.database}, seed {chosen.seed}\n")
    for name in OPERATIONS:
        if name in wanted:
            made = (
                [restarts(ground, name, chosen.kills, first, cluster)]
                if cluster
                else kills(ground, name, chosen.kills, first)
            )
            first += chosen.kills
            lines += made
            for line in made:
                line.show()
    others: list[tuple[str, Callable[[], Line]]] = [
        ("repeats", lambda: repeats(ground, max(chosen.kills // 5, 10), 10**6)),
        ("workers", lambda: two_workers(ground, max(chosen.kills // 10, 10), 2 * 10**6)),
    ]
    if small:
        others.append(("disk", lambda: full_disk(ground, max(chosen.kills // 25, 10), 3 * 10**6)))
    for name, act in others:
        if name in wanted:
            lines.append(act())
            lines[-1].show()
    from zhixin_web.jobs import invariants

    broken = Counter({finding.name: len(finding.broken) for finding in invariants.check(replays=2)})
    sys.stdout.write(f"invariants: {sum(broken.values())} broken of {len(broken)}\n")
    return 1 if any(line.wrong for line in lines) or sum(broken.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
