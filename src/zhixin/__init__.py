"""Zhixin (知信): credit rulebooks as data, evaluated exactly, explained, and run on real input.

These names are public; everything else may change without notice.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhixin.cases import load_cases, run_cases
    from zhixin.comparison import Comparison, compare
    from zhixin.dataset import Report, accept, open_snapshot
    from zhixin.errors import Fault, ZhixinError
    from zhixin.explanation import explain_run as explain
    from zhixin.facts import Contribution, Evaluation, Facts, Previous
    from zhixin.held import hold
    from zhixin.horizon import Horizon
    from zhixin.identity import check_patent_number, check_uscc
    from zhixin.interpreter import Interpreter
    from zhixin.loader import check_file, dump_rulebook, json_schema, load_rulebook
    from zhixin.outlook import Outlook
    from zhixin.rulebook import Rulebook
    from zhixin.runs import RunFolder, evaluate, facts_of, reevaluate
    from zhixin.synthetic import City
    from zhixin.tables import Tables
    from zhixin.validity import Validity
    from zhixin.weighting import Weights, ahp, combine, critic, entropy

__all__ = [
    "City",
    "Comparison",
    "Contribution",
    "Evaluation",
    "Facts",
    "Fault",
    "Horizon",
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
    "City": ("zhixin.synthetic", "City"),
    "Comparison": ("zhixin.comparison", "Comparison"),
    "Contribution": ("zhixin.facts", "Contribution"),
    "Evaluation": ("zhixin.facts", "Evaluation"),
    "Facts": ("zhixin.facts", "Facts"),
    "Fault": ("zhixin.errors", "Fault"),
    "Horizon": ("zhixin.horizon", "Horizon"),
    "Interpreter": ("zhixin.interpreter", "Interpreter"),
    "Outlook": ("zhixin.outlook", "Outlook"),
    "Previous": ("zhixin.facts", "Previous"),
    "Report": ("zhixin.dataset", "Report"),
    "Rulebook": ("zhixin.rulebook", "Rulebook"),
    "RunFolder": ("zhixin.runs", "RunFolder"),
    "Tables": ("zhixin.tables", "Tables"),
    "Validity": ("zhixin.validity", "Validity"),
    "Weights": ("zhixin.weighting", "Weights"),
    "ZhixinError": ("zhixin.errors", "ZhixinError"),
    "accept": ("zhixin.dataset", "accept"),
    "ahp": ("zhixin.weighting", "ahp"),
    "check_file": ("zhixin.loader", "check_file"),
    "check_patent_number": ("zhixin.identity", "check_patent_number"),
    "check_uscc": ("zhixin.identity", "check_uscc"),
    "combine": ("zhixin.weighting", "combine"),
    "compare": ("zhixin.comparison", "compare"),
    "critic": ("zhixin.weighting", "critic"),
    "dump_rulebook": ("zhixin.loader", "dump_rulebook"),
    "entropy": ("zhixin.weighting", "entropy"),
    "evaluate": ("zhixin.runs", "evaluate"),
    "explain": ("zhixin.explanation", "explain_run"),
    "facts_of": ("zhixin.runs", "facts_of"),
    "hold": ("zhixin.held", "hold"),
    "json_schema": ("zhixin.loader", "json_schema"),
    "load_cases": ("zhixin.cases", "load_cases"),
    "load_rulebook": ("zhixin.loader", "load_rulebook"),
    "open_snapshot": ("zhixin.dataset", "open_snapshot"),
    "reevaluate": ("zhixin.runs", "reevaluate"),
    "run_cases": ("zhixin.cases", "run_cases"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the signing process and the web workers need few of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'zhixin' has no attribute {name!r}")
    module, inner = _HOMES[name]
    value = getattr(import_module(module), inner)
    globals()[name] = value
    return value
