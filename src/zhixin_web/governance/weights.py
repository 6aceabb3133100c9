"""Weights of dimensions: experts' sheets together, data-driven ones from a run, and both combined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from zhixin.analysis.weighting import Weights, combine, critic, entropy
from zhixin.dataset.sheets_and_encodings import quoted
from zhixin.errors import UsageError
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.governance.models import ExpertSheet, Panel

SAMPLE = 20_000


@dataclass(frozen=True)
class CombinedWeights:
    """Weights by dimension from experts, from data, and together; ``None`` where there is none yet."""

    experts: dict[str, float] | None
    objective: dict[str, float] | None
    together: dict[str, float] | None
    sheets: int


def objective_weights(rulebook: Rulebook, run: Run) -> dict[str, Any]:
    """Entropy and CRITIC weights of the dimensions on a run's points; a dimension in which nobody differs is named."""
    path = run_folder(run) / "contributions.parquet"
    dimension = {item.id: item.dimension for item in rulebook.indicators}
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT subject_id, indicator, points_milli FROM read_parquet({quoted(path)}) WHERE subject_id IN "
            f"(SELECT subject_id FROM read_parquet({quoted(run_folder(run) / 'grades.parquet')}) ORDER BY hash(subject_id) LIMIT {SAMPLE})"
        ).fetchall()
    names = [item.id for item in rulebook.dimensions]
    place = {name: number for number, name in enumerate(names)}
    subjects: dict[str, Any] = {}
    for subject, indicator, points in rows:
        if indicator in dimension and dimension[indicator] in place:
            subjects.setdefault(subject, np.zeros(len(names)))[place[dimension[indicator]]] += points
    table = np.array(list(subjects.values())) if subjects else np.zeros((0, len(names)))
    varying = [number for number in range(len(names)) if len(table) > 1 and np.ptp(table[:, number]) > 0]
    if len(varying) < 2:
        return {"weights": {}, "flat": names, "subjects": len(table)}
    kept = [names[number] for number in varying]
    try:
        both = combine(entropy(kept, table[:, varying]), critic(kept, table[:, varying]))
    except UsageError as error:
        return {"weights": {}, "flat": [], "subjects": len(table), "error": error.message.zh}
    flat = [name for name in names if name not in kept]
    return {"weights": dict(zip(both.names, both.values, strict=True)), "flat": flat, "subjects": len(table)}


def combined_weights(panel: Panel) -> CombinedWeights:
    """The experts' consistent sheets (geometric mean) combined with the data-driven weights of the panel."""
    sheets = list(ExpertSheet.objects.filter(panel=panel, is_consistent=True))
    experts: dict[str, float] | None = None
    if sheets:
        logs = np.log(np.maximum(np.array([sheet.weights for sheet in sheets]), 1e-9)).mean(axis=0)
        means = np.exp(logs) / np.exp(logs).sum()
        experts = dict(zip(panel.names, (float(value) for value in means), strict=True))
    objective = panel.objective.get("weights") or None
    if experts is None or objective is None:
        return CombinedWeights(experts, objective, experts, len(sheets))
    names = tuple(name for name in panel.names if name in objective)
    share = sum(experts[name] for name in names)
    subjective = Weights(names, tuple(experts[name] / share for name in names))
    together = combine(subjective, Weights(names, tuple(objective[name] for name in names)), panel.share_milli / 1000)
    scaled = {name: value * share for name, value in zip(together.names, together.values, strict=True)}
    return CombinedWeights(experts, objective, {name: scaled.get(name, experts[name]) for name in panel.names}, len(sheets))
