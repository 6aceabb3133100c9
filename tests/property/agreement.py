"""Comparing what two engines say about the same subjects, to the last thousandth."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from strategies import SUBJECTS, Dataset, datasets, rulebooks
from zhixin.evaluation.engines.contract import Engine
from zhixin.evaluation.evaluation import Contribution, Evaluation
from zhixin.evaluation.interpreter.interpreter import Interpreter
from zhixin.evaluation.outcome import Outcome
from zhixin.evaluation.tables_evaluation import evaluate_tables
from zhixin.law.loading import dump_rulebook
from zhixin.law.rulebook import Rulebook

RESULT = (
    "subject_id",
    "class_mask",
    "start_milli",
    "implied_milli",
    "score_milli",
    "ladder_grade",
    "grade",
    "step",
    "acted",
)


class Drawn:
    """A rulebook and facts, with a short repr: Hypothesis would print tens of kilobytes, and warn of it."""

    def __init__(self, rulebook: Rulebook, dataset: Dataset) -> None:
        self.rulebook = rulebook
        self.dataset = dataset

    def __repr__(self) -> str:
        return f"Drawn({self.rulebook.sha256[:8]}, {self.dataset.moment})"


@st.composite
def drawn(draw: Any, size: int = SUBJECTS) -> Drawn:
    """A rulebook and facts, composed so that Hypothesis shows them by their own repr."""
    return Drawn(draw(rulebooks()), draw(datasets(size)))


def interpreted(rulebook: Rulebook, dataset: Dataset) -> dict[str, Evaluation]:
    """What the interpreter says, by subject."""
    interpreter = Interpreter(rulebook.at(dataset.moment.as_of), dataset.moment)
    return {facts.subject_id: interpreter.evaluate(facts) for facts in dataset.everyone()}


def compiled(rulebook: Rulebook, dataset: Dataset, engine: Engine) -> dict[str, Evaluation]:
    """What a compiled engine says, by subject.

    Read from the outcome here and not by ``evaluate_facts``: links may run in circles and have dates, which facts of
    single subjects cannot carry.
    """
    return evaluations(evaluate_tables(rulebook, dataset.tables(rulebook), dataset.moment, engine=engine))


def evaluations(outcome: Outcome) -> dict[str, Evaluation]:
    """An outcome, read whole, by subject."""
    grades = [row for batch in outcome.grades() for row in batch.to_pylist()]
    given: dict[str, list[Contribution]] = {row["subject_id"]: [] for row in grades}
    for batch in outcome.contributions():
        for row in batch.to_pylist():
            numbers = tuple(row.pop("record_nos") or ())
            given[row.pop("subject_id")].append(Contribution(**row, record_nos=numbers))
    return {
        row["subject_id"]: Evaluation(**{name: row[name] for name in RESULT}, contributions=tuple(given[row["subject_id"]]))
        for row in grades
    }


def comparable(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain values that two engines must share; fractions in lowest terms, contributions by name."""
    values: dict[str, Any] = {name: getattr(evaluation, name) for name in RESULT}
    for item in evaluation.contributions:
        name = f"contribution {item.indicator}"
        assert name not in values, f"{item.indicator} contributes twice to {evaluation.subject_id}"
        measured = None if item.value_num is None else Fraction(item.value_num, item.value_den or 0)
        values[name] = (measured, item.points_milli, item.uncapped_milli, item.record_nos)
    return values


def differences(expected: dict[str, Evaluation], found: dict[str, Evaluation]) -> list[str]:
    """Every value on which two engines differ, one line each."""
    lines = [f"only one engine has {name}" for name in sorted(set(expected) ^ set(found))]
    for subject in sorted(set(expected) & set(found)):
        left, right = comparable(expected[subject]), comparable(found[subject])
        lines += [
            f"{subject} {name}: interpreter {left.get(name)}, compiled {right.get(name)}"
            for name in sorted({*left, *right})
            if left.get(name) != right.get(name)
        ]
    return lines


def adds_up(evaluation: Evaluation) -> bool:
    """Whether start, implied points and contributions give the score exactly."""
    given = sum(item.points_milli for item in evaluation.contributions)
    return evaluation.start_milli + evaluation.implied_milli + given == evaluation.score_milli


def disagreement(example: Drawn, expected: dict[str, Evaluation], found: dict[str, Evaluation]) -> str:
    """Empty where two engines agree and their rows add up; otherwise what differs, and all that repeats it."""
    lines = differences(expected, found)
    lines += [f"{item.subject_id} does not add up" for item in (*expected.values(), *found.values()) if not adds_up(item)]
    if not lines:
        return ""
    touched = {line.split()[0] for line in lines}
    facts = [repr(item) for item in example.dataset.subjects if item.subject_id in touched]
    return "\n".join(
        [*lines, dump_rulebook(example.rulebook), repr(example.dataset.moment), *facts, repr(example.dataset.links)]
    )
