"""The source manifests agree with the rulebook, the units and the standard."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from shipped import shipped
from zhixin import City
from zhixin.dataset.sources import (
    TABLES,
    SourceManifest,
    header_key,
    header_names,
    source_folder,
    sources,
)
from zhixin_web.accounts.demonstration_people import UNITS
from zhixin_web.demonstration.city_files import record_files

FOR_FAIRNESS = {"ownership", "scale"}
"""Collected to show whether results lean on a group; no rulebook may use them."""
FILES = sorted(path.stem for path in source_folder().glob("*.yaml") if path.stem not in TABLES)
RULEBOOK = shipped("zhengzhou-ip")
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
    source = next(item for item in RULEBOOK.sources if item.id == manifest.id)
    assert source.basis
    assert all(item.document in RULEBOOK.documents and (item.article or "").strip() for item in source.basis)


def test_rulebook_and_manifest_speak_of_the_same_source(manifest: SourceManifest) -> None:
    source = next(item for item in RULEBOOK.sources if item.id == manifest.id)
    assert (source.title.zh, source.title.en) == (manifest.title.zh, manifest.title.en)


def test_the_rulebook_has_no_source_without_a_manifest() -> None:
    assert {item.id for item in RULEBOOK.sources} == set(sources())


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


def test_the_demonstration_delivers_every_record_once_and_to_sources_that_take_files() -> None:
    records = pl.concat(City(5_000, 7).record_blocks()).with_columns(pl.col("kind", "severity").cast(pl.String))
    named = records.join(City(5_000, 7).subject_table().select("subject_no", "subject_id", "name"), on="subject_no")
    files = list(record_files(named))
    assert not [name for name, _content in files if sources()[name].made_by_site]
    delivered = [kind for name, _content in files for kind in sources()[name].kinds]
    assert {kind for kind in delivered if delivered.count(kind) > 1} == set()
