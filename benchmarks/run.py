"""The whole benchmark, ratios in one run: ``make bench`` (about 15 minutes, 6 GB of memory, .bench/ for data).

Every measurement is a process of its own: warm-up on a small city, then five repeats, of which the medians count. CPU is
user plus system time of the process; a wall time on a shared machine says little.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT / ".bench"
AS_OF = date(2026, 11, 1)
REPEATS = 5
LIMIT = """
SELECT subject_no, count(*) FROM read_parquet('{}')
WHERE decided_on >= DATE '2021-11-02' AND (revoked_on IS NULL OR revoked_on > DATE '2026-11-01')
  AND (repaired_on IS NULL OR repaired_on > DATE '2026-11-01') AND kind <> '' AND (severity IS NULL OR severity <> '')
  AND (valid_until IS NULL OR valid_until > DATE '1990-01-01') AND (corrected_on IS NULL OR corrected_on > DATE '1990-01-01')
  AND (amount IS NULL OR amount >= 0) AND (is_first_offence IS NULL OR is_first_offence IN (true, false))
GROUP BY subject_no
"""
"""Scan the columns the rulebook needs, filter, count by subject."""


def city(subjects: int) -> Path:
    """A fictional city, made once under .bench/."""
    from zhixin.fiction.city import City

    folder = DATA / f"city{subjects}"
    if not (folder / "dataset.json").is_file():
        City(subjects, 7, AS_OF).write(folder)
    return folder


def measured(work: Callable[[], Any], repeats: int = REPEATS) -> dict[str, float]:
    """Medians of wall and CPU seconds, and the peak memory of the process in GB."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"wall": median(walls), "cpu": median(cpus), "peak_gb": peak}


# --- what is measured, each in its own process ---


def limit(subjects: int) -> dict[str, float]:
    import duckdb

    connection = duckdb.connect()
    query = LIMIT.format(city(subjects) / "records.parquet")
    return measured(lambda: connection.execute(f"CREATE OR REPLACE TEMP TABLE counted AS {query}"))


def ours(subjects: int, *, evidence: bool = False, twins: bool = False, engine: str = "polars") -> dict[str, float]:
    """The whole run: read, evaluate, write grades and sparse contributions, seal."""
    from zhixin.evaluation.engines.choice import open_engine
    from zhixin.evaluation.run import evaluate
    from zhixin.law.loading import load_rulebook

    rulebook = load_rulebook("zhengzhou-ip")
    if twins:
        rulebook = doubled(rulebook)
    folder, out = city(subjects), DATA / "run"

    def work() -> None:
        evaluate(rulebook, folder, out, AS_OF, evidence=evidence, engine=open_engine(engine, folder=DATA / "spill"))

    measured(lambda: evaluate(rulebook, city(20_000), out, AS_OF, evidence=evidence), 1)
    return measured(work)


def doubled(rulebook: Any) -> Any:
    """Twice the indicators: a twin of each over record kinds and attributes that never occur."""
    from zhixin.law.rulebook import Rulebook

    content = rulebook.dump()

    def twin(node: Any) -> Any:
        if isinstance(node, list):
            return [twin(item) for item in node]
        if not isinstance(node, dict):
            return node
        changed = {key: twin(value) for key, value in node.items()}
        if "kinds" in node:
            changed["kinds"] = [f"twin.{kind}" for kind in node["kinds"]]
        if node.get("type") in ("attribute", "age"):
            changed["id"] = f"{node['id']}_twin"
        if node.get("type") == "clean_years":
            changed["since"] = f"{node['since']}_twin"
        if node.get("type") == "categories":
            changed["attribute"] = f"{node['attribute']}_twin"
        return changed

    content["catalogue"] += [{**kind, "id": f"twin.{kind['id']}"} for kind in content["catalogue"]]
    content["attributes"] += [{**item, "id": f"{item['id']}_twin"} for item in content["attributes"]]
    content["indicators"] += [{**twin(item), "id": f"{item['id']}_twin"} for item in content["indicators"]]
    return Rulebook.model_validate_json(json.dumps(content))


def incremental(subjects: int) -> dict[str, float]:
    """Re-evaluate the subjects of 1,000 records drawn at random, from files mapped into memory, from tables in memory and from
    Parquet; rows must equal those of the full run.
    """
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from zhixin.dataset.reading import read_table
    from zhixin.evaluation.mapped import hold
    from zhixin.evaluation.plan.whole_columns import columns_for
    from zhixin.evaluation.run import evaluate, reevaluate
    from zhixin.law.loading import load_rulebook

    rulebook, folder = load_rulebook("zhengzhou-ip"), city(subjects)
    run = evaluate(rulebook, folder, DATA / "run", AS_OF)
    full = measured(lambda: evaluate(rulebook, folder, DATA / "run", AS_OF), 3)
    holders = pq.read_table(folder / "records.parquet", columns=["subject_no"])["subject_no"].to_numpy()
    touched = np.unique(holders[np.random.default_rng(1).integers(0, len(holders), 1000)])
    share = float(np.isin(holders, touched).mean())
    used = columns_for(rulebook, run.moment).inputs
    held = run.tables._replace(
        subjects=read_table(run.tables.subjects, columns=used["subjects"]),
        records=read_table(run.tables.records, columns=used["records"]),
        relations=read_table(run.tables.relations),
    )
    shutil.rmtree(DATA / "held", ignore_errors=True)
    made = measured(lambda: hold(run.tables, rulebook, run.moment, DATA / "held"), 1)
    mapped = hold(run.tables, rulebook, run.moment, DATA / "held")
    sources = {"mapped": mapped, "memory": held, "parquet": run.tables}
    measured(lambda: reevaluate(rulebook, mapped, run.moment, touched.tolist()), 2)
    found = {
        name: measured(lambda tables=tables: reevaluate(rulebook, tables, run.moment, touched.tolist()))  # type: ignore[misc]
        for name, tables in sources.items()
    }
    first, *others = [reevaluate(rulebook, tables, run.moment, touched.tolist()) for tables in sources.values()]
    assert all(one.equals(same) for other in others for one, same in zip(first, other, strict=True))
    grades, contributions = first
    for name, rows in (("grades", grades), ("contributions", contributions)):
        whole = pq.read_table(run.path / f"{name}.parquet")
        assert whole.filter(pc.is_in(whole["subject_id"], grades["subject_id"].combine_chunks())).equals(rows), name
    return {
        "subjects": len(touched),
        "share": share,
        "cpu": found["mapped"]["cpu"],
        "full_cpu": full["cpu"],
        "hold_cpu": made["cpu"],
        **{f"part_of_full_{name}": item["cpu"] / full["cpu"] for name, item in found.items()},
    }


def explaining(subjects: int) -> dict[str, float]:
    """Explain single subjects of a finished run after start-up, the five with most records among them; prepare once more
    from the cache.
    """
    import numpy as np
    import pyarrow.parquet as pq

    from zhixin.evaluation.plan.whole_columns import columns_for
    from zhixin.evaluation.run import evaluate
    from zhixin.explanation.explanation import explain_run
    from zhixin.law.loading import load_rulebook

    run = evaluate(load_rulebook("zhengzhou-ip"), city(subjects), DATA / "run", AS_OF)
    ids = pq.read_table(run.path / "grades.parquet", columns=["subject_id"])["subject_id"].to_pylist()
    holders = pq.read_table(city(subjects) / "records.parquet", columns=["subject_no"])["subject_no"].to_numpy()
    busiest = np.argsort(-np.bincount(holders, minlength=len(ids)))[:5].tolist()
    explain_run(run, ids[1])
    times = []
    for place in [*range(0, len(ids), len(ids) // 21), *busiest]:
        start = time.perf_counter()
        explain_run(run, ids[place])
        times.append(time.perf_counter() - start)
    rulebook = load_rulebook("zhengzhou-ip")
    start = time.perf_counter()
    columns_for(rulebook, run.moment)
    return {"p50": median(times), "worst": max(times), "cached_compile": time.perf_counter() - start}


def peer(name: str, subjects: int) -> dict[str, float]:
    """One hand-written peer, to the very end."""
    sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))
    from measure import task

    out = DATA / "peer"
    measured(task(name, city(20_000), out), 1)
    return measured(task(name, city(subjects), out), 3 if name in ("pandas_peer", "duckdb_peer") else REPEATS)


def spark_equals(subjects: int) -> dict[str, float]:
    """The same rows on PySpark local[2]: the hashes of both tables."""
    from zhixin.evaluation.engines.spark import SparkEngine
    from zhixin.evaluation.run import evaluate
    from zhixin.law.loading import load_rulebook

    rulebook, folder = load_rulebook("zhengzhou-ip"), city(subjects)
    one = evaluate(rulebook, folder, DATA / "run", AS_OF)
    start = time.perf_counter()
    other = evaluate(rulebook, folder, DATA / "spark", AS_OF, engine=SparkEngine())
    return {"equal": float(one.info["outputs"] == other.info["outputs"]), "wall": time.perf_counter() - start}


TASKS: dict[str, Callable[[], dict[str, float]]] = {
    "limit 2M": lambda: limit(2_000_000),
    "ours 200k": lambda: ours(200_000),
    "ours 2M": lambda: ours(2_000_000),
    "ours 2M with evidence": lambda: ours(2_000_000, evidence=True),
    "ours 2M, DuckDB only": lambda: ours(2_000_000, engine="duckdb"),
    "ours 2M, indicators doubled": lambda: ours(2_000_000, twins=True),
    "polars by hand 2M": lambda: peer("polars_peer", 2_000_000),
    "openfisca 2M": lambda: peer("openfisca_peer", 2_000_000),
    "duckdb by hand 2M": lambda: peer("duckdb_peer", 2_000_000),
    "pandas 2M": lambda: peer("pandas_peer", 2_000_000),
    "zen-engine (5,000 subjects)": lambda: peer("zen_peer", 200_000),
    "interpreter (5,000 subjects)": lambda: peer("interpreter_peer", 200_000),
    "incremental 2M": lambda: incremental(2_000_000),
    "explain 2M": lambda: explaining(2_000_000),
    "spark 20k": lambda: spark_equals(20_000),
    "spark 200k": lambda: spark_equals(200_000),
}


def main() -> None:
    DATA.mkdir(exist_ok=True)
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(TASKS[sys.argv[1]]()) + "\n")
        return
    for subjects in (20_000, 200_000, 2_000_000):
        city(subjects)
    results = {}
    for name in TASKS:
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True)
        if done.returncode:
            sys.stdout.write(f"{name}: failed\n{done.stderr[-2000:]}\n")
            continue
        results[name] = json.loads(done.stdout.strip().splitlines()[-1])
        shown = "  ".join(f"{key} {value:.3f}" for key, value in results[name].items())
        sys.stdout.write(f"{name:32s} {shown}\n")
        sys.stdout.flush()
    (DATA / "results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
