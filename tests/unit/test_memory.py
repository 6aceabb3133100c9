"""Memory stays bounded: a CSV file is read in pieces, never whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from unit.writing import uscc

LIMIT_KIB = 900 * 1024
ACCEPT = """
import sys
from datetime import date
from pathlib import Path
from zhixin.dataset.acceptance import accept
from zhixin.law.loading import load_rulebook
report = accept(load_rulebook("zhengzhou-ip"), Path(sys.argv[1]), Path(sys.argv[2]), date(2026, 11, 24))
table = report.tables["records"]
status = Path("/proc/self/status").read_text()  # not getrusage: its maximum is inherited from the process that forked
peak = int(status.split("VmHWM:")[1].split()[0])
numbers = table.rows, table.accepted, table.quarantined, peak
print(*numbers, file=sys.stderr)
"""


def write_records(folder: Path, count: int) -> None:
    subjects = max(count // 50, 1)
    codes = [uscc(number) for number in range(subjects)]
    folder.mkdir()
    (folder / "subjects.csv").write_text("subject_id\n" + "\n".join(codes) + "\n", encoding="utf-8")
    with (folder / "records.csv").open("w", encoding="utf-8") as file:
        file.write("record_id,subject_id,kind,decided_on,document,amount,severity\n")
        for number in range(count):
            day = f"20{10 + number % 16}-{number % 12 + 1:02}-{number % 28 + 1:02}"
            amount = "-1" if number % 1000 == 7 else f"{number}.{number % 100:02}"
            file.write(
                f"R{number:09},{codes[number * 7919 % subjects]},judgment.lost,{day},（虚构）{number}号,{amount},minor\n"
            )


class Accepted(NamedTuple):
    """What a process that accepted a dataset needed and printed."""

    peak_kib: int
    printed: str


def accepted_in_a_process(tmp_path: Path, count: int) -> Accepted:
    write_records(tmp_path / "in", count)
    command = [sys.executable, "-W", "ignore", "-c", ACCEPT, str(tmp_path / "in"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    rows, accepted, quarantined, peak = map(int, done.stderr.split())
    spoilt = sum(number % 1000 == 7 for number in range(count))
    assert (rows, accepted, quarantined) == (count, count - spoilt, spoilt)
    return Accepted(peak, done.stdout)


def test_a_file_of_several_batches_stays_below_the_limit(tmp_path: Path) -> None:
    found = accepted_in_a_process(tmp_path, 51_000)
    assert found.peak_kib < LIMIT_KIB
    assert found.printed == ""


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Accepted:
    return accepted_in_a_process(tmp_path_factory.mktemp("million"), 1_000_000)


at_length = pytest.mark.skipif(os.environ.get("ZHIXIN_LONG") != "1", reason="set ZHIXIN_LONG=1 to accept a million rows")


@pytest.mark.long
@at_length
def test_a_million_rows_stay_below_the_limit(million: Accepted) -> None:
    assert million.peak_kib < LIMIT_KIB


@pytest.mark.long
@at_length
def test_nothing_is_printed_over_the_output_of_the_caller(million: Accepted) -> None:
    assert million.printed == ""
