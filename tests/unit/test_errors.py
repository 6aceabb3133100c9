"""Refusals carry both languages, a code and an exit status."""

from __future__ import annotations

import pytest

from zhixin.errors import (
    EXIT_QUARANTINED,
    CaseFailure,
    DatasetError,
    EngineError,
    Fault,
    Message,
    RulebookError,
    UsageError,
    WeightingRefused,
    ZhixinError,
    user_language,
)


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (UsageError, "usage", 10),
        (CaseFailure, "case", 12),
        (DatasetError, "dataset", 13),
        (WeightingRefused, "weighting", 14),
        (EngineError, "engine", 15),
    ],
)
def test_every_refusal_has_its_code_and_exit_status(kind: type[ZhixinError], code: str, status: int) -> None:
    error = kind("中文", "English")
    assert isinstance(error, ZhixinError)
    assert (error.code, error.exit_status, error.message, str(error)) == (
        code,
        status,
        Message("中文", "English"),
        "English",
    )


def test_exit_statuses_are_distinct_and_none_means_done() -> None:
    kinds = (UsageError, RulebookError, CaseFailure, DatasetError, WeightingRefused, EngineError)
    statuses = [kind.exit_status for kind in kinds]
    assert len({*statuses, 0, EXIT_QUARANTINED}) == len(statuses) + 2


def test_a_rulebook_error_holds_all_faults_in_file_order() -> None:
    faults = [Fault("b.yaml", line, "code", "path", Message("错", "wrong"), Message("改", "mend")) for line in (9, 2)]
    error = RulebookError([*faults, Fault("a.yaml", 5, "code", "path", Message("错", "wrong"), Message("改", "mend"))])
    assert [(fault.file, fault.line) for fault in error.faults] == [("a.yaml", 5), ("b.yaml", 2), ("b.yaml", 9)]
    assert "3 fault(s)" in error.message.en
    assert len(str(error).splitlines()) == 3


@pytest.mark.parametrize(("is_warning", "zh", "en"), [(False, "错误", "error"), (True, "提示", "warning")])
def test_a_fault_names_file_line_code_reason_and_remedy(is_warning: bool, zh: str, en: str) -> None:
    fault = Fault(
        "a.yaml", 7, "unknown", "ladder.0", Message("错在此", "wrong here"), Message("改之", "mend it"), is_warning
    )
    assert fault.sentence("zh_CN") == f"a.yaml:7: {zh} unknown [ladder.0] 错在此 → 改之"
    assert fault.sentence("en") == f"a.yaml:7: {en} unknown [ladder.0] wrong here → mend it"


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"ZHIXIN_LANG": "zh", "LANG": "en_US.UTF-8"}, "zh"),
        ({"ZHIXIN_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US"}, "zh"),
        ({"LC_MESSAGES": "ZH_TW", "LANG": "en_US"}, "zh"),
        ({"LANG": "zh_CN.GB18030"}, "zh"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"ZHIXIN_LANG": "", "LANG": "zh_CN"}, "zh"),
    ],
    ids=str,
)
def test_the_language_is_that_of_the_locale_unless_chosen(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("ZHIXIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert user_language() == language
