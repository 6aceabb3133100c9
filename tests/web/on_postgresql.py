"""Runs the web tests on PostgreSQL as well; says so and goes on where there is none (fails under ZHIXIN_REQUIRE_ALL=1)."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg

ELSEWHERE = (
    "articles", "bad_files", "dirty_deliveries", "environment", "fairness_page", "old_excel", "papers", "portal_bad_input", "sources", "tick", "translations",
)  # fmt: skip
"""Files whose subject is no database (texts, readers, archives read by DuckDB): once on SQLite is enough."""
ADDRESS = os.environ.get("ZHIXIN_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")


def main() -> int:
    try:
        psycopg.connect(ADDRESS, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        print(f"web tests on PostgreSQL skipped: {error}")  # noqa: T201
        return 1 if os.environ.get("ZHIXIN_REQUIRE_ALL") == "1" else 0
    folder = str(Path(__file__).parent)
    left_out = [f"--ignore={folder}/test_{name}.py" for name in ELSEWHERE]
    return subprocess.call(
        [sys.executable, "-m", "pytest", folder, "-m", "not long", "-n", "auto", "--dist", "worksteal", *left_out],
        env=os.environ | {"DATABASE_URL": ADDRESS},
    )


if __name__ == "__main__":
    sys.exit(main())
