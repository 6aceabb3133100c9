"""The source manifests agree with the rulebook, the units and the standard; terms of publication change on their day."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from zhixin import load_rulebook
from zhixin.dataset.sources import (
    TABLES,
    SourceManifest,
    header_key,
    header_names,
    publicity,
    publicity_rule,
    source_folder,
    sources,
)
from zhixin.law.loading import shipped_rulebooks
from zhixin_web.accounts.demonstration_people import UNITS

FOR_FAIRNESS = {"ownership", "scale"}
"""Collected to show whether results lean on a group; no rulebook may use them."""
FILES = sorted(path.stem for path in source_folder().glob("*.yaml") if path.stem not in TABLES)
RULEBOOK = load_rulebook(shipped_rulebooks() / "zhengzhou-ip")
STANDARD = (
    "CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_XDR_GSZC", "CF_XDR_ZZJG", "CF_XDR_SWDJ", "CF_XDR_SYDW", "CF_XDR_SHZZ", "CF_FRDB", "CF_FR_ZJLX", "CF_FR_ZJHM",
    "CF_XDR_ZJLX", "CF_XDR_ZJHM", "CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_NR_FK", "CF_NR_WFFF", "CF_NR_ZKDX", "CF_JDRQ", "CF_YXQ", "CF_GSJZQ",
    "CF_CFJG", "CF_CFJGDM", "CF_SJLY", "CF_SJLYDM",
)  # fmt: skip
"""The CF_ columns of the 2018 standard (发改办财金〔2018〕424号); with BZ (备注) they are thirty."""
TURN = date(2026, 4, 1)


@pytest.fixture(params=FILES)
def manifest(request: pytest.FixtureRequest) -> SourceManifest:
    return sources()[request.param]


def test_every_file_is_loaded() -> None:
    assert sorted(sources()) == FILES


def test_its_kinds_are_in_the_catalogue(manifest: SourceManifest) -> None:
    known = {item.id for item in RULEBOOK.catalogue} | {"licence.granted"}
    assert set(manifest.kinds) <= known


def test_its_attributes_are_in_the_rulebook(manifest: SourceManifest) -> None:
    if manifest.gives in ("subjects", "attributes"):
        targets = {item.to for item in manifest.fields if item.to} - {"subject_id", "name"}
        assert targets - FOR_FAIRNESS <= {item.id for item in RULEBOOK.attributes}
        assert not targets & FOR_FAIRNESS & {item.id for item in RULEBOOK.attributes}


def test_its_owner_is_a_known_unit(manifest: SourceManifest) -> None:
    assert manifest.owner in {code for code, *_ in UNITS}


def test_it_has_a_basis(manifest: SourceManifest) -> None:
    assert manifest.basis
    assert all(item.document.strip() and item.article.strip() for item in manifest.basis)


def test_it_names_a_subject(manifest: SourceManifest) -> None:
    assert manifest.field("subject_id").type == "uscc"


def test_records_have_a_required_date_of_decision(manifest: SourceManifest) -> None:
    if manifest.gives in ("records", "archive"):
        assert manifest.field("decided_on").required


def test_what_decides_kind_and_severity_are_columns(manifest: SourceManifest) -> None:
    deciding = [by.field for by in (manifest.kind_by, manifest.severity_by) if by is not None]
    assert set(deciding) <= {item.id for item in manifest.fields}


def test_what_decides_the_kind_is_required(manifest: SourceManifest) -> None:
    assert manifest.kind_by is None or manifest.field(manifest.kind_by.field).required


def test_what_is_refused_by_law_is_a_value_of_its_column(manifest: SourceManifest) -> None:
    for rule in manifest.refuse:
        assert set(rule.values) <= set(manifest.choices(manifest.field(rule.field)))


def test_the_expected_volume_is_a_range(manifest: SourceManifest) -> None:
    low, high = manifest.expected_rows
    assert 0 <= low <= high


def test_no_header_means_two_fields(manifest: SourceManifest) -> None:
    texts = [header_key(text) for item in manifest.fields for text in {item.title, *item.aliases, item.id}]
    names = header_names(manifest.id)
    for item in manifest.fields:
        assert all(names[header_key(text)] == item.id for text in (item.title, *item.aliases)), item.id
    assert len(set(texts)) == len(names)


def test_notes_are_in_both_languages(manifest: SourceManifest) -> None:
    words = [manifest.title, *([manifest.note] if manifest.note else [])]
    assert all(word.zh.strip() and word.en.strip() for word in words)


def test_personal_columns_go_nowhere_public(manifest: SourceManifest) -> None:
    assert not [item.id for item in manifest.fields if item.personal and item.to]


# --- the standard of double publicity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*STANDARD, "BZ"])
def test_penalties_know_the_columns_of_the_standard(code: str) -> None:
    assert code in {alias for item in sources()["penalties"].fields for alias in item.aliases}


def test_penalties_have_thirty_codes_with_the_older_one_of_the_identity_number() -> None:
    aliases = [alias for item in sources()["penalties"].fields for alias in item.aliases if alias.startswith("CF_")]
    assert sorted(aliases) == sorted([*STANDARD, "CF_FR_SFZH"])


@pytest.mark.parametrize("typed", ["CF_XDR_SHXYM", "cf_xdr_shxym", "CF XDR SHXYM", "ＣＦ＿ＸＤＲ＿ＳＨＸＹＭ"])
def test_a_code_is_understood_however_it_is_typed(typed: str) -> None:
    assert header_names("penalties")[header_key(typed)] == "subject_id"


# --- terms of publication ---------------------------------------------------------------------------------------------------------------


def test_every_publicity_rule_has_a_source() -> None:
    rules = yaml.safe_load((source_folder() / "publicity.yaml").read_text(encoding="utf-8"))
    assert all(rule["source"].strip() and isinstance(rule["verified"], bool) for rule in rules)
    assert all(rule["min_months"] <= rule["max_months"] for rule in rules)


@pytest.mark.parametrize(
    ("severity", "decided", "earliest", "latest"),
    [
        ("general", date(2026, 3, 31), date(2026, 9, 30), date(2029, 3, 31)),
        ("general", date(2026, 4, 1), date(2026, 7, 1), date(2027, 4, 1)),
        ("general", date(2026, 4, 2), date(2026, 7, 2), date(2027, 4, 2)),
        ("serious", date(2026, 3, 31), date(2027, 3, 31), date(2029, 3, 31)),
        ("serious", date(2026, 4, 1), date(2027, 4, 1), date(2029, 4, 1)),
        ("serious", date(2026, 4, 2), date(2027, 4, 2), date(2029, 4, 2)),
        ("minor", date(2026, 3, 31), date(2026, 3, 31), date(2026, 6, 30)),
        ("minor", date(2026, 4, 1), date(2026, 4, 1), date(2026, 7, 1)),
        ("minor", date(2026, 4, 2), date(2026, 4, 2), date(2026, 7, 2)),
    ],
)
def test_terms_around_the_first_of_april_2026(severity: str, decided: date, earliest: date, latest: date) -> None:
    assert publicity(severity, decided, decided) == (decided, earliest, latest)


@pytest.mark.parametrize(
    ("severity", "decided", "earliest", "latest"),
    [
        ("general", date(2025, 8, 31), date(2026, 2, 28), date(2028, 8, 31)),
        ("general", date(2023, 8, 31), date(2024, 2, 29), date(2026, 8, 31)),
        ("general", date(2026, 8, 31), date(2026, 11, 30), date(2027, 8, 31)),
        ("general", date(2026, 11, 30), date(2027, 2, 28), date(2027, 11, 30)),
        ("general", date(2028, 2, 29), date(2028, 5, 29), date(2029, 2, 28)),
        ("serious", date(2024, 2, 29), date(2025, 2, 28), date(2027, 2, 28)),
        ("minor", date(2026, 11, 30), date(2026, 11, 30), date(2027, 2, 28)),
    ],
)
def test_terms_that_begin_at_the_end_of_a_month(severity: str, decided: date, earliest: date, latest: date) -> None:
    assert publicity(severity, decided, decided) == (decided, earliest, latest)


def test_terms_run_from_the_decision_though_it_was_published_later() -> None:
    assert publicity("general", TURN, date(2026, 5, 1)) == (date(2026, 5, 1), date(2026, 7, 1), date(2027, 4, 1))


def test_the_rule_is_that_of_the_decision_though_it_was_published_under_the_next() -> None:
    assert publicity("general", date(2026, 3, 31), TURN) == (TURN, date(2026, 9, 30), date(2029, 3, 31))


@pytest.mark.parametrize("severity", ["general", "serious"])
def test_without_a_date_of_publication_it_begins_with_the_decision(severity: str) -> None:
    assert publicity(severity, TURN, None)[0] == TURN


def test_minor_information_that_was_not_published_is_not_published() -> None:
    assert publicity("minor", TURN, None) == (None, None, None)


def test_what_has_no_class_is_not_published() -> None:
    assert publicity(None, TURN, TURN) == (None, None, None)


def test_an_unknown_class_is_not_published() -> None:
    assert publicity("grave", TURN, TURN) == (None, None, None)


def test_minor_information_published_after_its_longest_term_is_not_shown_backwards() -> None:
    start, _, latest = publicity("minor", date(2026, 1, 1), date(2026, 6, 1))
    assert start is None or latest is None or start <= latest


@pytest.mark.parametrize(("day", "months"), [(date(2026, 3, 31), 36), (TURN, 12), (date(2026, 4, 2), 12)])
def test_the_rule_for_general_information_turns_on_its_day(day: date, months: int) -> None:
    rule = publicity_rule("general", day)
    assert rule is not None
    assert rule["max_months"] == months
