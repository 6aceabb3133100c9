"""Name search: two characters, one, pinyin initials, parts of the code; no query can break it."""

from __future__ import annotations

from typing import Any

import pytest

from zhixin_web.collection.services.reversal import reverse_batch
from zhixin_web.records import search
from zhixin_web.records.models import Subject

HEADER = "统一社会信用代码,企业名称,登记区县"
NAMES = (
    "重庆小面（郑州）有限公司",
    "郑州云帆科技有限公司",
    "河南360度数码有限公司",
    "中原区老张ABC商行",
    "长垣起重机械厂",
    "云南白药郑州店",
)


@pytest.fixture
def named(take: Any, codes: list[str]) -> dict[str, Subject]:
    """Subjects with the names above, by name."""
    rows = [f"{code},{name},410105" for code, name in zip(codes, NAMES, strict=False)]
    batch = take("registrations", "\n".join([HEADER, *rows]))
    assert batch.accepted == len(NAMES)
    return {subject.name: subject for subject in Subject.objects.all()}


def found(query: str) -> set[str]:
    return set(Subject.objects.filter(pk__in=search.find(query)).values_list("name", flat=True))


# --- Chinese characters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("云帆", {"郑州云帆科技有限公司"}),
        ("郑州", {"重庆小面（郑州）有限公司", "郑州云帆科技有限公司", "云南白药郑州店"}),
        ("老张", {"中原区老张ABC商行"}),
        ("械厂", {"长垣起重机械厂"}),
    ],
)
def test_two_characters_find_names_that_hold_them_together(named: Any, query: str, names: set[str]) -> None:
    assert found(query) == names


def test_two_characters_apart_from_each_other_find_nothing(named: Any) -> None:
    assert found("云州") == set()


def test_one_character_finds_names_that_hold_it(named: Any) -> None:
    assert found("云") == {"郑州云帆科技有限公司", "云南白药郑州店"}


def test_a_whole_name_finds_its_subject(named: Any) -> None:
    assert found("郑州云帆科技有限公司") == {"郑州云帆科技有限公司"}


def test_two_words_with_a_blank_are_read_as_one(named: Any) -> None:
    assert found("云帆 科技") == {"郑州云帆科技有限公司"}


def test_a_rare_character_beyond_the_first_plane_is_found(take: Any, codes: list[str]) -> None:
    take("registrations", f"{HEADER}\n{codes[0]},郑州𠮷野商行,410105")
    assert found("𠮷野") == {"郑州𠮷野商行"}


# --- pinyin ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["zzyf", "ZZYF", "zzyfkjyxgs", "ｚｚｙｆ"])
def test_pinyin_initials_from_the_beginning(named: Any, query: str) -> None:
    assert found(query) == {"郑州云帆科技有限公司"}


@pytest.mark.parametrize("query", ["yf", "yfkj", "kjyxgs"])
def test_pinyin_initials_from_the_middle(named: Any, query: str) -> None:
    assert found(query) == {"郑州云帆科技有限公司"}


def test_chongqing_is_cq(named: Any) -> None:
    assert "重庆小面（郑州）有限公司" in found("cqxm")


def test_chongqing_is_not_zq(named: Any) -> None:
    assert found("zqxm") == set()


def test_initials_go_on_across_brackets(named: Any) -> None:
    assert found("xmzz") == {"重庆小面（郑州）有限公司"}


# --- digits, letters and brackets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["360", "３６０", "360度", "河南360"])
def test_digits_in_names(named: Any, query: str) -> None:
    assert found(query) == {"河南360度数码有限公司"}


@pytest.mark.parametrize("query", ["ABC", "abc", "ａｂｃ", "abc商行", "张ABC"])
def test_letters_in_names(named: Any, query: str) -> None:
    assert found(query) == {"中原区老张ABC商行"}


@pytest.mark.parametrize("query", ["小面（郑州）", "小面(郑州)", "小面 郑州", "小面【郑州】", "小面（郑州"])
def test_brackets_of_any_width_are_alike(named: Any, query: str) -> None:
    assert found(query) == {"重庆小面（郑州）有限公司"}


def test_brackets_in_the_name_are_alike_too(take: Any, codes: list[str]) -> None:
    rows = [f"{codes[0]},甲乙（郑州）公司,410105", f"{codes[1]},甲乙(郑州)公司,410105"]
    take("registrations", "\n".join([HEADER, *rows]))
    assert found("甲乙（郑州）公司") == {"甲乙（郑州）公司", "甲乙(郑州)公司"}


# --- the code ----------------------------------------------------------------------------------------------------------------------------------


def codes_found(query: str) -> set[str]:
    return set(Subject.objects.filter(pk__in=search.find(query)).values_list("code", flat=True))


@pytest.mark.parametrize(("start", "end"), [(0, 18), (0, 6), (8, 12), (9, 14), (12, 18), (14, 18)])
def test_part_of_the_code(named: dict[str, Subject], start: int, end: int) -> None:
    code = named["长垣起重机械厂"].code
    part = code[start:end]
    assert codes_found(part) == {item.code for item in named.values() if part in item.code}


def test_the_code_in_lower_case(named: dict[str, Subject]) -> None:
    code = next(item.code for item in named.values() if not item.code[8:].isdigit())
    assert codes_found(code[8:].lower()) == {code}


def test_a_code_of_another_subject_finds_nothing(named: Any, codes: list[str]) -> None:
    assert codes_found(codes[len(NAMES)]) == set()


# --- nothing a person types raises --------------------------------------------------------------------------------------------------------------


NAUGHTY = [
    "", " ", "'", '"', "''", '""', "'; DROP TABLE records_subject; --", '" OR 1=1 --', "AND", "OR", "NOT", "NEAR", "NEAR(云 帆)", "云 AND", "OR 云", "NOT 云帆",
    "*", "**", "云*", "*云", "a*", "(", ")", "((", "()", "云)", "(云", "\\", "\\\\", "云\\", "\\'", "'\\", "a\\", "^云", "words:云", "-云", "+云", "云:*", ":*", "a:b", "a & b", "a | b", "!a", "<->", "a <-> b", "%", "_", "%s", "{}",
    "\n", "\t\r", "\u200b", "\ufeff", "😀", "云😀", "👨‍👩‍👧", "é", "ß", "İ", "¼", "①", "㍿", "ﷺ", "Ω", "\u0301", "\ufffd", "\U0010ffff", "A" * 10_000, "云" * 10_000, '"' * 10_000, "a云" * 5_000, "SELECT 1; SELECT 2", "$$", "?", "<script>", "..", "/etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("query", NAUGHTY, ids=range(len(NAUGHTY)))
def test_no_query_raises(named: Any, query: str) -> None:
    assert isinstance(search.find(query), list)


@pytest.mark.parametrize("query", ["\0", "云\0帆", "a\0b"])
def test_a_nul_does_not_raise(named: Any, query: str) -> None:
    assert isinstance(search.find(query), list)


@pytest.mark.parametrize("query", ["\ud800", "云\udfff"])
def test_half_a_surrogate_does_not_raise(named: Any, query: str) -> None:
    assert isinstance(search.find(query), list)


@pytest.mark.parametrize("query", ["'", '"', "AND", "OR", "NOT", "()", "' OR '1'='1"])
def test_a_query_of_signs_or_operators_does_not_find_everything(named: Any, query: str) -> None:
    assert len(search.find(query)) < len(NAMES)


@pytest.mark.parametrize("query", ["*", "%", "😀", "?", "|"])
def test_a_sign_that_is_no_word_finds_nothing(named: Any, query: str) -> None:
    assert search.find(query) == []


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien（郑州）公司",
        '双"引号公司',
        "反\\斜杠公司",
        "星*号公司",
        "AND公司",
        "甲&乙:丙|公司",
        "😀公司",
        "A" * 200,
        "é" * 200,
    ],
)
def test_a_naughty_name_can_be_registered_and_found(take: Any, codes: list[str], name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert take("registrations", f"{HEADER}\n{codes[0]},{quoted},410105").accepted == 1
    assert found(name) == {name}


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_at_most_so_many_are_given(named: Any, limit: int) -> None:
    assert len(search.find("郑州", limit=limit)) == limit


# --- other names ----------------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def renamed(named: dict[str, Subject], take: Any) -> Subject:
    """云帆 has become 海川."""
    subject = named["郑州云帆科技有限公司"]
    assert take("registrations", f"{HEADER}\n{subject.code},郑州海川科技有限公司,410105").accepted == 1
    return subject


@pytest.mark.parametrize("query", ["云帆", "郑州云帆科技有限公司", "zzyf", "yfkj"])
def test_an_old_name_no_longer_finds_the_subject(renamed: Subject, query: str) -> None:
    assert renamed.pk not in search.find(query)


@pytest.mark.parametrize("query", ["海川", "zzhc", "hckj"])
def test_the_new_name_finds_it(renamed: Subject, query: str) -> None:
    assert search.find(query) == [renamed.pk]


def test_the_code_still_finds_it(renamed: Subject) -> None:
    assert search.find(renamed.code) == [renamed.pk]


def test_a_new_name_delivered_twice_in_one_file_is_taken_once(named: dict[str, Subject], take: Any) -> None:
    row = f"{named['郑州云帆科技有限公司'].code},郑州海川科技有限公司,410105"
    batch = take("registrations", "\n".join([HEADER, row, row]))
    assert (batch.accepted, batch.duplicates) == (1, 1)


def test_the_name_kept_is_the_one_that_was_accepted(named: dict[str, Subject], take: Any) -> None:
    code = named["郑州云帆科技有限公司"].code
    batch = take("registrations", f"{HEADER}\n{code},郑州海川科技有限公司,410105\n{code},郑州山岳科技有限公司,410105")
    assert (batch.accepted, batch.quarantined) == (1, 1)
    assert (found("海川"), found("山岳")) == ({"郑州海川科技有限公司"}, set())


def test_a_name_taken_back_no_longer_finds_the_subject(named: dict[str, Subject], take: Any, people: Any) -> None:
    subject = named["郑州云帆科技有限公司"]
    batch = take("registrations", f"{HEADER}\n{subject.code},郑州海川科技有限公司,410105")
    reverse_batch(batch, people["city"], "演示")
    assert (search.find("海川"), search.find("云帆")) == ([], [subject.pk])


# --- readings, and two words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("漯河鑫源食品", "lhxy"), ("长葛大成机械", "cgdc"), ("浚县天宁商贸", "xxtn"), ("召陵新城建材", "slxc"), ("单氏陶瓷", "sstc"),
        ("翟庄酒业", "zzjy"), ("曾记食品", "zjsp"), ("朝阳贸易", "cymy"), ("重庆小面馆", "cqxm"), ("郑州银行", "zzyh"), ("行知教育", "xzjy"),
    ],
)  # fmt: skip
def test_a_name_is_found_by_every_plausible_reading(take: Any, codes: list[str], name: str, query: str) -> None:
    take("registrations", "\n".join([HEADER, f"{codes[0]},{name}（虚构）,410105"]))
    assert len(found(query)) == 1


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("郑州 食品", True),
        ("食品 郑州", True),
        ("鑫源 郑州", True),
        ("郑州 机械", False),
        ("zzxy 食品", True),
        ("  郑州   食品 ", True),
        ("郑州食品", False),
    ],
)
def test_two_words_mean_both(take: Any, codes: list[str], query: str, is_found: bool) -> None:
    take(
        "registrations",
        "\n".join([HEADER, f"{codes[0]},郑州鑫源食品（虚构）,410105", f"{codes[1]},洛阳大成机械（虚构）,410105"]),
    )
    assert (len(found(query)) == 1) == is_found


def test_a_code_typed_in_groups_is_one_word(take: Any, codes: list[str]) -> None:
    take("registrations", "\n".join([HEADER, f"{codes[0]},郑州鑫源食品（虚构）,410105"]))
    code = codes[0]
    assert len(found(f"{code[:2]} {code[2:8]} {code[8:17]} {code[17:]}")) == 1
