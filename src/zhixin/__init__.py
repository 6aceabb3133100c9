"""Zhixin (知信): credit rulebooks as data, evaluated exactly, explained, and run on real input.

These names are public; everything else may change without notice.
"""

from zhixin.cases import load_cases, run_cases
from zhixin.comparison import Comparison, compare
from zhixin.dataset import Report, accept, open_snapshot
from zhixin.errors import Fault, ZhixinError
from zhixin.explanation import explain_run as explain
from zhixin.facts import Contribution, Evaluation, Facts, Previous
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
    "json_schema",
    "load_cases",
    "load_rulebook",
    "open_snapshot",
    "reevaluate",
    "run_cases",
]
