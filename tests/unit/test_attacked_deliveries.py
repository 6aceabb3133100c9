"""What an attacker without sight of the code got through `zhixin accept`: each finding, with its siblings, is asked or refused."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt

from dirty_deliveries import firms, registrations_csv
from shipped import shipped
from zhixin import open_snapshot
from zhixin.dataset.acceptance import accept
from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.workbook_inspection import inside
from zhixin.dataset.delivery.workbook_sandbox import read_workbook
from zhixin.dataset.reading import read_table
from zhixin.errors import DatasetError

FIRMS = firms(12, 7)
TITLES = (
    "行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据",
    "处罚类别", "处罚内容", "罚款金额（万元）", "处罚决定日期", "处罚机关",
)  # fmt: skip
AMOUNT, DECIDED, CONTENT, DOCUMENT, FACTS = 9, 10, 8, 3, 5


def row(number: int, **changes: Any) -> list[Any]:
    """A clean row of the firm of that number, with cells changed by place (``c9=…``)."""
    code, name, _district = FIRMS[number]
    cells: list[Any] = [
        name, "法人及非法人组织", code, f"郑罚〔2026〕{number + 1}号", "商标侵权", "销售", "商标法第六十条", "罚款", "罚款", 1.5,
        "2026-03-01", "郑州市市场监督管理局",
    ]  # fmt: skip
    for place, value in changes.items():
        cells[int(place[1:])] = value
    return cells


def csv_of(*rows: list[Any], titles: tuple[str, ...] = TITLES) -> bytes:
    return "\r\n".join(",".join(str(cell) for cell in cells) for cells in (titles, *rows)).encode()


def padded(*rows: list[Any]) -> bytes:
    """The rows with clean ones below, so that few refused rows do not hold the whole file."""
    return csv_of(*rows, *(row(number) for number in range(len(rows), 12)))


def xlsx_of(*rows: list[Any], amount_format: str = "", **options: Any) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    sheet, shape = book.add_worksheet(), book.add_format({"num_format": amount_format or "General"})
    for line, cells in enumerate((TITLES, *rows)):
        sheet.write_row(line, 0, cells)
        if line and isinstance(cells[AMOUNT], int | float):
            sheet.write_number(line, AMOUNT, cells[AMOUNT], shape)
    book.close()
    return buffer.getvalue()


def ods_of(
    cell: str, *, repeated: int = 1, null_date: str = "", columns: str = "", blank: str = "", is_shown: bool = True
) -> bytes:
    """An ods of one row whose amount is the cell given as XML, with columns and blank rows before the header."""

    def text(value: Any) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    cells = [cell if place == AMOUNT else text(value) for place, value in enumerate(row(0))]
    head = "".join(text(title) for title in TITLES)
    rows = f'{columns}{blank}<table:table-row>{head}</table:table-row><table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
    )
    dates = (
        f'<table:calculation-settings><table:null-date table:date-value="{null_date}"/></table:calculation-settings>'
        if null_date
        else ""
    )
    shown = f'<style:style style:name="ta1" style:family="table"><style:table-properties table:display="{str(is_shown).lower()}"/></style:style>'
    content = f'<?xml version="1.0"?><office:document-content {spaces}><office:automatic-styles>{shown}</office:automatic-styles><office:body><office:spreadsheet>{dates}<table:table table:name="T" table:style-name="ta1">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
    return buffer.getvalue()


Accept = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def accepted(tmp_path: Path) -> Accept:
    """Records of a folder with the registrations and the files given, or none where it is refused."""

    def taking(files: dict[str, bytes], **options: Any) -> list[dict[str, Any]]:
        folder = tmp_path / "given"
        folder.mkdir()
        (folder / "registrations.csv").write_bytes(registrations_csv(FIRMS))
        for name, content in files.items():
            (folder / name).write_bytes(content)
        try:
            report = accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28), **options)
        except DatasetError:
            return []
        assert all(part.adds_up for part in report.tables.values())
        return list(read_table(open_snapshot(tmp_path / "out").records).to_pylist())

    return taking


def test_the_clean_file_is_taken(accepted: Accept) -> None:
    assert [item["amount"] for item in accepted({"penalties.csv": csv_of(row(0), row(1))})] == [1_500_000, 1_500_000]


@pytest.mark.parametrize(
    "name", ["penalties.CSV", "Penalties.csv", "penalties.tsv", "penalties.json", "judgments.XLSX", "notes"]
)
def test_no_file_of_a_folder_goes_unread_in_silence(accepted: Accept, name: str, tmp_path: Path) -> None:
    found = accepted({name: csv_of(row(0))})
    assert (len(found) == 1) if name == "penalties.CSV" else not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "amount", ["¥15000", "￥15000", "¥ 15000", "15000（人民币）", "1.5²", "10²", "1⁵", "②", "15000", "0.001"]
)
def test_an_amount_whose_unit_is_not_that_of_the_column_is_asked(accepted: Accept, amount: str) -> None:
    assert len(accepted({"penalties.csv": padded(row(0, c9=amount))})) == 11


@pytest.mark.parametrize(
    "content",
    [
        "处以人民币500元的罚款", "处200元罚款", "给予200元行政处罚", "罚200元", "罚没款200元", "罚款伍拾元", "罚款捌佰圆整", "罚款人民币壹拾伍万元整",
        "罚款¥200元", "处五百元罚款", "罚款（人民币）200元",
    ],
)  # fmt: skip
def test_an_amount_against_the_words_of_the_decision_is_asked(accepted: Accept, content: str) -> None:
    assert len(accepted({"penalties.csv": padded(row(0, c8=content))})) == 11


@pytest.mark.parametrize(
    "content",
    [
        "罚款壹万伍仟元整",
        "罚款15000元，没收违法所得300元",
        "处一万五千元罚款",
        "罚款人民币1.5万元",
        "没收侵权商品20件，罚款15,000元",
    ],
)
def test_an_amount_that_the_words_bear_out_is_taken(accepted: Accept, content: str) -> None:
    assert len(accepted({"penalties.csv": padded(row(0, c8=f'"{content}"'))})) == 12


@pytest.mark.parametrize(
    "shape", ['#,##0.00"元"', "¥#,##0.00", "[$¥-804]#,##0.00", "[$$-409]#,##0.00", '"-"0.00', "0%", "0,"]
)
def test_a_format_that_shows_another_amount_is_refused(accepted: Accept, shape: str) -> None:
    assert accepted({"penalties.xlsx": xlsx_of(row(0), row(1), amount_format=shape)}) == []


@pytest.mark.parametrize(
    "shape", ["General", "0.00", "#,##0.00", "[$-804]0.00", '0.00"万元"', "_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ @_ "]
)
def test_a_format_that_shows_the_same_amount_is_read(accepted: Accept, shape: str) -> None:
    found = accepted({"penalties.xlsx": xlsx_of(row(0), row(1), amount_format=shape)})
    assert len(found) == (0 if "万元" in shape else 2)


CELL = '<table:table-cell office:value-type="{}" office:value="{}"{}><text:p>{}</text:p></table:table-cell>'.format


@pytest.mark.parametrize(
    ("cell", "taken"),
    [
        (CELL("float", "1.5", "", "1.5"), 1), (CELL("float", "1.5", "", "1.50"), 1), (CELL("currency", "1.5", ' office:currency="CNY"', "￥1.50"), 1),
        (CELL("currency", "800", ' office:currency="USD"', "$800"), 0), (CELL("float", "800", "", "800元"), 0), (CELL("float", "1.5", "", "15"), 0),
        (CELL("percentage", "0.5", "", "50%"), 0), (CELL("float", "0", "", "#DIV/0!"), 0), (CELL("float", "0", "", "Err:502"), 0),
        ('<table:table-cell office:value-type="string" office:string-value=""><text:p>#DIV/0!</text:p></table:table-cell>', 0),
    ],
)  # fmt: skip
def test_an_ods_cell_shows_what_it_holds(accepted: Accept, cell: str, taken: int) -> None:
    assert len(accepted({"penalties.ods": ods_of(cell)})) == taken


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, 1), ({"columns": '<table:table-column table:number-columns-repeated="3"/>'}, 1), ({"is_shown": False}, 0),
        ({"columns": '<table:table-column table:visibility="collapse"/>'}, 0), ({"columns": '<table:table-column table:visibility="filter"/>'}, 0),
        ({"blank": '<table:table-row table:visibility="collapse"><table:table-cell/></table:table-row>'}, 0),
    ],
)  # fmt: skip
def test_what_an_ods_hides_is_not_read(accepted: Accept, given: dict[str, Any], taken: int) -> None:
    assert len(accepted({"penalties.ods": ods_of(CELL("float", "1.5", "", "1.5"), **given)})) == taken


def test_a_merged_range_below_repeated_blank_rows_is_found_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "penalties.ods"
    blank = '<table:table-row table:number-rows-repeated="5"><table:table-cell/></table:table-row>'
    file.write_bytes(ods_of(CELL("float", "1.5", ' table:number-rows-spanned="2"', "1.5"), blank=blank))
    assert [(merge.top, merge.bottom) for merge in inside(file).merges] == [(7, 8)]


def test_a_row_repeated_a_million_times_is_refused_at_once(accepted: Accept) -> None:
    assert accepted({"penalties.ods": ods_of(CELL("float", "1.5", "", "1.5"), repeated=1_000_000)}) == []


def test_a_bare_number_is_no_day_in_a_workbook_that_counts_from_1904(accepted: Accept) -> None:
    rows = [row(0, c10=44620), *(row(number) for number in range(1, 6))]
    assert len(accepted({"penalties.xlsx": xlsx_of(*rows, date_1904=True)})) == 5


def test_the_epoch_that_is_said_holds_for_files_of_sources(accepted: Accept) -> None:
    found = accepted({"penalties.csv": padded(row(0, c10="44620"))}, epoch=1904)
    assert sorted(item["decided_on"] for item in found)[-1] == date(2026, 3, 1)
    assert sum(item["decided_on"] == date(2026, 3, 1) for item in found) == 12


def test_a_formula_that_nobody_has_computed_is_refused_in_xls_too(accepted: Accept) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("T")
    for line, cells in enumerate((TITLES, row(0), row(1))):
        for place, cell in enumerate(cells):
            sheet.write(line, place, xlwt.Formula("3/2") if line and place == AMOUNT else cell)
    buffer = io.BytesIO()
    book.save(buffer)
    assert accepted({"penalties.xls": buffer.getvalue()}) == []


def test_quotes_that_swallow_rows_are_refused(accepted: Accept) -> None:
    rows = [row(number) for number in range(5)]
    rows[0][FACTS], rows[2][FACTS] = '"销售', '销售"'
    assert accepted({"penalties.csv": csv_of(*rows)}) == []


@pytest.mark.parametrize(
    "content",
    [
        "处罚台账（金额单位：元）\r\n".encode() + csv_of(row(0, c9=800), row(1, c9=800)),
        csv_of(row(0, c9=800), row(1, c9=800), titles=(*TITLES[:AMOUNT], "罚款金额（万元）（元）", *TITLES[AMOUNT + 1 :])),
        csv_of([*[""] * AMOUNT, "元", "", ""], row(0, c9=800), row(1, c9=800)),
        csv_of(row(0, c9=800), row(1, c9=800), ["注：罚款金额单位为元", *[""] * 11]),
        csv_of(row(0, c9=800), [*TITLES[:AMOUNT], "罚款金额（元）", *TITLES[AMOUNT + 1 :]], row(1, c9=800), row(2, c9=800)),
    ],
)
def test_a_unit_that_stands_elsewhere_in_the_file_is_not_passed_over(accepted: Accept, content: bytes) -> None:
    assert accepted({"penalties.csv": content}) == []


@pytest.mark.parametrize("words", ["办案单位：元通公司", "单位：千元商贸", "执法单位为亿元区局"])
def test_a_name_that_begins_like_a_unit_is_none(accepted: Accept, words: str) -> None:
    rows = [row(0, c5=words, c9="-1"), *(row(number) for number in range(1, 6))]
    assert len(accepted({"penalties.csv": csv_of(*rows)})) == 5


def test_two_columns_for_one_field_are_asked(accepted: Accept) -> None:
    titles = (*TITLES, "处罚日期")
    assert accepted({"penalties.csv": csv_of([*row(0), "2020-01-01"], [*row(1), "2020-01-01"], titles=titles)}) == []


@pytest.mark.parametrize(
    "document",
    [
        "郑罚410105199003078511号", "410105199003078515", "410105 19900307 8515", "４１０１０５１９９００３０７８５１５", "13800138000", "TRUE", "1.0",
        "Jan-26", "46082", "有限公司",
    ],
)  # fmt: skip
def test_what_is_no_document_or_names_a_person_is_none(accepted: Accept, document: str, tmp_path: Path) -> None:
    assert len(accepted({"penalties.csv": padded(row(0, c3=document))})) == 11
    kept = "".join(path.read_text(encoding="utf-8-sig") for path in (tmp_path / "out" / "quarantine").glob("*.csv"))
    if len(document) >= 18:
        assert "19900307" not in kept
        assert "１９９００３０７" not in kept


def test_personal_columns_are_hidden_in_the_quarantine(accepted: Accept, tmp_path: Path) -> None:
    titles = (*TITLES, "法定代表人", "自定义列")
    rows = [[*row(number), "张三", "410105199003078511"] for number in range(6)]
    rows[0][AMOUNT] = "-1"
    assert len(accepted({"penalties.csv": csv_of(*rows, titles=titles)})) == 5
    kept = (tmp_path / "out" / "quarantine" / "penalties.csv").read_text(encoding="utf-8-sig")
    assert FIRMS[0][0] in kept
    assert "张三" not in kept
    assert "4101051990" not in kept


@pytest.mark.parametrize("name", ["郑州", "有限公司", "***"])
def test_a_name_of_which_nothing_is_left_is_not_the_firm(accepted: Accept, name: str) -> None:
    assert len(accepted({"penalties.csv": padded(row(0, c0=name))})) == 11


def test_one_patent_in_six_spellings_is_one_record() -> None:
    from zhixin.dataset.delivery.column_parsers import parse_checked
    from zhixin.dataset.identity import check_patent_number, check_trademark_number

    spellings = [
        "ZL202010000001.1",
        "202010000001.1",
        "2020100000011",
        "CN202010000001.1",
        "专利号：ZL202010000001.1",
        2020100000011,
    ]
    assert {parse_checked(check_patent_number, item) for item in spellings} == {"ZL202010000001.1"}
    assert {
        parse_checked(check_trademark_number, item)
        for item in ["12345678", "第12345678号", "注册号12345678", "No.12345678", 12345678.0]
    } == {"12345678"}
    assert parse_checked(check_trademark_number, "G12345678").rule == "trademark.format"


def test_rows_said_twice_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "registrations.csv").write_bytes(registrations_csv(FIRMS))
    same = [row(0), row(0, c3="郑罚[2026]01号"), row(0, c3="郑罚（2026）第1号")]
    (folder / "penalties.csv").write_bytes(csv_of(*same, row(1)))
    report = accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))
    found = report.tables["penalties"]
    assert (found.rows, found.accepted, found.duplicates, found.quarantined) == (4, 2, 2, 0)


def test_a_firm_that_is_told_two_ways_in_one_file_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    text = registrations_csv(FIRMS).decode()
    first = text.splitlines()[1].split(",")
    (folder / "registrations.csv").write_text(
        text + ",".join([*first[:2], "2001-01-01", *first[3:]]) + "\r\n", encoding="utf-8"
    )
    report = accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))
    assert dict(report.tables["registrations"].rules) == {"row.contradicts": 1}


@pytest.mark.parametrize("is_refused", [False, True])
def test_what_a_workbook_held_is_nowhere_on_the_disk_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    file = tmp_path / "penalties.xlsx"
    file.write_bytes(xlsx_of(*(row(number) for number in range(10)), amount_format="0%" if is_refused else "0.00"))
    if is_refused:
        file.write_bytes(file.read_bytes()[:900])
        with pytest.raises(FileRefused):
            read_workbook(file)
    else:
        book = read_workbook(file)
        assert list(temporary.iterdir()) == []  # not even while it is read: a crash leaves nothing
        one, other = book.rows(), book.rows()
        assert [(next(one), next(other)) for _ in range(11)] == [(line, line) for line in book.rows()]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", ["郑市监严列〔2026〕1号", "根据郑市监信认[2026]001号", "【郑市监信惩】2026年第1号"])
def test_no_file_brings_a_number_of_the_bureaus_own_papers(accepted: Accept, number: str) -> None:
    assert len(accepted({"penalties.csv": padded(row(0, c3=number))})) == 11


@pytest.mark.parametrize("place", [0, DOCUMENT, FACTS, CONTENT])
def test_a_text_that_shows_something_else_than_it_says_is_asked(accepted: Accept, place: int) -> None:
    turned = str(row(0)[place]) + "\u202eabc\u202c"
    assert len(accepted({"penalties.csv": padded(row(0, **{f"c{place}": turned}))})) == 11


def test_files_of_sources_are_about_the_subjects_of_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    lines = [f"{code},{name}" for code, name, _district in FIRMS]
    (folder / "subjects.csv").write_text("\n".join(["subject_id,name", *lines]), encoding="utf-8")
    (folder / "penalties.csv").write_bytes(padded(row(0, c0=FIRMS[1][1])))
    report = accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))
    assert dict(report.tables["penalties"].rules) == {"subject.name_differs": 1}
    assert (report.tables["subjects"].accepted, report.tables["records"].accepted) == (12, 11)


@pytest.mark.parametrize("table", ["subjects", "records"])
def test_a_table_and_a_source_do_not_give_the_same(tmp_path: Path, table: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / f"{table}.csv").write_text("subject_id,name\n", encoding="utf-8")
    (folder / "registrations.csv").write_bytes(registrations_csv(FIRMS))
    (folder / "penalties.csv").write_bytes(csv_of(row(0)))
    with pytest.raises(DatasetError, match=f"the table {table} and the file of the source"):
        accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))


def test_decisions_of_the_site_come_in_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "registrations.csv").write_bytes(registrations_csv(FIRMS))
    (folder / "determinations.csv").write_bytes(csv_of(row(0)))
    with pytest.raises(DatasetError, match="made by decisions of the site alone"):
        accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))


def test_a_delivery_that_is_refused_as_a_whole_says_for_what(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "registrations.csv").write_bytes(registrations_csv(FIRMS[6:]))
    (folder / "penalties.csv").write_bytes(csv_of(*(row(number) for number in range(6))))
    with pytest.raises(DatasetError, match="record.unknown_subject × 6"):
        accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))


def test_of_subjects_told_twice_the_accepted_row_gives_the_name(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (code, name, _district), other = FIRMS[0], FIRMS[1][1]
    lines = [f"{item},{said}" for item, said, _district in FIRMS] + [f"{code},{other}"]
    (folder / "subjects.csv").write_text("\n".join(["subject_id,name", *lines]), encoding="utf-8")
    (folder / "penalties.csv").write_bytes(padded(row(0), row(0, c0=other, c3="郑罚〔2026〕99号")))
    report = accept(shipped("zhengzhou-ip"), folder, tmp_path / "out", date(2026, 11, 28))
    assert dict(report.tables["subjects"].rules) == {"row.duplicate": 1}
    assert dict(report.tables["penalties"].rules) == {"subject.name_differs": 1}
    assert name != other
