"""Generate penalty deliveries with every known kind of dirt, each with the truth of every row.

Written from the public description of the dirt alone, without sight of the reader it tries. All firms are fictional.
Register `registrations_csv(firms(FIRMS, seed))` first, then hand in `deliveries(seed)` in their order.

Conventions:
- `Truth.line` counts rows as a spreadsheet shows them: a quoted line break does not start a row, a blank line is a row.
  It counts in the sheet that holds the rows; where k sheets hold rows, those of sheet k count from 10,000 * (k - 1).
- `must_ask` is kept for rows whose right value cannot be known from the row. Where a careful reader could know it,
  the truth holds the value: right or asked are both fine then, and `wrongly_refused_ok` is set for the file.
- A delivery with `after` repeats acts of that earlier file: its rows may not become new records once that one is in
  (judge it only if that one was committed).
- `waits` is True too when every row was asked or refused one by one.
"""

import argparse
import csv
import io
import random
import re
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import xlsxwriter
import xlwt

FIRMS = 300
SEED, ROWS = 20261128, 12
FILLER = 10_000  # added to the rows of every further sheet that holds rows
COLUMNS = {
    "name": "行政相对人名称", "category": "行政相对人类别", "code": "行政相对人代码_1(统一社会信用代码)",
    "document": "行政处罚决定书文号", "violation": "违法行为类型", "fact": "违法事实", "basis": "处罚依据",
    "sanction": "处罚类别", "content": "处罚内容", "amount": "罚款金额（万元）", "decided": "处罚决定日期",
    "organ": "处罚机关", "offence": "违法行为发生日期", "published": "公示日期", "note": "备注",
}  # fmt: skip
BASES = {
    "商标侵权": "商标法第六十条", "商标使用违法": "商标法第四十九条", "假冒专利": "专利法第六十八条",
    "专利侵权": "专利法第六十五条", "不正当竞争": "反不正当竞争法第十八条",
}  # fmt: skip
YUAN = ("1500", "5000", "12345", "30000", "200000", "8000", "50000", "1234.56", "65000", "150000")
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
FORMS = ("csv", "xlsx", "xls")
BOOKS = ("xlsx", "xls")
Firm = tuple[str, str, str]


@dataclass(frozen=True)
class Truth:
    """Hold what is right for one row of a file."""

    line: int
    code: str | None
    name: str
    document: str | None
    amount_fen: int | None
    decided_on: date | None
    must_ask: bool
    is_data: bool = True


@dataclass(frozen=True)
class Dirty:
    """Hold one delivery, its truth and what may be done with it as a whole."""

    kind: str
    file_name: str
    content: bytes
    truth: tuple[Truth, ...]
    batch_must_wait: bool
    wrongly_refused_ok: bool
    after: str | None = None


def check_character(body: str) -> str:
    """Return the check character of the 17 leading characters of a credit code (GB 32100-2015)."""
    return ALPHABET[-sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body)) % 31]


def _code(rng: random.Random, district: str) -> str:
    inner = "MA" + "".join(rng.choice(ALPHABET) for _ in range(6))
    rest = 11 - sum(int(c, 36) * w for c, w in zip(inner, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    body = f"91{district}{inner}{'X' if rest == 10 else rest % 11}"
    return body + check_character(body)


def firms(count: int, seed: int) -> list[Firm]:
    """Return fictional firms as (code, name, district); from 20 on, some that are easily confused.

    Nos. 0 and 1 share their names with the last two, no. 3 is a branch of no. 2, nos. 4/5 and 6/7 differ in one character.
    """
    rng = random.Random(f"firms {seed}")
    found: dict[str, Firm] = {}
    names: set[str] = set()
    while len(found) < count:
        district = rng.choice(("410102", "410103", "410104", "410105", "410106", "410108"))
        word = rng.choice("辰金铜银铁木水火土日月星") + rng.choice("宁和丰康盛博利雅远泰") + rng.choice("科达鑫源祥瑞通")
        name = f"郑州{word}{rng.choice(('商贸', '电子', '服饰', '科技', '建材', '食品'))}有限公司（虚构）"
        code = _code(rng, district)
        if name not in names and code not in found:
            names.add(name)
            found[code] = (code, name, district)
    made = list(found.values())
    if count >= 20:
        twin = {3: made[2][1].replace("有限公司", "有限公司金水分公司"), count - 1: made[0][1], count - 2: made[1][1]}
        twin |= {i: made[i - 1][1][:4] + "浩" + made[i - 1][1][5:] for i in (5, 7)}
        made = [(code, twin.get(i, name), district) for i, (code, name, district) in enumerate(made)]
    return made


def registrations_csv(firms: Sequence[Firm]) -> bytes:
    """Return the registrations of the firms as a file."""
    lines = [
        f"{code},{name},{date(2012, 3, 1) + timedelta(days=3 * i)},{district}"
        for i, (code, name, district) in enumerate(firms)
    ]
    return "\r\n".join(["统一社会信用代码,企业名称,成立日期,登记区县", *lines, ""]).encode()


@dataclass(frozen=True)
class _X:
    """Describe a cell of a workbook that is more than a value."""

    value: Any = ""
    shape: str = ""  # number format
    formula: str = ""
    error: str = ""


@dataclass
class _Row:
    """Hold the cells of one row beside its truth."""

    code: str | None
    name: str
    document: str
    fen: int | None = None
    decided: date = date.min
    cells: dict[str, Any] = field(default_factory=dict)
    ask: bool = False
    raw: list[Any] | None = None

    def fine(self, yuan: str, unit: int = 10_000) -> None:
        """Set the fine, in truth and in the cells."""
        self.fen = int(Decimal(yuan) * 100)
        self.cells |= {"amount": Decimal(yuan) / unit, "content": f"罚款{yuan}元"}

    def on(self, day: date) -> None:
        """Set the day of the decision and what goes with it."""
        self.decided, self.document = day, re.sub(r"〔\d+", f"〔{day.year}", self.document)
        self.cells |= {"document": self.document, "decided": day}
        self.cells |= {"offence": day - timedelta(days=40), "published": day + timedelta(days=5)}

    def line(self, columns: Iterable[str]) -> list[Any]:
        """Return the cells in the order of the columns."""
        return list(self.raw) if self.raw is not None else [self.cells.get(c, "") for c in columns]

    def copy(self, ask: bool = False, **changes: Any) -> "_Row":
        """Return the same act once more, with some cells changed."""
        return _Row(self.code, self.name, self.document, self.fen, self.decided, self.cells | changes, ask or self.ask)

    def truth(self, line: int) -> Truth:
        """Return the truth of the row at a line."""
        return Truth(line, self.code, self.name, self.document or None, self.fen, self.decided, self.ask)


Line = _Row | list[Any]
Case = Callable[[_Row], None]


def _case(column: str, cell: Any, yuan: str = "", day: str = "", ask: bool = False, **more: Any) -> Case:
    """Return what changes a row: another true fine or day, then other cells; asked when they cannot be understood."""

    def apply(row: _Row) -> None:
        if yuan:
            row.fine(yuan)
        if day:
            row.on(date.fromisoformat(day))
        row.cells |= {column: cell(row) if callable(cell) else cell, **more}
        row.ask = row.ask or ask
        if ask and column == "document":
            row.document = ""
        if ask and column in ("code", "name"):
            row.code = None

    return apply


def _asks(column: str, *cells: Any) -> list[Case]:
    return [_case(column, cell, ask=True) for cell in cells]


def _fines(pairs: Iterable[tuple[Any, str]]) -> list[Case]:
    return [_case("amount", cell, yuan) for cell, yuan in pairs]


def _days(pairs: Iterable[tuple[Any, str]]) -> list[Case]:
    return [_case("decided", cell, day=day) for cell, day in pairs]


def _warning(cell: Any, ask: bool = False) -> Case:
    def apply(row: _Row) -> None:
        _case("amount", cell, ask=ask, sanction="警告", content="警告")(row)
        row.fen = None

    return apply


def _reshaped(change: Callable[[list[Any], int], list[Any]], *places: int, ask: bool = True) -> list[Case]:
    def at(place: int) -> Case:
        def apply(row: _Row) -> None:
            row.raw, row.ask = change(row.line(COLUMNS), place), ask

        return apply

    return [at(place) for place in places]


def _all(rows: list[_Row], case: Case) -> list[_Row]:
    for row in rows:
        case(row)
    return rows


@dataclass
class _Sheet:
    name: str
    grid: list[list[Any]]
    hidden: int = 0  # 1 hidden, 2 very hidden
    merges: Sequence[str] = ()  # columns merged over the first three rows of data
    hidden_rows: Sequence[int] = ()

    def cells(self) -> Iterable[tuple[int, int, _X]]:
        """Return the cells that are written, with their places from 0."""
        merged = {list(COLUMNS).index(c) for c in self.merges}
        for r, line in enumerate(self.grid):
            for c, cell in enumerate(line):
                x = cell if isinstance(cell, _X) else _X(cell, "yyyy-mm-dd" if isinstance(cell, date) else "")
                if x != _X() and not (c in merged and r in (2, 3)):
                    yield r, c, x


def _text(cell: Any) -> str:
    if isinstance(cell, _X):
        return cell.error or _text(cell.value)
    return f"{cell.normalize():f}" if isinstance(cell, Decimal) else str(cell)


def _csv(grid: Iterable[list[Any]], delimiter: str = ",", quoted: bool = True, end: str = "\r\n") -> str:
    out = io.StringIO()
    if not quoted:
        return "".join(delimiter.join(map(_text, line)) + end for line in grid)
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([_text(c) for c in line] for line in grid)
    return out.getvalue()


def _xlsx(sheets: Sequence[_Sheet], **options: Any) -> bytes:
    out = io.BytesIO()
    book: Any = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, **options})
    book.set_properties({"created": datetime(2026, 1, 5)})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        for r, c, x in sheet.cells():
            shape = book.add_format({"num_format": x.shape}) if x.shape else None
            if x.formula or x.error:
                page.write_formula(r, c, x.formula or "=" + {"#N/A": "NA()"}.get(x.error, "1/0"), shape, x.error or x.value)
            else:
                page.write(r, c, x.value, shape)
        for r in sheet.hidden_rows:
            page.set_row(r, None, None, {"hidden": True})
        for c in map(list(COLUMNS).index, sheet.merges):
            page.merge_range(1, c, 3, c, _text(sheet.grid[1][c]))
        if sheet.hidden:
            (page.hide if sheet.hidden == 1 else page.very_hidden)()
        elif sheets[0].hidden:
            page.activate()
            page.set_first_sheet()
    book.close()
    return out.getvalue()


def _xls(sheets: Sequence[_Sheet], date_1904: bool = False) -> bytes:
    out = io.BytesIO()
    book: Any = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = date_1904
    for sheet in sheets:
        page: Any = book.add_sheet(sheet.name, cell_overwrite_ok=True)
        page.visibility = sheet.hidden
        for r, c, x in sheet.cells():
            style = xlwt.XFStyle()
            style.num_format_str = x.shape or "General"
            if x.error:
                page.row(r).set_cell_error(c, {"#N/A": 42, "#REF!": 23, "#VALUE!": 15, "#DIV/0!": 7}[x.error], style)
            else:
                page.write(r, c, xlwt.Formula(x.formula[1:]) if x.formula else x.value, style)
        for r in sheet.hidden_rows:
            page.row(r).hidden = True
        for c in map(list(COLUMNS).index, sheet.merges):
            page.merge(1, 3, c, c)
    book.active_sheet = next((i for i, sheet in enumerate(sheets) if not sheet.hidden), 0)
    book.save(out)
    return out.getvalue()


def _patched(part: str, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return what changes one part inside a zipped workbook."""

    def apply(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for item in old.infolist():
                data = old.read(item)
                new.writestr(zipfile.ZipInfo(item.filename), change(data) if item.filename == part else data)
        return out.getvalue()

    return apply


class _Kit:
    """Make rows and put deliveries together."""

    def __init__(self, seed: int, rows: int) -> None:
        self.rng = random.Random(f"deliveries {seed}")
        self.rows = max(rows, 8)
        self.firms = firms(FIRMS, seed)
        self.number = 20_000
        self.out: list[Dirty] = []

    def row(self, firm: Firm) -> _Row:
        """Make one clean row about a firm."""
        self.number += 1
        row = _Row(firm[0], firm[1], f"郑市监处罚〔2021〕{self.number}号")
        violation = self.rng.choice(tuple(BASES))
        row.cells = {"name": row.name, "category": "法人及非法人组织", "code": row.code}
        row.cells |= {"violation": violation, "fact": "销售侵权商品（虚构）", "basis": BASES[violation], "sanction": "罚款"}
        row.cells["organ"] = "郑州市市场监督管理局"
        row.fine(self.rng.choice(YUAN))
        row.on(date(2021, 1, 5) + timedelta(days=self.rng.randrange(1_600)))
        return row

    def take(self, count: int | None = None, unit: int = 10_000) -> list[_Row]:
        """Make clean rows about different ordinary firms, the fines in a unit of so many yuan."""
        made = [self.row(firm) for firm in self.rng.sample(self.firms[8:-2], count or self.rows)]
        return _all(made, lambda row: row.fine(str(Decimal(row.fen or 0) / 100), unit))

    def mix(self, cases: Sequence[Case], unit: int = 10_000) -> list[_Row]:
        """Make clean rows and spoil some of them, fewer than half, at places drawn."""
        made = self.take(max(self.rows, 2 * len(cases) + 2), unit)
        for row, case in zip(self.rng.sample(made, len(cases)), cases, strict=True):
            case(row)
        return made

    def plain(self, kind: str, forms: Sequence[str] = ("csv",), unit: int = 10_000, **how: Any) -> None:
        """Deliver clean rows in some forms."""
        self.spoil(kind, (), forms, unit, **how)

    def spoil(
        self, kind: str, cases: Sequence[Case], forms: Sequence[str] = ("csv",), unit: int = 10_000, **how: Any
    ) -> None:
        """Deliver rows some of which are spoilt, in some forms."""
        for form in forms:
            self.emit(kind if len(forms) == 1 else f"{kind}_{form}", self.mix(cases, unit), form, **how)

    def emit(
        self, kind: str, lines: Sequence[Line], form: str = "csv", *, columns: Sequence[str] = tuple(COLUMNS),
        titles: Mapping[str, str] | None = None, head: Sequence[list[Any]] | None = None, typed: bool = False,
        wait: bool = False, ok: bool = False, after: str | None = None, suffix: str = "", encoding: str = "utf-8",
        mangle: Callable[[bytes], bytes] = bytes, sheet: Mapping[str, Any] | None = None, front: Sequence[_Sheet] = (),
        back: Sequence[_Sheet] = (), more: Sequence[_Row] = (), **how: Any,
    ) -> str:  # fmt: skip
        """Write the lines in a form, keep the delivery, return its file name."""
        names = COLUMNS | dict(titles or {})
        above = list(head) if head is not None else [[names[c] for c in columns]]
        every: list[Line] = [*above, *lines]
        nothing = (None, "", None, None, None, False, False)
        truth = [line.truth(n) if isinstance(line, _Row) else Truth(n, *nothing) for n, line in enumerate(every, 1)]
        truth += [row.truth(FILLER + n) for n, row in enumerate(more, 2)]
        grid = [line.line(columns) if isinstance(line, _Row) else line for line in every]
        if form == "csv":
            content = _csv(grid, **how).encode(encoding)
        else:
            further = [above[-1], *([_text(cell) for cell in row.line(columns)] for row in more)]
            pages = [*front, _Sheet("数据", grid, **(sheet or {})), *back, *([_Sheet("续表", further)] if more else [])]
            if not typed:
                pages[len(front)].grid = [[c if isinstance(c, _X | float) else _text(c) for c in line] for line in grid]
            content = _xlsx(pages, **how) if form == "xlsx" else _xls(pages, **how)
        file = f"{len(self.out) + 1:03}_{kind}.{suffix or form}"
        self.out.append(Dirty(kind, file, mangle(content), tuple(truth), wait, ok, after))
        return file


# fmt: off
def _clean(kit: _Kit) -> None:
    """Add files without fault in all their encodings, delimiters and workbook kinds."""
    kit.plain("clean_csv")
    kit.plain("clean_csv_lf", end="\n")
    kit.plain("csv_cr_only", end="\r", ok=True)
    kit.plain("enc_bom", encoding="utf-8-sig")
    kit.plain("enc_gb18030", encoding="gb18030")
    kit.plain("enc_utf16_comma", encoding="utf-16")
    kit.plain("enc_utf16_tab_excel", encoding="utf-16", delimiter="\t", suffix="txt")
    kit.plain("enc_utf16be_tab", encoding="utf-16-be", delimiter="\t", mangle=lambda b: b"\xfe\xff" + b)
    kit.plain("enc_utf16_without_bom", encoding="utf-16-le", ok=True)
    kit.plain("delim_semicolon", delimiter=";")
    kit.plain("delim_tab", delimiter="\t", suffix="tsv")
    kit.plain("delim_tab_gb18030", delimiter="\t", encoding="gb18030", suffix="txt")
    kit.plain("delim_pipe", delimiter="|", ok=True)
    kit.plain("delim_sep_line", delimiter=";", head=[["SEP"], list(COLUMNS.values())], ok=True,
              mangle=lambda b: b.replace(b"SEP", b"sep=;", 1))
    kit.plain("clean_text", BOOKS)
    kit.plain("clean_typed", BOOKS, typed=True)
    kit.plain("clean_xlsx_inline_text", ("xlsx",), constant_memory=True, in_memory=False)
    kit.plain("date1904", BOOKS, typed=True, date_1904=True)
    kit.spoil("float_noise", _fines([(0.1 + 0.2, "3000"), (1.1 * 1.1, "12100")]), BOOKS, typed=True)
    kit.spoil("clean_large_fines", _fines([(250, "2500000")] * 3))
    kit.spoil("clean_warnings_without_amount", [_warning(c) for c in ("", "", "", "0")], FORMS)
    kit.spoil("warning_amount_placeholder", [_warning(c) for c in ("/", "-", "无", "——")], ok=True)
    titles = {"name": "当事人名称", "code": "信用代码", "document": "处罚决定书文号", "decided": "决定日期"}
    kit.plain("header_synonyms", titles=titles)
    kit.plain("header_line_break", titles={"amount": "罚款金额\n（万元）", "decided": " 处罚决定日期 "})
    kit.plain("header_reordered", columns=kit.rng.sample(tuple(COLUMNS), len(COLUMNS)))
    numbers = count(1)
    kit.emit("header_with_serial_number", _all(kit.take(), _case("seq", lambda _: next(numbers))),
             columns=("seq", *COLUMNS), titles={"seq": "序号"})


def _amounts(kit: _Kit) -> None:
    """Add files whose amounts have another unit, form or no meaning."""
    plain, yuan = {"amount": "罚款金额"}, {"amount": "罚款金额（元）"}
    few = ("50000", "200000", "80000")
    kit.plain("header_yuan", FORMS, 1, titles=yuan)
    kit.plain("header_yuan_half_width", unit=1, titles={"amount": "罚款金额(元)"})
    kit.plain("header_yuan_typed", BOOKS, 1, titles={"amount": "罚款金额（单位：元）"}, typed=True, ok=True)
    kit.plain("header_wan_half_width", titles={"amount": "罚款金额(万元)"})
    kit.plain("header_thousand", unit=1_000, titles={"amount": "罚款金额（千元）"}, ok=True)
    kit.emit("header_dollar", _all(kit.take(), _case("amount", "3000", ask=True)), wait=True,
             titles={"amount": "罚款金额（美元）"})
    kit.plain("header_amount_other_word", titles={"amount": "罚没款数额（万元）"}, ok=True)
    kit.plain("header_no_unit_yuan_values", unit=1, titles=plain, ok=True)
    kit.plain("header_no_unit_wan_values", titles=plain, ok=True)
    unclear = _case("amount", lambda _: kit.rng.choice(("50", "60", "80", "200")), ask=True, content="罚款")
    kit.emit("header_no_unit_nothing_to_tell", _all(kit.take(), unclear), titles=plain, wait=True)
    for word, unit in (("元", 1), ("万元", 10_000)):
        head = [["行政处罚公示表（虚构）"], [f"单位：{word}"], list((COLUMNS | plain).values())]
        kit.plain(f"unit_in_title_{unit}", unit=unit, head=head, ok=True)
    kit.plain("yuan_under_wan_header", unit=1, ok=True)
    kit.spoil("yuan_under_wan_header_few", _fines(zip(few, few, strict=True)), ok=True)
    kit.spoil("yuan_under_wan_header_nothing_to_tell", [_case("amount", a, ask=True, content="罚款") for a in few])
    kit.plain("wan_under_yuan_header", titles=yuan, ok=True)
    units = _fines([("1,500元", "1500"), ("200000元", "200000"), ("20万元", "200000"), ("1.2345 万元", "12345"),
                    ("人民币30000元", "30000"), ("￥200000元", "200000"), ("0.00005亿元", "5000"), ("5,000.00元", "5000"),
                    ("3万", "30000"), ("¥30,000.00元", "30000"), ("２００００元", "20000"), ("30000元整", "30000")])
    kit.spoil("amounts_units", units, FORMS)
    kit.spoil("amounts_units_yuan_header", units, unit=1, titles=yuan)
    kit.spoil("amounts_odd_wording", _fines([
        ("叁万元整", "30000"), ("三万元", "30000"), ("RMB 30,000元", "30000"), ("1 500元", "1500"), ("1，500元", "1500"),
        ("0。5", "5000"), ("壹万贰仟叁佰肆拾伍元", "12345"), ("3万5千元", "35000"), ("'0.5", "5000")]), ok=True)
    kit.spoil("amounts_unclear", _asks("amount", "约3万元", "3-5万元", "3万美元", "3万元以下", "20万、没收5万", "3+2",
                                       "1.500,00", "1,5", "O.5", "见决定书", "3；2"))
    kit.spoil("amount_thousands_quoted", _fines([("1,500", "1500"), ("200,000.00", "200000")]), unit=1, titles=yuan)
    kit.spoil("negative_amount", _asks("amount", "-5", "（5）", "－3.5", "(5)", "5-", "△5", "−5"), FORMS)
    kit.spoil("percent_amount", _asks("amount", "50%", "0.5%", "５０％", "5‰"), FORMS)


def _cells(kit: _Kit) -> None:
    """Add files whose cells are errors, carry display formats, or stand beside a second column of money."""
    errors = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!")
    kit.spoil("error_cells_csv", [*_asks("amount", *errors), *_asks("decided", "#VALUE!"), *_asks("document", "#N/A")])
    x = [_X(error=e) for e in errors]
    kit.spoil("error_cells", [*_asks("amount", *x), *_asks("decided", x[2]), *_asks("document", x[1])], BOOKS)
    kit.spoil("error_amount_of_warning", [_warning(x[0], True)], BOOKS)
    kit.spoil("percent_format", _asks("amount", _X(0.5, "0%"), _X(0.005, "0.00%")), BOOKS)
    known = [(_X(200000, '0!.0,"万"'), "200000"), (_X(50000, '0"元"'), "50000"), (_X(1.2345, "0"), "12345"),
             (_X(50000, '[>=10000]0!.0,"万元";0"元"'), "50000")]
    kit.spoil("display_format_with_unit", _fines(known), BOOKS, typed=True, ok=True)
    kit.spoil("display_format_wan_under_yuan", _fines([(_X(5, '0.00"万元"'), "50000")]), BOOKS, 1, typed=True, ok=True,
              titles={"amount": "罚款金额（元）"})
    scaled = (_X(200000, '0.0,"万"'), _X(30000, "0,"), _X(5000000, "0.00,,"), _X(-5, "0;0"))
    kit.spoil("display_format_scaled", _asks("amount", *scaled), BOOKS, typed=True)
    kit.spoil("display_format_harmless", _fines([(_X(1.2345, "#,##0.00"), "12345"), (_X(20, "0.000"), "200000")]), BOOKS,
              typed=True)
    kit.spoil("amount_is_date_or_flag", _asks("amount", date(2024, 1, 5), True), BOOKS, typed=True)
    wide = {48 + n: 0xFF10 + n for n in range(10)} | {45: 0xFF0D, 46: 0xFF0E} | {65 + n: 0xFF21 + n for n in range(26)}
    kit.spoil("fullwidth_digits", [_case(c, lambda r, c=c: _text(r.cells[c]).translate(wide))
                                   for c in ("code", "amount", "decided", "document", "offence")])
    for kind, off in (("agree", 0), ("contradict", 7_000)):
        rows = _all(kit.take(), _case("yuan", lambda r: Decimal(r.fen or 0) / 100))
        _all(rows[1::4], _case("yuan", lambda r, off=off: r.cells["yuan"] + off, ask=bool(off)))
        kit.emit(f"two_amount_columns_{kind}", rows, columns=(*COLUMNS, "yuan"), titles={"yuan": "罚款金额（元）"}, ok=True)


def _identity_number(odd: bool = False) -> str:
    """Return a resident's number of nobody (30 February), whose check also agrees as a credit code unless odd."""
    for n in range(1_000):
        body = f"41019919900230{n:03}"
        last = "10X98765432"[sum(int(c) * (2 ** (17 - i) % 11) for i, c in enumerate(body)) % 11]
        if (last == "X") if odd else last == check_character(body):
            return body + last
    raise AssertionError("no such number")


def _shifted(kit: _Kit) -> None:
    """Add files whose codes stand beside the names of others."""

    def moved(kind: str, shift: Callable[[list[Any]], list[Any]], column: str = "code", **how: Any) -> None:
        rows = kit.take()
        for row, value in zip(rows, shift([row.cells[column] for row in rows]), strict=True):
            if value != row.cells[column]:
                _case(column, value, ask=True)(row)
        kit.emit(kind, rows, **how)

    def pair(kind: str, code: str, name: str, forms: Sequence[str] = ("csv",), **more: Any) -> None:
        kit.spoil(kind, [_case("code", code, ask=True, name=name, **more)], forms)

    for form in FORMS:
        moved(f"code_column_shifted_by_one_{form}", lambda v: [*v[1:], v[0]], form=form, wait=True)
    moved("code_column_shifted_by_sort", sorted, wait=True)
    moved("name_column_shifted_by_sort", lambda v: [*sorted(v)[1:], min(v)], "name", wait=True)
    moved("code_column_shifted_from_middle", lambda v: [*v[:4], "", *v[4:-1]], ok=True)
    moved("code_column_shifted_few_rows", lambda v: [v[1], v[2], v[0], *v[3:]], ok=True)
    moved("code_column_two_rows_swapped", lambda v: [*v[:-2], v[-1], v[-2]], ok=True)
    firm = kit.firms
    pair("code_of_another_firm", firm[20][0], firm[21][1], FORMS)
    pair("code_of_a_firm_named_alike", firm[4][0], firm[5][1])
    pair("code_of_a_firm_named_alike_spelled", firm[7][0].lower(), firm[6][1].replace("（", "(").replace("）", ")"))
    pair("code_of_parent_name_of_registered_branch", firm[2][0], firm[3][1])
    pair("code_of_branch_name_of_parent", firm[3][0], firm[2][1])
    pair("code_known_name_unknown", firm[22][0], "郑州另一家贸易有限公司（虚构）")
    pair("code_not_registered_name_known", _code(kit.rng, "410105"), firm[23][1])
    pair("code_missing_name_shared", "", firm[0][1])
    pair("code_missing_name_unknown", "", "郑州查无此名贸易有限公司（虚构）")
    pair("code_missing_name_abbreviated", "", firm[26][1][2:7])
    pair("code_bad_check_name_unknown", "91350203M0001QKT19", "老代码企业（虚构）")
    pair("code_and_name_missing", "", "")
    pair("identity_number_as_code", _identity_number(), "某某便利店（虚构）")
    pair("identity_number_as_code_name_known", _identity_number(), firm[24][1])
    pair("identity_number_with_x", _identity_number(True), firm[25][1])
    pair("natural_person", "", "张某某", category="自然人")


def _spelled(kit: _Kit) -> None:
    """Add files whose codes and names are damaged or spelled otherwise, but mean one firm."""

    def spell(kind: str, *changes: Callable[[str], str], column: str = "code", **how: Any) -> None:
        kit.spoil(kind, [_case(column, lambda row, f=f: f(row.cells[column])) for f in changes for _ in range(2)], **how)

    spell("code_lower_case", str.lower, forms=FORMS)
    spell("code_blanks", lambda c: f"{c[:4]} {c[4:8]} {c[8:]}", " {}　".format,
          lambda c: c[:8] + "\u00a0" + c[8:], forms=FORMS)
    spell("code_O_zero", lambda c: c.replace("0", "O", 1), lambda c: c.replace("0", "o"), ok=True)
    spell("code_I_one", lambda c: c.replace("1", "I", 1), lambda c: c.replace("1", "l"), ok=True)
    spell("code_character_wrong", lambda c: c[:12] + ALPHABET[(ALPHABET.index(c[12]) + 7) % 31] + c[13:], ok=True)
    spell("code_places_swapped", lambda c: c[:2] + c[3] + c[2] + c[4:], ok=True)
    spell("code_character_missing", lambda c: c[:-1], lambda c: c[:9] + c[10:], ok=True)
    spell("code_decorated", "'{}".format, '="{}"'.format, "信用代码：{}".format, lambda c: c[:8] + "-" + c[8:], ok=True)
    spell("code_invisible_characters", "\u200b{}".format, "{}\ufeff".format, ok=True)
    spell("code_is_old_registration_number", lambda c: "41010500001234" + c[5], ok=True)
    spell("code_placeholder_name_unique", *["".format, "/".format, "无".format, ("0" * 18).format, "#N/A".format], ok=True)
    spell("scientific_code", "9.14101E+17".format, "9.1410105e17".format, ok=True)
    kit.spoil("scientific_code_numeric", [_case("code", 914101050012345670.0)] * 3, BOOKS, ok=True)
    spell("name_bracket_kinds", lambda n: n.translate({0xFF08: "(", 0xFF09: ")"}), lambda n: n.replace("（", " （"),
          " {} ".format, column="name")
    spell("name_branch_suffix", lambda n: n.replace("有限公司", "有限公司第三分公司"), lambda n: n.replace("郑州", "郑州市"),
          "{}（原名：郑州旧名商行）".format, lambda n: n.replace("有限公司（虚构）", "公司"), column="name", ok=True)
    kit.emit("name_shared_code_right", [*kit.take(), kit.row(kit.firms[0]), kit.row(kit.firms[-1])])
    swapped = _case("name", lambda r: r.code)
    for kind, many in (("swapped_name_code", kit.rows), ("swapped_name_code_few_rows", 2)):
        rows = kit.take()
        _all(_all(rows[:many], swapped), _case("code", lambda r: r.name))
        kit.emit(kind, rows, ok=True)


def _brackets(pair: str) -> Callable[[str], str]:
    return lambda text: text.replace("〔", pair[0]).replace("〕", pair[1])


VARIANTS: tuple[Callable[[str], str], ...] = (
    *map(_brackets, ("[]", "【】", "（）", "()", "﹝﹞")), lambda d: d.replace("〔", " 〔").replace("〕", "〕 "),
    lambda d: d.replace("〕", "〕第"), lambda d: d.replace("〕", "〕0"),
    lambda d: d.translate({48 + n: 0xFF10 + n for n in range(10)}),
)


def _doubles(kit: _Kit) -> None:
    """Add files that tell of the same act more than once, and files that repeat an earlier one."""

    def again(kind: str, change: Callable[[_Row], dict[str, Any]], first: str = "csv", **how: Any) -> None:
        rows = kit.take()
        before = kit.emit(f"{kind}_a", rows, first)
        kit.emit(f"{kind}_b", [row.copy(True, **change(row)) for row in rows], after=before, **how)

    for form in FORMS:
        rows = kit.take()
        kit.emit(f"dup_within_identical_{form}", [*rows, *(row.copy() for row in rows[:3])], form)
        rows = kit.take()
        copies = [row.copy(document=spell(row.document)) for row, spell in zip(rows, VARIANTS, strict=False)]
        kit.emit(f"dup_within_docno_spelling_{form}", [*rows, *copies], form)
    for kind, other in (("amount", {"amount": "77"}), ("date", {"decided": "2021-01-04", "offence": ""})):
        rows = kit.take()
        kit.emit(f"dup_within_contradicts_{kind}", [*rows, *(row.copy(True, **other) for row in rows[:3])], ok=True)
    rows = kit.take()
    rows[1].document = rows[1].cells["document"] = rows[0].document
    kit.emit("same_document_two_firms", rows, ok=True)
    spells = cycle(VARIANTS)
    again("dup_across_docno_spelling", lambda r: {"document": next(spells)(r.document)})
    again("dup_across_same_file", lambda _: {})
    again("dup_across_reordered", lambda _: {}, columns=kit.rng.sample(tuple(COLUMNS), len(COLUMNS)))
    again("dup_across_xlsx_then_csv", lambda _: {}, first="xlsx", encoding="gb18030")
    again("dup_across_csv_then_xls", lambda _: {}, form="xls", typed=True)
    again("dup_across_other_unit", lambda r: {"amount": Decimal(r.fen or 0) / 100}, titles={"amount": "罚款金额（元）"})
    again("dup_across_contradicts", lambda r: {"amount": r.cells["amount"] + 1})


def _documents(kit: _Kit) -> None:
    """Add files whose document numbers are none."""
    blanks = ("/", "--", "——", "暂无", "不详", "待补", "0", "#REF!", "nan", "无", "N/A", "null", "-", "待定", "同上", "")
    for n, form in enumerate((*FORMS, "csv")):
        kit.spoil(f"placeholder_document_{n + 1}", _asks("document", *blanks[n::4]), (form,))
    kit.emit("placeholder_document_in_every_row", _all(kit.take(), _case("document", "/", ask=True)))
    kit.spoil("long_numeric_document_csv", _asks("document", "4.1E+17", "4.10100202609010E+17", "410100202609010000"))
    kit.spoil("long_numeric_document", _asks("document", *[_X(4.1010020260901e17, "0")] * 2), BOOKS, typed=True)
    others = _asks("document", "2024-05-01", "20000.00", lambda r: r.name, lambda r: r.code)
    kit.spoil("document_is_something_else", others)
    kit.spoil("line_break_in_docno", [_case("document", lambda r: r.document.replace("〔", "〔\n"))] * 3, ok=True)


def _dates(kit: _Kit) -> None:
    """Add files whose days are spelled in many ways, incomplete, impossible or out of order."""
    kit.spoil("dates_ten_spellings", _days([
        ("2022年1月8日", "2022-01-08"), ("2024/07/17", "2024-07-17"), ("2024.5.29", "2024-05-29"),
        ("20211223", "2021-12-23"), ("2024-6-4", "2024-06-04"), ("2021-01-12 00:00:00", "2021-01-12"),
        ("2023-12-09T00:00:00", "2023-12-09"), ("２０２３／０１／１２", "2023-01-12"), (" 2023-09-13 ", "2023-09-13"),
        ("2024年03月05日", "2024-03-05")]), FORMS)
    kit.spoil("dates_odd_spellings", _days([
        ("二〇二四年三月五日", "2024-03-05"), ("25/03/2024", "2024-03-25"), ("2024-03-05T00:30:00+08:00", "2024-03-05"),
        ("2024 年 3 月 5 日", "2024-03-05"), ("24-3-5", "2024-03-05"), ("Mar 5, 2024", "2024-03-05")]), ok=True)
    kit.spoil("dates_partial", _asks("decided", "2022.1", "5.12", "2022", "2022.10", "2022年", "2022年5月", "5月12日",
                                     "2022-05", "202205", "1/3"), FORMS)
    kit.spoil("dates_impossible_or_ambiguous", _asks("decided", "2024-02-30", "2023-02-29", "2024-13-01", "2036-05-12",
                                                     "0024-05-12", "44", "03/05/2024", ""), FORMS)
    kit.spoil("date_serial_as_text", _days([("45039", "2023-04-23"), ("44927", "2023-01-01")]), ok=True)
    kit.spoil("date_serial_unformatted", _days([(45039.0, "2023-04-23")] * 2), BOOKS, ok=True)
    kit.spoil("date1904_serial_unformatted", _days([(45039.0 - 1462, "2023-04-23")] * 2), BOOKS, typed=True, date_1904=True,
              ok=True)
    kit.spoil("date_number_yyyymmdd", _days([(20240305.0, "2024-03-05")] * 2), BOOKS, ok=True)
    kit.spoil("year_numeric", [*_asks("decided", 2022.0, 2021.1, 202201.0, 5.12), *_asks("offence", 2020.0)], BOOKS)
    kit.spoil("date_shown_as_month", _asks("decided", _X(44197, 'yyyy"年"m"月"')), BOOKS)
    kit.spoil("offence_partial", _asks("offence", "2020", "2020.1", "5.12"))
    swapped = _case("decided", lambda r: r.cells["offence"], ask=True)
    for kind, step in (("every_row", 1), ("few_rows", 4)):
        rows = kit.take()
        _all(_all(rows[::step], swapped), _case("offence", lambda r: r.decided))
        kit.emit(f"swapped_dates_{kind}", rows, "xlsx" if step > 1 else "csv", typed=True)
    early = _asks("published", lambda r: r.decided - timedelta(days=9), "2016-09-02", "2046-09-02")
    kit.spoil("published_out_of_order", early)
    for key, title in (("valid_until", "处罚有效期"), ("shown_until", "公示截止期")):
        ends = _asks(key, lambda r: r.decided - timedelta(days=30)) * 2
        kit.spoil(f"{key}_before_decided", ends, columns=(*COLUMNS, key), titles={key: title})


def _shapes(kit: _Kit) -> None:
    """Add files whose rows are too short, too long or shifted."""
    kit.spoil("short_rows", _reshaped(lambda c, n: c[:n], 12, 11, 14, ask=False), ok=True)
    kit.spoil("short_rows_before_date", _reshaped(lambda c, n: c[:n], 10, 4, 1))
    kit.spoil("cell_missing_in_middle", _reshaped(lambda c, n: c[:n] + c[n + 1:], 4, 8, 1))
    kit.spoil("cell_inserted_in_middle", _reshaped(lambda c, n: [*c[:n], "", *c[n:]], 4, 9, 2))
    kit.spoil("cell_inserted_same_width", _reshaped(lambda c, n: [*c[:n], "", *c[n:-1]], 4, 9, 2))
    kit.spoil("long_rows_empty_tail", _reshaped(lambda c, n: c + [""] * n, 1, 2, 2, ask=False))
    kit.spoil("long_rows_with_value", _reshaped(lambda c, n: [*c, *["附件"] * n], 1, 2, ask=False), ok=True)
    exchange = _reshaped(lambda c, n: [*c[:n], c[n + 1], c[n], *c[n + 2:]], 9, 9)
    kit.spoil("amount_and_date_exchanged", exchange, FORMS)
    kit.emit("amount_and_date_exchanged_everywhere", _all(kit.take(), exchange[0]))
    calm = [c for c in COLUMNS if c not in ("amount", "note")]
    thousands = partial(kit.spoil, cases=_fines([("1,500", "1500"), ("200,000", "200000")]), unit=1, quoted=False, ok=True,
                        titles={"amount": "罚款金额（元）"})
    thousands("unquoted_comma_shift")
    thousands("unquoted_comma_before_note", columns=(*calm, "amount", "note"))
    thousands("unquoted_comma_at_end", columns=(*calm, "amount"))
    thousands("unquoted_comma_same_width", columns=(*calm, "amount", "note"),
              mangle=lambda b: re.sub(rb",(1,500|200,000),\r", rb",\1\r", b))
    kit.spoil("line_breaks", [_case("fact", '第一行\n第二行，"引号"')] * 4)
    rows = kit.take()
    for row in rows:
        row.cells |= {c: f" {_text(v)} 　" for c, v in row.cells.items()}
    kit.emit("trailing_spaces", rows)
    kit.spoil("unclosed_quote", [_case("fact", '"销售侵权商品')], quoted=False, ok=True)
    kit.spoil("backslash_quotes", [_case("fact", r'"销售\"名牌\",侵权"')], quoted=False, ok=True)


def _headers(kit: _Kit) -> None:
    """Add files with totals, titles, further headers, notes and blanks among the rows."""
    head, wide = list(COLUMNS.values()), len(COLUMNS)
    total, split = ["合计", *[""] * 8, "99", *[""] * 5], [list(head), [""] * wide]
    for at, upper, lower in ((2, "行政相对人", "统一社会信用代码"), (9, "罚款金额", "（万元）"), (10, "处罚", "决定日期")):
        split[0][at], split[1][at] = upper, lower
    for form in FORMS:
        for place, at in (("first", 0), ("middle", 5), ("last", 99)):
            rows = kit.take()
            kit.emit(f"totals_row_{place}_{form}", [*rows[:at], total, *rows[at:]], form)
        rows = kit.take()
        kit.emit(f"header_repeated_{form}", [*rows[:5], head, *rows[5:]], form)
    kit.plain("title_and_header", FORMS, head=[["行政处罚公示表（虚构）"], ["报送单位：市局"], head])
    kit.plain("two_header_rows", FORMS, head=[["基本信息", *[""] * 3, "处罚信息", *[""] * (wide - 5)], head])
    kit.plain("header_split_two_rows", FORMS, head=split, ok=True)
    rows, tail = kit.take(), [[*[""] * 3, "总计", *[""] * 5, "99"], [*[""] * 9, "99"], ["共计12件"]]
    kit.emit("totals_rows_other_labels", [*rows[:4], ["小计", *[""] * 8, "12"], *rows[4:], *tail])
    kit.emit("notes_below", [*kit.take(), [], ["填表人：李某（虚构）  审核人：王某（虚构）"], ["注：以上数据均为虚构。"]])
    rows = kit.take()
    kit.emit("blank_lines", [*rows[:3], [], [""] * wide, *rows[3:], [], []])
    kit.emit("column_numbers_below_header", [[str(n + 1) for n in range(wide)], *kit.take()], ok=True)
    words = ["必填，与营业执照一致", "必填", "必填，18位", "必填", *["选填"] * (wide - 4)]
    kit.emit("instructions_below_header", [words, *kit.take()], ok=True)
    kit.emit("two_files_joined", [*kit.take(), ["\ufeff" + head[0], *head[1:]], *kit.take(5)], ok=True)


def _table(raw: bytes) -> bytes:
    lines = ("<tr><td>" + line.replace(",", "</td><td>") + "</td></tr>" for line in raw.decode().splitlines())
    return f"<html><meta charset=utf-8><table>{''.join(lines)}</table></html>".encode()


def _bytes(kit: _Kit) -> None:
    """Add files that are cut off, wrongly encoded or wrongly named."""
    for kind, kept, part in (("decided", 9, b"2024-05-16"), ("offence", 7, b"2024-04-06"), ("amount", 2, b",200000,")):
        rows = kit.take(unit=1)
        rows[-1].fine("200000", 1)
        rows[-1].on(date(2024, 5, 16))
        rows[-1].ask = True
        kit.emit(f"truncated_csv_in_{kind}", rows, titles={"amount": "罚款金额（元）"},
                 mangle=partial(lambda kept, part, b: b[:b.rindex(part) + kept], kept, part))
    for first, then in (("gb18030", "utf-8"), ("utf-8", "gb18030")):
        kit.plain(f"enc_mixed_{first}_then_{then}", ok=True, mangle=partial(lambda first, then, raw: b"".join(
            line.decode().encode(first if i < 5 else then) for i, line in enumerate(raw.splitlines(True))), first, then))
    spoils: dict[str, Callable[[str], str]] = {"mojibake": lambda t: t.encode().decode("gb18030", "replace"),
                                               "question_marks": lambda t: re.sub(r"[^\x00-\x7f]", "?", t)}
    for kind, spoil in spoils.items():
        rows = _all(kit.take(), _case("note", "", ask=True))
        for row in rows:
            row.cells |= {c: spoil(row.cells[c]) for c in ("name", "document", "fact", "organ", "content")}
        kit.emit(f"enc_{kind}", rows)
    kit.spoil("nul_bytes", [_case("name", lambda r: f"\0{r.name}"), _case("code", lambda r: f"{r.code}\0\0")], ok=True)
    kit.plain("nul_bytes_at_end", mangle=lambda b: b + bytes(512), ok=True)
    kit.plain("csv_named_xls", encoding="gb18030", delimiter="\t", suffix="xls", ok=True)
    kit.plain("html_named_xls", suffix="xls", mangle=_table, ok=True)
    kit.plain("xlsx_named_csv", ("xlsx",), suffix="csv", ok=True)
    kit.plain("xlsx_named_xls", ("xlsx",), suffix="xls", ok=True)
    kit.plain("half_file", BOOKS, mangle=lambda b: b[:len(b) // 2], wait=True)
    mark = "行政相对人名称".encode("utf-16-le")
    kit.plain("bytes_lost_xls", ("xls",), wait=True,
              mangle=lambda b: b[:b.index(mark)] + bytes(600) + b[b.index(mark) + 600:])
    sheet, strings = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
    for inside in (sheet, strings):
        cut = _patched(inside, lambda x: x[:len(x) // 2])
        kit.plain(f"{Path(inside).stem}_cut_inside_xlsx", ("xlsx",), mangle=cut, wait=True)
    kit.plain("sheet_dimension_wrong_xlsx", ("xlsx",), ok=True, mangle=_patched(
        sheet, lambda x: re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1"/>', x)))


def _books(kit: _Kit) -> None:
    """Add workbooks with several sheets, merged cells, hidden parts and formulas."""
    head = list(COLUMNS.values())
    for form in BOOKS:
        rows = kit.take()
        _all(rows[1:3], _case("decided", rows[0].decided, day=str(rows[0].decided)))
        kit.emit(f"merged_date_{form}", rows, form, sheet={"merges": ["decided"]}, ok=True)
        rows = kit.take()
        _all(rows[1:3], _case("amount", "", ask=True))
        kit.emit(f"merged_amount_{form}", rows, form, sheet={"merges": ["amount"]}, ok=True)
        rows = kit.take()
        for row in rows[1:3]:
            row.code, row.name = rows[0].code, rows[0].name
        kit.emit(f"merged_firm_{form}", rows, form, sheet={"merges": ["code", "name"]}, ok=True)
        rows = kit.take()
        drafts = [[_text(c) for c in row.copy(amount=row.cells["amount"] + 9).line(COLUMNS)] for row in rows]
        kit.emit(f"hidden_draft_before_{form}", rows, form, front=[_Sheet("底稿", [head, *drafts], 1)], ok=True)
        kit.emit(f"several_filled_sheets_{form}", kit.take(), form, more=kit.take(6), ok=True)
        rows = _all(kit.take(), _reshaped(lambda c, n: [""] * n + c, 2, ask=False)[0])
        kit.emit(f"table_not_at_corner_{form}", rows, form, head=[[], [], ["", "", *head]], ok=True)
        total = ["合计", *[""] * 8, _X(99.5, "", "=SUM(J2:J9)"), *[""] * 5]
        kit.emit(f"totals_row_formula_{form}", [*kit.take(), total], form, typed=True)
    kit.plain("merged_organ", BOOKS, sheet={"merges": ["organ"]}, ok=True)
    kit.plain("hidden_rows", BOOKS, sheet={"hidden_rows": [2, 5]}, ok=True)
    kit.plain("hidden_first_sheet", BOOKS, sheet={"hidden": 1}, back=[_Sheet("可见", [])], ok=True)
    kit.plain("very_hidden_first_sheet", BOOKS, sheet={"hidden": 2}, back=[_Sheet("可见", [])], ok=True)
    kit.plain("second_sheet_header_only", BOOKS, back=[_Sheet("续表", [head])])
    kit.plain("instructions_sheet_first", BOOKS, front=[_Sheet("说明", [["一、由区县填报。"], ["二、以万元计。"]])], ok=True)
    kit.plain("dictionary_sheet_behind", BOOKS, back=[_Sheet("字典", [[word] for word in BASES])], ok=True)
    kit.spoil("formula_without_value", _asks("amount", _X("", "", "=1+1"), _X("", "", "=3*0.5")), BOOKS)
    kit.spoil("formula_date_without_value", _asks("decided", _X("", "yyyy-mm-dd", "=DATE(2024,3,5)")), BOOKS)
    texts = [_case("code", lambda r: _X(r.code, "", "=X1")), _case("document", lambda r: _X(r.document, "", "=X1&Y1"))]
    values = [*_fines([(_X(2, "", "=1+1"), "20000")]), *_days([(_X(45356, "yyyy-mm-dd", "=DATE(2024,3,5)"), "2024-03-05")])]
    kit.spoil("formula_with_value_xlsx", [*values, *texts], ("xlsx",), typed=True)
    wrong = {"code": kit.firms[2][0], "amount": "-3", "decided": "2024-13-40", "document": ""}
    mixed = kit.mix([*(_case(column, cell, ask=True) for column, cell in wrong.items()), *_fines([("5,000元", "5000")])])
    kit.emit("many_faults_at_once", [*mixed, mixed[0].copy(), ["合计", *[""] * 8, "99"]])
# fmt: on


FAMILIES = (_clean, _amounts, _cells, _shifted, _spelled, _doubles, _documents, _dates, _shapes, _headers, _bytes, _books)


def deliveries(seed: int, rows: int = 12) -> list[Dirty]:
    """Return every kind of delivery, the same for the same seed, in the order to hand in."""
    kit = _Kit(seed, rows)
    for family in FAMILIES:
        family(kit)
    return kit.out


def normal_document(text: str | None) -> str:
    """Return a document number without width, blanks, kinds of brackets, 第 and leading zeros."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text or "")).translate(str.maketrans("〔〕[]【】", "()()()"))
    return re.sub(r"(?<=\))第?0*(?=\d)", "", plain)


def judge(dirty: Dirty, committed: Mapping[int, Mapping[str, Any]], waits: bool) -> list[str]:
    """Describe everything that went in silently wrong; what was asked or refused is never silently wrong."""
    truth, seen, found = {t.line: t for t in dirty.truth}, dict[tuple[str, str], int](), []
    if dirty.batch_must_wait and not waits:
        found.append(f"{dirty.kind}: the batch must wait but did not")
    for line, record in sorted(committed.items()):
        where, right = f"{dirty.kind} line {line}:", truth.get(line)
        code, document = str(record.get("code") or "").upper(), normal_document(record.get("document"))
        if right is None or not right.is_data:
            found.append(f"{where} is no row of data but became a record")
            continue
        if right.must_ask:
            found.append(f"{where} became a record although a person must decide")
            continue
        if code != right.code:
            found.append(f"{where} firm {code}, right is {right.code}")
        if document != normal_document(right.document):
            found.append(f"{where} document {record.get('document')!r}, right is {right.document!r}")
        if (record.get("amount_fen") or 0) != (right.amount_fen or 0):
            found.append(f"{where} amount {record.get('amount_fen')} fen, right is {right.amount_fen}")
        if record.get("decided_on") != right.decided_on:
            found.append(f"{where} day {record.get('decided_on')}, right is {right.decided_on}")
        if document and seen.setdefault((code, document), line) != line:
            found.append(f"{where} the act of line {seen[code, document]} became a second record")
    return found


def wrongly_refused(dirty: Dirty, committed: Mapping[int, Mapping[str, Any]], waits: bool) -> int:
    """Count clean acts that did not become records though nothing excuses it; copies of one act count once."""
    if dirty.wrongly_refused_ok or dirty.batch_must_wait:
        return 0
    clean = [t for t in dirty.truth if t.is_data and not t.must_ask]
    got = {(t.code, normal_document(t.document)) for t in clean if t.line in committed}
    return len({(t.code, normal_document(t.document)) for t in clean} - got)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all files to a folder and print a table of them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=12)
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "000_registrations.csv").write_bytes(registrations_csv(firms(FIRMS, given.seed)))
    for dirty in deliveries(given.seed, given.rows):
        (given.folder / dirty.file_name).write_bytes(dirty.content)
        asks, data = sum(t.must_ask for t in dirty.truth), sum(t.is_data for t in dirty.truth)
        flags = f"{'wait' if dirty.batch_must_wait else '':5}{'refusal ok' if dirty.wrongly_refused_ok else '':11}"
        sys.stdout.write(f"{dirty.file_name:58}{data:4} rows {asks:3} to ask  {flags}{dirty.after or ''}\n")


if __name__ == "__main__":
    main()
