"""The verifiable draw: vector 2, what is refused before, what a verifier refuses after, changes that stay local."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import zhixin.trust.draw
from zhixin.dataset.identity import has_valid_check_character
from zhixin.errors import DrawRefused
from zhixin.trust.draw import (
    BEIJING,
    Document,
    Hashing,
    Inspector,
    Proposal,
    Stratum,
    commit,
    draw,
    frame_proof,
    recuse,
    substitute,
    verify,
)
from zhixin.trust.draw.plan_file import read_proposal
from zhixin.trust.draw.public_numbers import GAMES, PublicSource, agreed, bits_of, game_of, seed_of
from zhixin.trust.ledger import verify_inclusion

VECTOR: Document = json.loads((Path(__file__).parents[1] / "vectors/draw_vector_2.json").read_text(encoding="utf-8"))
VERIFIER = Path(zhixin.trust.draw.__file__).with_name("verify_draw.py")


def proposal(**changes: Any) -> Proposal:
    """The proposal behind vector 2, with changes."""
    plan = {name: value for name, value in VECTOR["plan"].items() if not name.endswith("_root")}
    found = read_proposal(
        plan,
        frame=[tuple(line.split("\t")) for line in VECTOR["frame"]],  # type: ignore[misc]
        inspectors=[
            Inspector(name, unit, date.fromisoformat(day))
            for name, unit, day in (line.split("\t") for line in VECTOR["inspectors"])
        ],
        conflicts=[tuple(line.split("\t")) for line in VECTOR["conflicts"]],  # type: ignore[misc]
    )
    return replace(found, **changes)


def committed(**changes: Any) -> Document:
    return commit(proposal(**changes), has_valid_check_character)


def refused(**changes: Any) -> str:
    with pytest.raises(DrawRefused) as caught:
        committed(**changes)
    return str(caught.value)


@pytest.fixture
def drawn() -> Document:
    return draw(committed(), VECTOR["numbers"])


def stand_alone(document: Document, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    file = folder / "draw.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return subprocess.run([sys.executable, *options, str(VERIFIER), str(file)], capture_output=True, text=True, check=False)


# --- vector 2 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plan", "frame", "inspectors", "conflicts", "commitment"])
def test_the_vector_is_committed_as_published(name: str) -> None:
    assert committed()[name] == VECTOR[name]


@pytest.mark.parametrize("name", ["numbers", "sources", "prk", "strata", "assignment"])
def test_the_vector_is_drawn_as_published(drawn: Document, name: str) -> None:
    assert drawn[name] == VECTOR[name]


def test_the_late_recusal_of_the_vector_is_local(drawn: Document) -> None:
    change = VECTOR["late_recusal"]
    found = recuse(drawn, change["unit"], change["recused"], "亲属任职")
    assert {name: found["late_recusal"][0][name] for name in change} == change
    assert found["assignment"] == drawn["assignment"]
    assert verify(found) == []


def test_the_published_vector_verifies() -> None:
    assert verify(VECTOR) == []


def test_the_seed_has_the_form_of_rfc_3797() -> None:
    """RFC 3797 §6: the key string of its example."""
    assert seed_of([[9319], [2, 5, 12, 8, 10], [9, 18, 26, 34, 41, 45]]) == "9319./2.5.8.10.12./9.18.26.34.41.45./"


# --- refused before the commitment --------------------------------------------------------------------------------

KL8 = PublicSource("kl8", "2026324", date(2026, 12, 2))


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "0.0 bits"),
        ([PublicSource("fc3d", "2026324", KL8.date)], "9.9 bits"),
        ([PublicSource("pl5", "2026324", KL8.date)], "16.6 bits"),
        ([PublicSource("ssq", "2026139", date(2026, 12, 3))], "24.0 bits"),
        ([PublicSource("ssq", "2026139", date(2026, 12, 3)), PublicSource("fc3d", "2026324", KL8.date)], "33.9 bits"),
        ([KL8, KL8], "twice"),
        ([KL8, PublicSource("kl8", "2026323", KL8.date)], "twice"),
        ([KL8, PublicSource("kl8", "2026324", date(2026, 12, 3))], "twice"),
        ([PublicSource("pick6", "2026324", KL8.date)], "unknown source"),
        ([PublicSource("kl8", "", KL8.date)], "no issue"),
        ([PublicSource("kl8", "2025324", KL8.date)], "none of 2026-12-02"),
        ([PublicSource("kl8", "2026337", KL8.date)], "none of 2026-12-02"),
        ([PublicSource("kl8", "2026000", KL8.date)], "none of 2026-12-02"),
        ([PublicSource("kl8", "26324", KL8.date)], "none of 2026-12-02"),
        ([PublicSource("kl8", "2026001", KL8.date)], "none of 2026-12-02"),  # the first of January is known in December
        ([PublicSource("kl8", "2026300", KL8.date)], "none of 2026-12-02"),
        ([PublicSource("ssq", "2026140", date(2026, 12, 7))], "none of 2026-12-07"),  # a Monday
        ([PublicSource("dlt", "2026141", date(2026, 12, 8))], "none of 2026-12-08"),  # a Tuesday
        ([PublicSource("ssq", "2026336", date(2026, 12, 3))], "none of 2026-12-03"),  # three a week
        ([PublicSource("kl8", "２026324", KL8.date)], "none of 2026-12-02"),
    ],
)
def test_a_weak_double_or_impossible_source_is_refused(sources: list[PublicSource], said: str) -> None:
    assert said in refused(sources=sources)


@pytest.mark.parametrize("sources", [[KL8], [PublicSource("ssq", "2026140", date(2026, 12, 3)), PublicSource("dlt", "2026140", date(2026, 12, 5))], [PublicSource("dice20", "市局大厅", KL8.date)]])  # fmt: skip
def test_forty_bits_are_enough(sources: list[PublicSource]) -> None:
    assert bits_of(sources) >= 40
    assert committed(sources=sources)


@pytest.mark.parametrize(
    ("name", "bits"), [("kl8", 61.6), ("ssq", 24.0), ("dlt", 24.3), ("pl5", 16.6), ("fc3d", 9.9), ("dice20", 66.4)]
)
def test_the_entropy_of_each_source(name: str, bits: float) -> None:
    assert GAMES[name].bits == bits


@pytest.mark.parametrize(
    ("name", "found"), [("快乐8", "kl8"), ("KL8", "kl8"), (" 双色球 ", "ssq"), ("3D", "fc3d"), ("lotto", None)]
)
def test_two_names_of_one_source_are_one_source(name: str, found: str | None) -> None:
    game = game_of(name)
    assert (game.id if game else None) == found


@pytest.mark.parametrize(
    ("before", "is_refused"),
    [
        (timedelta(hours=23, minutes=59), True),
        (timedelta(hours=24), False),
        (timedelta(hours=25), False),
        (timedelta(hours=-21), True),
    ],
)
def test_the_freeze_comes_a_day_before_the_drawing(before: timedelta, is_refused: bool) -> None:
    frozen = datetime(2026, 12, 2, tzinfo=BEIJING) - before
    if is_refused:
        assert "24 hours" in refused(frozen_at=frozen)
    else:
        assert committed(frozen_at=frozen)


FRAME = [tuple(line.split("\t")) for line in VECTOR["frame"]]
PEOPLE = proposal().inspectors


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frame": []}, "empty"),
        ({"frame": [*FRAME, FRAME[0]]}, "2 times"),
        ({"frame": [*FRAME, (FRAME[0][0], "A")]}, "2 times"),
        ({"frame": [*FRAME[1:], ("9199999903CUH0010C", "D")]}, "no valid unified"),
        ({"frame": [*FRAME[1:], ("9199999903CUH0010b", "D")]}, "no valid unified"),
        ({"frame": [*FRAME[1:], (FRAME[0][0], "E")]}, "no rate for stratum 'E'"),
        ({"inspectors": [*PEOPLE, PEOPLE[0]]}, "twice"),
        ({"inspectors": [*PEOPLE[1:], replace(PEOPLE[0], valid_until=date(2026, 12, 1))]}, "ends on 2026-12-01"),
        ({"inspectors": [*PEOPLE, Inspector("A\tB", "u", date(2030, 1, 1))]}, "is wrong"),
        ({"conflicts": [("INS999", FRAME[0][0])]}, "in no list"),
        ({"conflicts": [("INS001", "91999999XXXXXXXXXX")]}, "in no list"),
        ({"cap": 1}, "have room for"),
        ({"cap": 0}, "at least 1"),
        ({"k": 0}, "at least 1"),
        ({"k": 9, "cap": 40}, "fewer than 9"),
        ({"conflicts": [(item.id, FRAME[0][0]) for item in PEOPLE[:7]]}, "fewer than 2"),
        ({"basis": ""}, "one line"),
        ({"draw_id": "a\nb"}, "one line"),
        ({"alg": "CDRAW/1"}, "unknown algorithm"),
        ({"frozen_at": datetime(2026, 11, 30, 9)}, "time zone"),
        ({"strata": [Stratum("A", 1, 100), *proposal().strata]}, "stands there twice"),
        ({"strata": [Stratum("A", 2, 1), *proposal().strata[1:]]}, "between 0 and 1"),
        ({"strata": [Stratum("A", 1, 0), *proposal().strata[1:]]}, "between 0 and 1"),
        ({"strata": [Stratum("A", 1, 100, 3, 2), *proposal().strata[1:]]}, "above the largest"),
        ({"strata": [Stratum("A", 1, 100, -1), *proposal().strata[1:]]}, "above the largest"),
    ],
)  # fmt: skip
def test_a_frame_plan_or_list_with_a_fault_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in refused(**changes)


def test_every_fault_is_named_at_once() -> None:
    said = refused(basis="", sources=[], frame=[*FRAME, FRAME[0]])
    assert "basis" in said
    assert "bits" in said
    assert "2 times" in said


def test_a_certificate_that_ends_on_the_day_of_the_drawing_is_good() -> None:
    assert committed(inspectors=[*PEOPLE[1:], replace(PEOPLE[0], valid_until=date(2026, 12, 2))])


def of_sizes(*sizes: int) -> list[tuple[str, str]]:
    """A frame of strata A, B, … with so many units each."""
    units = iter(_codes())
    return [(next(units), "ABCD"[place]) for place, size in enumerate(sizes) for _ in range(size)]


def _codes() -> Iterator[str]:
    from zhixin.dataset.identity import uscc_check_character

    for number in range(10_000):
        body = f"91999999{number:09d}"
        yield body + uscc_check_character(body)


@pytest.mark.parametrize(
    ("strata", "sizes", "is_refused"),
    [
        ([Stratum("A", 1, 100, 1), Stratum("B", 5, 100)], (5, 100), True),  # 1 of 5 is more than 5 of 100
        ([Stratum("A", 1, 100), Stratum("B", 5, 100)], (100, 100), False),
        ([Stratum("A", 5, 100), Stratum("B", 5, 100)], (100, 100), False),
        ([Stratum("A", 5, 100), Stratum("B", 4, 100)], (100, 100), True),
        ([Stratum("A", 5, 100), Stratum("B", 50, 100, None, 4)], (100, 100), True),
        (
            [Stratum("A", 5, 100), Stratum("B", 1, 100), Stratum("C", 5, 100)],
            (100, 0, 100),
            False,
        ),  # an empty stratum has no ratio
    ],
)
def test_the_realised_ratio_never_falls_from_lighter_to_heavier(
    strata: list[Stratum], sizes: tuple[int, ...], is_refused: bool
) -> None:
    changes = {"strata": strata, "frame": of_sizes(*sizes), "conflicts": [], "cap": 100}
    if is_refused:
        assert "change the bounds" in refused(**changes)
        document = draw(committed(**changes, inversion="依某办法第 3 条"), VECTOR["numbers"])
        assert verify(document) == []
    else:
        assert committed(**changes)


@pytest.mark.parametrize(
    ("stratum", "size", "drawn"),
    [
        (Stratum("A", 1, 100), 0, 0), (Stratum("A", 1, 100), 1, 1), (Stratum("A", 1, 100), 100, 1), (Stratum("A", 1, 100), 101, 2),
        (Stratum("A", 1, 100, 5), 4, 4), (Stratum("A", 1, 100, 5), 5, 5), (Stratum("A", 1, 100, 5), 600, 6),
        (Stratum("A", 1, 2, None, 3), 5, 3), (Stratum("A", 1, 2, None, 3), 6, 3), (Stratum("A", 1, 2, None, 3), 7, 3),
        (Stratum("A", 0, 1), 9, 0), (Stratum("A", 1, 1), 9, 9),
    ],
)  # fmt: skip
def test_quotas_are_whole_numbers_rounded_up_within_their_bounds(stratum: Stratum, size: int, drawn: int) -> None:
    assert stratum.quota(size) == drawn


# --- numbers --------------------------------------------------------------------------------------------------------

GOOD = VECTOR["numbers"][0]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([], "1 drawings, 0"),
        ([GOOD, GOOD], "1 drawings, 2"),
        ([GOOD[:-1]], "20 numbers, 19"),
        ([[*GOOD[:-1], 81]], "between 1 and 80"),
        ([[*GOOD[:-1], 0]], "between 1 and 80"),
        ([[*GOOD[:-1], GOOD[0]]], "twice"),
    ],
)
def test_numbers_that_the_source_cannot_give_are_refused(numbers: list[list[int]], said: str) -> None:
    with pytest.raises(DrawRefused, match=said):
        draw(committed(), numbers)


def test_the_two_drums_of_a_source_are_kept_apart() -> None:
    assert GAMES["ssq"].faults([1, 2, 3, 4, 5, 33, 34]) == []
    assert GAMES["ssq"].faults([1, 2, 3, 4, 5, 34, 35])
    assert GAMES["pl5"].faults([0, 10, 20, 30, 49]) == []
    assert GAMES["pl5"].faults([0, 10, 20, 30, 39])


def test_two_persons_must_enter_the_same_numbers() -> None:
    assert agreed([GOOD], [GOOD[::-1]]) == [GOOD]
    with pytest.raises(DrawRefused, match="source 1"):
        agreed([GOOD], [[*GOOD[:-1], 79]])


def test_there_is_no_second_draw(drawn: Document) -> None:
    with pytest.raises(DrawRefused, match="no second"):
        draw(drawn, VECTOR["numbers"])


def test_a_commitment_changed_before_the_draw_is_refused() -> None:
    changed = copy.deepcopy(committed())
    changed["frame"].pop()
    with pytest.raises(DrawRefused, match="frame is not what was committed"):
        draw(changed, VECTOR["numbers"])


# --- the frame's proofs, tickets and reserves -----------------------------------------------------------------------


def test_every_unit_of_the_frame_has_an_inclusion_proof() -> None:
    document = committed()
    hashing, root = Hashing("CDRAW/2"), bytes.fromhex(document["plan"]["frame_root"])
    for line in document["frame"]:
        proof = frame_proof(document, line.split("\t")[0])
        path = [bytes.fromhex(step) for step in proof["path"]]
        assert verify_inclusion(proof["index"], proof["size"], hashing.leaves([proof["line"]])[0], path, root)
        moved = line[:-1] + ("A" if line[-1] != "A" else "B")
        assert not verify_inclusion(proof["index"], proof["size"], hashing.leaves([moved])[0], path, root)


def test_a_unit_outside_the_frame_has_no_proof() -> None:
    with pytest.raises(DrawRefused, match="not in the frame"):
        frame_proof(committed(), "91999999ZZZZZZZZZZ")


def test_a_substitution_takes_exactly_the_next_of_the_reserve(drawn: Document) -> None:
    stratum = drawn["strata"]["C"]
    picked, reserve = [unit for _, unit in stratum["picked"]], [unit for _, unit in stratum["reserve"]]
    once = substitute(drawn, picked[1], "已注销")
    twice = substitute(once, picked[0], "已迁出")
    thrice = substitute(twice, reserve[0], "查无此址")
    assert [item["next"] for item in thrice["substitution"]] == reserve
    assert verify(thrice) == []
    with pytest.raises(DrawRefused, match="not drawn"):
        substitute(thrice, picked[1], "再一次")
    with pytest.raises(DrawRefused, match="not drawn"):
        substitute(drawn, reserve[0], "未被抽中")
    with pytest.raises(DrawRefused, match="reason"):
        substitute(drawn, picked[0], "")


def test_a_recused_inspector_does_not_come_back(drawn: Document) -> None:
    unit, team = next(iter(drawn["assignment"].items()))
    found = drawn
    for _ in range(5):
        now = [*team]
        for item in found.get("late_recusal", []):
            now = [item["next"] if person == item["recused"] else person for person in now]
        found = recuse(found, unit, now[0], "回避")
    recused = {item["recused"] for item in found["late_recusal"]}
    assert len(recused) == 5
    assert not recused & {item["next"] for item in found["late_recusal"][-1:]}
    assert verify(found) == []


def test_nobody_left_is_refused(drawn: Document) -> None:
    unit = "91999999HLXD3000X1"  # two of eight have a conflict, so four stand by
    found = drawn
    for _ in range(4):
        person = [item["next"] for item in found.get("late_recusal", [])][-1:] or drawn["assignment"][unit][:1]
        found = recuse(found, unit, person[0], "回避")
    with pytest.raises(DrawRefused, match="nobody left"):
        recuse(found, unit, found["late_recusal"][-1]["next"], "回避")


# --- what a verifier refuses ----------------------------------------------------------------------------------------


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of every single value in a document."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))
    else:
        yield path


def changed_at(document: Document, path: tuple[Any, ...]) -> Document:
    """The document with one value a little different."""
    found = copy.deepcopy(document)
    holder = found
    for key in path[:-1]:
        holder = holder[key]
    value = holder[path[-1]]
    holder[path[-1]] = value + 1 if isinstance(value, int) else value[:-1] + ("0" if value[-1] != "0" else "1")
    return found


WHOLE = substitute(
    recuse(draw(committed(), VECTOR["numbers"]), "91999999BEP7W00167", "INS008", "回避"), "919999997AK3Q00110", "已注销"
)


def refuses(document: Document) -> bool:
    try:
        return bool(verify(document))
    except DrawRefused:
        return True


@pytest.mark.parametrize(
    "path", [path for path in paths(WHOLE) if path[-1] != "reason"], ids=lambda path: ".".join(map(str, path))
)
def test_every_value_that_influences_the_result_is_bound(path: tuple[Any, ...]) -> None:
    assert refuses(changed_at(WHOLE, path))


@pytest.mark.parametrize(
    "path", [path for path in paths(WHOLE) if path[-1] != "reason"][::9], ids=lambda path: ".".join(map(str, path))
)
def test_the_stand_alone_verifier_refuses_the_same(path: tuple[Any, ...], tmp_path: Path) -> None:
    assert stand_alone(changed_at(WHOLE, path), tmp_path, "-I", "-S").returncode == 1


@pytest.mark.parametrize("options", [(), ("-O",), ("-OO",)])
def test_the_stand_alone_verifier_needs_no_assert(options: tuple[str, ...], tmp_path: Path) -> None:
    assert "DRAW VERIFIED" in stand_alone(WHOLE, tmp_path, "-I", "-S", *options).stdout
    swapped = copy.deepcopy(WHOLE)
    stratum = swapped["strata"]["C"]
    stratum["picked"][0], stratum["reserve"][0] = stratum["reserve"][0], stratum["picked"][0]
    assert "DRAW REFUSED" in stand_alone(swapped, tmp_path, "-I", "-S", *options).stderr


def test_the_stand_alone_verifier_reads_the_vector_and_fits_on_a_page(tmp_path: Path) -> None:
    assert stand_alone(VECTOR, tmp_path).returncode == 0
    text = VERIFIER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert "assert " not in text
    assert "zhixin" not in text.lower().replace("zhixin's", "")


def dropped_unit(document: Document) -> None:
    document["frame"].pop(3)


def unit_twice(document: Document) -> None:
    document["frame"].append(document["frame"][0][:-1] + "A")
    document["frame"].sort()


def extra_part(document: Document) -> None:
    document["note"] = "checked by the bureau"


def more_assigned(document: Document) -> None:
    document["assignment"]["9199999914DWJ00195"] = ["INS001", "INS002"]


def numbers_in_another_order(document: Document) -> None:
    document["numbers"][0].reverse()


def numbers_repeated(document: Document) -> None:
    document["numbers"][0].append(document["numbers"][0][-1])


def conflict_added(document: Document) -> None:
    document["conflicts"] = sorted([*document["conflicts"], "INS005\t91999999BEP7W00167"])


def stratum_left_out(document: Document) -> None:
    del document["strata"]["A"]


def reserve_skipped(document: Document) -> None:
    document["substitution"][0]["next"] = document["strata"]["C"]["reserve"][1][1]


def team_of_the_substitute(document: Document) -> None:
    document["substitution"][0]["team"].reverse()


TAMPERINGS = [
    dropped_unit, unit_twice, extra_part, more_assigned, numbers_in_another_order, numbers_repeated, conflict_added,
    stratum_left_out, reserve_skipped, team_of_the_substitute,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_both_verifiers_refuse_a_tampered_document(tamper: Any, tmp_path: Path) -> None:
    document = copy.deepcopy(WHOLE)
    tamper(document)
    assert refuses(document)
    assert stand_alone(document, tmp_path).returncode == 1


def test_a_frame_changed_together_with_its_root_is_another_commitment() -> None:
    """Whoever changes the plan too has another commitment, and the ledger holds the first."""
    other = draw(committed(frame=FRAME[1:]), VECTOR["numbers"])
    assert verify(other) == []
    assert other["commitment"] != VECTOR["commitment"]


@pytest.mark.parametrize(
    "document",
    [{}, {"plan": 1}, {"plan": {}}, {**WHOLE, "strata": []}, {**WHOLE, "frame": ["x"]}, {**WHOLE, "numbers": None}],
)
def test_what_is_no_draw_is_refused_with_words(document: Document) -> None:
    try:
        found = verify(document)
    except DrawRefused as error:
        found = list(error.reasons)
    assert found
    assert all(item.zh and item.en for item in found)


def forged(**plan: Any) -> Document:
    """A document written by hand, consistent in itself, whose plan nobody would have been allowed to commit."""
    document = copy.deepcopy(VECTOR)
    document["plan"] |= plan
    document["commitment"] = Hashing("CDRAW/2").commitment(document["plan"]).hex()
    return document


@pytest.mark.parametrize(
    "plan",
    [
        {"k": 0}, {"cap": 0}, {"k": -1}, {"k": True}, {"basis": ""}, {"frozen_at": None}, {"frozen_at": "xx"}, {"note": "x"},
        {"sources": []}, {"sources": [{"game": "fc3d", "issue": "2026324", "date": "2026-12-02"}]},
        {"sources": [VECTOR["plan"]["sources"][0]] * 2}, {"sources": [{"game": "KL8", "issue": "2026324", "date": "2026-12-02"}]},
        {"frozen_at": "2026-12-02T09:00:00+08:00"}, {"strata": [{"id": "A", "num": 3, "den": 2}, *VECTOR["plan"]["strata"][1:]]},
        {"strata": [*VECTOR["plan"]["strata"], VECTOR["plan"]["strata"][0]]}, {"inversion": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_plan_that_nobody_may_commit_is_neither_drawn_nor_verified(plan: dict[str, Any]) -> None:
    document = forged(**plan)
    assert refuses(document)
    with pytest.raises(DrawRefused):
        draw(
            {name: document[name] for name in ("plan", "frame", "inspectors", "conflicts", "commitment")}, VECTOR["numbers"]
        )


@pytest.mark.parametrize("name", ["plan", "frame", "inspectors", "conflicts", "commitment"])
def test_a_damaged_committed_file_is_refused_in_words(name: str) -> None:
    document = committed()
    del document[name]
    with pytest.raises(DrawRefused, match="no draw"):
        draw(document, VECTOR["numbers"])


def test_nothing_changes_before_the_draw_and_nobody_is_recused_where_nobody_goes(drawn: Document) -> None:
    with pytest.raises(DrawRefused, match="no result"):
        recuse(committed(), "91999999BEP7W00167", "INS008", "x")
    gone = substitute(drawn, "9199999958H1N000EB", "已注销")
    with pytest.raises(DrawRefused, match="replaced"):
        recuse(gone, "9199999958H1N000EB", "INS001", "x")


def test_a_recusal_before_the_substitution_of_the_same_unit_stands(drawn: Document, tmp_path: Path) -> None:
    first = recuse(drawn, "91999999BEP7W00167", "INS008", "回避")
    then = substitute(first, "91999999BEP7W00167", "已注销")
    assert verify(then) == []
    assert stand_alone(then, tmp_path).returncode == 0


def test_a_key_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from zhixin.cli.app import app

    text = json.dumps(WHOLE)
    file = tmp_path / "draw.json"
    file.write_text('{"assignment": {},' + text[1:], encoding="utf-8")
    assert CliRunner().invoke(app, ["verify", "draw", str(file)]).exit_code != 0
    done = subprocess.run([sys.executable, str(VERIFIER), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "VERIFIED" not in done.stdout + done.stderr


def test_no_document_writes_on_the_terminal(tmp_path: Path) -> None:
    document = copy.deepcopy(WHOLE)
    document["late_recusal"][0]["unit"] = "x\n\x1b[2JDRAW VERIFIED"
    assert all("\x1b" not in item.en and "\n" not in item.en for item in DrawRefused(verify(document)).reasons)
    assert "\x1b" not in stand_alone(document, tmp_path).stderr


# --- SM3 ------------------------------------------------------------------------------------------------------------


def test_the_sm3_variant_is_drawn_and_verified_alike(tmp_path: Path) -> None:
    pytest.importorskip("hashlib").new("sm3")
    document = draw(committed(alg="CDRAW/2-SM3"), VECTOR["numbers"])
    assert verify(document) == []
    assert document["commitment"] != VECTOR["commitment"]
    assert stand_alone(document, tmp_path).returncode == 0


def test_sm3_is_the_hash_of_the_standard() -> None:
    """GB/T 32905-2016, appendix A.1."""
    assert Hashing("CDRAW/2-SM3").of(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


# --- the command line ------------------------------------------------------------------------------------------------


def test_a_draw_from_files_to_its_verification(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from zhixin.cli.app import app

    plan = {name: value for name, value in VECTOR["plan"].items() if not name.endswith("_root")}
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    for name in ("frame", "inspectors", "conflicts"):
        (tmp_path / name).write_text("\n".join(VECTOR[name]), encoding="utf-8")
    lists = [option for name in ("frame", "inspectors", "conflicts") for option in (f"--{name}", str(tmp_path / name))]
    numbers = " ".join(map(str, GOOD))

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments))

    first, second, third = (str(tmp_path / f"{name}.json") for name in ("committed", "drawn", "changed"))
    assert run("draw", "commit", str(tmp_path / "plan.json"), "--out", first, *lists).exit_code == 0
    assert isinstance(
        run("draw", "run", first, "--out", second, "--numbers", numbers, "--again", numbers[:-2] + "79").exception,
        DrawRefused,
    )
    assert (
        run("draw", "run", first, "--out", second, "--numbers", numbers, "--again", numbers.replace(" ", "，")).exit_code
        == 0
    )
    assert run("verify", "draw", second, "--commitment", VECTOR["commitment"]).exit_code == 0
    assert isinstance(run("verify", "draw", second, "--commitment", "ab").exception, DrawRefused)
    recusal = ["--unit", "91999999BEP7W00167", "--inspector", "INS008", "--reason", "回避"]
    assert run("draw", "recuse", second, "--out", third, *recusal).exit_code == 0
    assert run("draw", "recuse", second, "--out", third, *recusal).exit_code != 0
    assert run("verify", "draw", third).exit_code == 0
