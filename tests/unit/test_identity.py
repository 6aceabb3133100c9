"""Codes and numbers: golden values of the public standards, habits of typing cured, everything else refused with a hint."""

from __future__ import annotations

import pytest

from unit.writing import ALPHABET, PUBLISHED_WEIGHTS, uscc
from zhixin.dataset.identity import (
    USCC_ALPHABET,
    USCC_WEIGHTS,
    check_patent_number,
    check_trademark_number,
    check_uscc,
    cured,
    name_core,
    normal_name,
    organisation_check_character,
    patent_check_digit,
    registration_number_check_digit,
    uscc_check_character,
)

GOLDEN = "91110000600037341L"
MADE = uscc(123_456)


def test_alphabet_and_weights_are_those_of_the_standard() -> None:
    assert USCC_ALPHABET == ALPHABET
    assert USCC_WEIGHTS == PUBLISHED_WEIGHTS


@pytest.mark.parametrize(
    "code",
    [GOLDEN, "91350100M000100Y43", "9144030071526726XG", "914403001922038216", "91330100799655058B"],
)
def test_published_codes_are_accepted_without_a_warning(code: str) -> None:
    checked = check_uscc(code)
    assert checked.is_accepted
    assert checked == (code, None, None, None)
    assert uscc_check_character(code[:17]) == code[17]


@pytest.mark.parametrize("number", range(0, 31**4, 31**3 // 2))
def test_codes_computed_from_the_published_tables_are_accepted(number: int) -> None:
    assert check_uscc(uscc(number)) == (uscc(number), None, None, None)


@pytest.mark.parametrize("code", [GOLDEN, MADE])
def test_every_wrong_character_is_noticed(code: str) -> None:
    for place in range(18):
        for char in ALPHABET:
            if char != code[place]:
                wrong = check_uscc(code[:place] + char + code[place + 1 :])
                assert wrong.value is None
                assert wrong.rule == "uscc.check"


@pytest.mark.parametrize("code", [GOLDEN, MADE, "9144030071526726XG"])
def test_every_swap_of_neighbours_is_noticed(code: str) -> None:
    for place in range(17):
        if code[place] != code[place + 1]:
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert check_uscc(swapped).value is None


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(GOLDEN.lower(), id="lower case"),
        pytest.param("９１１１００００６０００３７３４１Ｌ", id="full width"),
        pytest.param("９１１１００００６０００３７３４１ｌ", id="full width lower case"),
        pytest.param("\ufeff" + GOLDEN, id="BOM in front"),
        pytest.param(GOLDEN + "\ufeff", id="BOM behind"),
        pytest.param(f"  {GOLDEN}\t\r\n", id="blanks around"),
        pytest.param("9111 0000 6000 3734 1L", id="blanks inside"),
        pytest.param("\u30009111\u00a00000600037341L", id="ideographic and no-break blanks"),
    ],
)
def test_habits_of_typing_are_cured(typed: str) -> None:
    assert check_uscc(typed) == (GOLDEN, None, None, None)


@pytest.mark.parametrize(
    "mark", ["\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\u200e", "\u202e", "\u2063", "\ufe0f", "\u180e", "\x00"]
)
@pytest.mark.parametrize("place", [0, 9, 18])
def test_invisible_characters_are_refused(mark: str, place: int) -> None:
    checked = check_uscc(GOLDEN[:place] + mark + GOLDEN[place:])
    assert checked.value is None
    assert checked.reason is not None
    assert checked.remedy is not None


@pytest.mark.parametrize("mark", ["\u200b", "\u200c", "\u200d", "\u2060", "\u00ad"])
def test_zero_width_characters_are_named_as_invisible(mark: str) -> None:
    assert check_uscc(GOLDEN[:9] + mark + GOLDEN[9:]).rule == "uscc.invisible"


@pytest.mark.parametrize(
    ("letter", "foreign", "name"),
    [
        ("A", "А", "CYRILLIC CAPITAL LETTER A"),
        ("M", "М", "CYRILLIC CAPITAL LETTER EM"),
        ("A", "а", "CYRILLIC CAPITAL LETTER A"),
        ("A", "Α", "GREEK CAPITAL LETTER ALPHA"),
        ("0", "О", "CYRILLIC CAPITAL LETTER O"),
    ],
    ids=["Cyrillic A", "Cyrillic M", "Cyrillic small a", "Greek A", "Cyrillic O"],
)
def test_look_alikes_of_other_scripts_are_refused_by_name(letter: str, foreign: str, name: str) -> None:
    spoilt = MADE.replace(letter, foreign, 1)
    assert spoilt != MADE
    checked = check_uscc(spoilt)
    assert checked.value is None
    assert checked.rule == "uscc.foreign_letter"
    assert checked.reason is not None
    assert name in checked.reason.en
    assert name in checked.reason.zh


@pytest.mark.parametrize(
    ("digit", "letter"), [("0", "O"), ("0", "o"), ("1", "I"), ("1", "i"), ("0", "Ｏ")], ids=["O", "o", "I", "i", "wide O"]
)
def test_letters_that_look_like_digits_are_refused_with_a_hint_and_never_guessed(digit: str, letter: str) -> None:
    place = GOLDEN.index(digit, 2)
    checked = check_uscc(GOLDEN[:place] + letter + GOLDEN[place + 1 :])
    assert checked.value is None
    assert checked.rule == "uscc.character"
    assert checked.reason is not None
    assert f"place {place + 1} is" in checked.reason.en
    assert f"it may be {digit}" in checked.reason.en
    assert f"第{place + 1}位" in checked.reason.zh
    assert digit in checked.reason.zh
    assert GOLDEN not in "".join((*checked.reason, *(checked.remedy or ())))


@pytest.mark.parametrize("letter", ["S", "V", "Z", "-", "*"])
def test_characters_outside_the_alphabet_are_refused(letter: str) -> None:
    checked = check_uscc(GOLDEN[:9] + letter + GOLDEN[10:])
    assert (checked.value, checked.rule) == (None, "uscc.character")


@pytest.mark.parametrize(
    "text", ["9.14199E+17", "9.14E17", "9.1411e+17", "9E+17", "９．１４Ｅ＋１７", " 9.14199E+17 ", str(9.1410100e17)]
)
def test_scientific_notation_is_refused_with_the_cause(text: str) -> None:
    checked = check_uscc(text)
    assert (checked.value, checked.rule) == (None, "uscc.scientific")
    assert checked.remedy is not None
    assert "文本" in checked.remedy.zh


@pytest.mark.parametrize(
    ("text", "fits"), [("110108000000016", True), ("110108000000017", False), (" 1101 0800 0000 016 ", True)]
)
def test_old_numbers_of_15_digits_are_refused_with_where_to_look(text: str, fits: bool) -> None:
    checked = check_uscc(text)
    assert (checked.value, checked.rule) == (None, "uscc.old_number")
    assert checked.reason is not None
    assert checked.remedy is not None
    assert ("check digit is wrong" in checked.reason.en) is not fits
    assert ("校验位不符" in checked.reason.zh) is not fits
    assert "look the enterprise up" in checked.remedy.en
    assert "公示系统" in checked.remedy.zh


@pytest.mark.parametrize("text", ["600037341", "60003734-1", "D2143569X", "D2143569-X"])
def test_an_organisation_code_alone_is_refused_as_such(text: str) -> None:
    assert check_uscc(text)[:2] == (None, "uscc.organisation_code")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (GOLDEN[:17], "uscc.length"),
        (GOLDEN, None),
        (GOLDEN + "0", "uscc.length"),
        ("", "uscc.empty"),
        (" \u3000\ufeff", "uscc.empty"),
        ("1" * 14, "uscc.length"),
        ("1" * 16, "uscc.length"),
    ],
    ids=["17", "18", "19", "none", "only blanks", "14 digits", "16 digits"],
)
def test_the_length_is_18(code: str, rule: str | None) -> None:
    assert check_uscc(code).rule == rule


def test_a_wrong_inner_organisation_code_only_warns() -> None:
    code = uscc(4711, inner_is_valid=False)
    checked = check_uscc(code)
    assert checked.is_accepted
    assert (checked.value, checked.rule) == (code, "uscc.organisation")
    assert checked.reason is not None
    assert "warning" in checked.reason.en
    assert "仅提示" in checked.reason.zh


@pytest.mark.parametrize("text", ["", "9.1E+17", "1" * 15, "1" * 17, GOLDEN[:17] + "0", "O" * 18, "А" * 18, "\u200b"])
def test_every_refusal_says_why_and_what_to_do_in_both_languages(text: str) -> None:
    checked = check_uscc(text)
    assert checked.value is None
    assert checked.rule is not None
    assert checked.reason is not None
    assert checked.remedy is not None
    assert all(sentence.strip() for sentence in (*checked.reason, *checked.remedy))


@pytest.mark.parametrize("body", ["1101080000000", "41990000000000"], ids=["13 digits", "14 digits"])
def test_check_digit_of_old_numbers_follows_mod_11_10(body: str) -> None:
    """ISO 7064 MOD 11,10: run over the whole number, the last sum leaves 1 modulo 10."""
    digit = registration_number_check_digit(body)
    product = 10
    for char in body:
        product = (product + int(char)) % 10 or 10
        product = 2 * product % 11
    assert (product + int(digit)) % 10 == 1


@pytest.mark.parametrize(
    ("body", "check"),
    [("D2143569", "X"), ("60003734", "1"), ("80210043", "3"), ("71526726", "X"), ("19220382", "1")],
)
def test_check_character_of_organisation_codes(body: str, check: str) -> None:
    assert organisation_check_character(body) == check


# --- patents and trademarks ---


@pytest.mark.parametrize(
    ("body", "digit"),
    [
        ("85100001", "0"),  # 8·2 + 5·3 + 1·4 + 1·9 = 44 = 4·11: the first Chinese patent application
        ("85100000", "2"),  # 35 = 3·11 + 2
        ("85100010", "X"),  # 35 + 8 = 43 = 3·11 + 10
        ("200310000001", "8"),  # 2·2 + 3·5 + 1·6 + 1·5 = 30 = 2·11 + 8
    ],
)
def test_check_digit_of_patents_by_hand(body: str, digit: str) -> None:
    assert patent_check_digit(body) == digit
    assert check_patent_number(f"ZL{body}.{digit}").is_accepted


@pytest.mark.parametrize(
    "text", ["ZL85100001.0", "zl 85100001.0", "CN85100001.0", "851000010", "ＺＬ８５１００００１．０", "\ufeff85100001.0"]
)
def test_patent_numbers_are_brought_to_one_form(text: str) -> None:
    assert check_patent_number(text) == ("ZL85100001.0", None, None, None)


@pytest.mark.parametrize("kind", "0123456789")
def test_the_kind_of_a_patent_is_one_of_five(kind: str) -> None:
    body = f"2020{kind}0000001"
    checked = check_patent_number(f"{body}.{patent_check_digit(body)}")
    assert checked.is_accepted is (kind in "12389")
    assert checked.rule == (None if kind in "12389" else "patent.kind")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("85100001.1", "patent.check"),
        ("8510000.1", "patent.format"),
        ("8510000101", "patent.format"),
        ("20201000000", "patent.format"),
        ("20201000000012", "patent.format"),
        ("", "patent.format"),
        ("US1234567", "patent.format"),
        ("8.51E+08", "patent.format"),
    ],
    ids=["wrong digit", "8", "10", "11", "14", "empty", "foreign", "scientific"],
)
def test_wrong_patent_numbers_are_refused(text: str, rule: str) -> None:
    assert check_patent_number(text)[:2] == (None, rule)


def test_wrong_patent_check_digit_names_the_right_one() -> None:
    checked = check_patent_number("85100001.1")
    assert checked.reason is not None
    assert checked.reason.en == "the check digit should be 0, not 1"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", "1"), ("12345678", "12345678"), ("123456789", None), ("", None), ("1234567a", "1234567A"), ("A123", None)],
)
def test_trademark_numbers_have_one_to_eight_digits(text: str, value: str | None) -> None:
    assert check_trademark_number(text).value == value


# --- names ---


def test_cured_takes_away_blanks_bom_width_and_case() -> None:
    assert cured("\ufeff ａ b\u3000C\t") == "ABC"


@pytest.mark.parametrize(
    "text",
    ["郑州某某（河南）有限公司", "郑州某某(河南)有限公司", "郑州 某某【河南】有限公司\ufeff", "郑州某某［河南］有限公司"],
)
def test_names_compare_equal_whatever_their_brackets_and_blanks(text: str) -> None:
    assert normal_name(text) == "郑州某某(河南)有限公司"


@pytest.mark.parametrize(
    "text", ["郑州金恒商贸有限公司", "河南省金恒商贸股份有限公司", "金恒商贸（郑州）有限责任公司", "金恒商贸集团"]
)
def test_the_core_of_a_name_has_neither_region_nor_legal_form(text: str) -> None:
    assert name_core(text) == "金恒商贸"
