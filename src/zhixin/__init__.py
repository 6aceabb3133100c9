"""Zhixin (知信): credit rulebooks as data, evaluated exactly, explained, and run on real input.

These names are public; everything else may change without notice.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhixin.analysis.comparison import Comparison, compare
    from zhixin.analysis.validity_of_grades import Validity
    from zhixin.analysis.weighting import Weights, ahp, combine, critic, entropy
    from zhixin.analysis.worked_examples import load_cases, run_cases
    from zhixin.dataset.acceptance import Report, accept
    from zhixin.dataset.facts import Facts, Previous
    from zhixin.dataset.identity import check_patent_number, check_uscc
    from zhixin.dataset.snapshot import open_snapshot
    from zhixin.dataset.tables import Tables
    from zhixin.errors import Fault, ZhixinError
    from zhixin.evaluation.archive import RunFolder, facts_of
    from zhixin.evaluation.evaluation import Contribution, Evaluation
    from zhixin.evaluation.interpreter.interpreter import Interpreter
    from zhixin.evaluation.mapped import hold
    from zhixin.evaluation.run import evaluate, reevaluate
    from zhixin.explanation.explanation import explain_run as explain
    from zhixin.explanation.outlook import Outlook
    from zhixin.fiction.city import City
    from zhixin.law.loading import check_file, dump_rulebook, json_schema, load_rulebook
    from zhixin.law.moment_and_windows import Moment
    from zhixin.law.moment_and_windows import Moment as Horizon
    from zhixin.law.rulebook import Rulebook

__all__ = [
    "City",
    "Comparison",
    "Contribution",
    "Evaluation",
    "Facts",
    "Fault",
    "Horizon",
    "Moment",
    "Interpreter",
    "Outlook",
    "Previous",
    "Report",
    "Rulebook",
    "RunFolder",
    "Tables",
    "Validity",
    "Weights",
    "ZhixinError",
    "accept",
    "ahp",
    "check_file",
    "check_patent_number",
    "check_uscc",
    "combine",
    "compare",
    "critic",
    "dump_rulebook",
    "entropy",
    "evaluate",
    "explain",
    "facts_of",
    "hold",
    "json_schema",
    "load_cases",
    "load_rulebook",
    "open_snapshot",
    "reevaluate",
    "run_cases",
]

_HOMES = {
    "City": ("zhixin.fiction.city", "City"),
    "Comparison": ("zhixin.analysis.comparison", "Comparison"),
    "Contribution": ("zhixin.evaluation.evaluation", "Contribution"),
    "Evaluation": ("zhixin.evaluation.evaluation", "Evaluation"),
    "Facts": ("zhixin.dataset.facts", "Facts"),
    "Fault": ("zhixin.errors", "Fault"),
    "Horizon": ("zhixin.law.moment_and_windows", "Moment"),
    "Moment": ("zhixin.law.moment_and_windows", "Moment"),
    "Interpreter": ("zhixin.evaluation.interpreter.interpreter", "Interpreter"),
    "Outlook": ("zhixin.explanation.outlook", "Outlook"),
    "Previous": ("zhixin.dataset.facts", "Previous"),
    "Report": ("zhixin.dataset.acceptance", "Report"),
    "Rulebook": ("zhixin.law.rulebook", "Rulebook"),
    "RunFolder": ("zhixin.evaluation.archive", "RunFolder"),
    "Tables": ("zhixin.dataset.tables", "Tables"),
    "Validity": ("zhixin.analysis.validity_of_grades", "Validity"),
    "Weights": ("zhixin.analysis.weighting", "Weights"),
    "ZhixinError": ("zhixin.errors", "ZhixinError"),
    "accept": ("zhixin.dataset.acceptance", "accept"),
    "ahp": ("zhixin.analysis.weighting", "ahp"),
    "check_file": ("zhixin.law.loading", "check_file"),
    "check_patent_number": ("zhixin.dataset.identity", "check_patent_number"),
    "check_uscc": ("zhixin.dataset.identity", "check_uscc"),
    "combine": ("zhixin.analysis.weighting", "combine"),
    "compare": ("zhixin.analysis.comparison", "compare"),
    "critic": ("zhixin.analysis.weighting", "critic"),
    "dump_rulebook": ("zhixin.law.loading", "dump_rulebook"),
    "entropy": ("zhixin.analysis.weighting", "entropy"),
    "evaluate": ("zhixin.evaluation.run", "evaluate"),
    "explain": ("zhixin.explanation.explanation", "explain_run"),
    "facts_of": ("zhixin.evaluation.archive", "facts_of"),
    "hold": ("zhixin.evaluation.mapped", "hold"),
    "json_schema": ("zhixin.law.loading", "json_schema"),
    "load_cases": ("zhixin.analysis.worked_examples", "load_cases"),
    "load_rulebook": ("zhixin.law.loading", "load_rulebook"),
    "open_snapshot": ("zhixin.dataset.snapshot", "open_snapshot"),
    "reevaluate": ("zhixin.evaluation.run", "reevaluate"),
    "run_cases": ("zhixin.analysis.worked_examples", "run_cases"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the signing process and the web workers need few of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'zhixin' has no attribute {name!r}")
    module, inner = _HOMES[name]
    value = getattr(import_module(module), inner)
    globals()[name] = value
    return value
