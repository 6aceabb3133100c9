"""One cell of an input file → one value in engine units, or a refusal with reason and remedy. Nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

from zhixin.dataset.identity import check_uscc
from zhixin.errors import Message
from zhixin.law.calendar import FIRST_DAY, LAST_DAY
from zhixin.law.catalogue import FieldDefinition
from zhixin.law.vocabulary import FieldType

MOST_FEN = 10**15
OPEN_ENDED = {"长期", "长期有效", "永久", "永久有效", "无固定期限", "9999-12-31"}
NO_SERIALS = 0
"""The epoch of a file in which a bare number is no day."""
_EXCEL_EPOCH = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}
_MEMO_LIMIT = 200_000


@dataclass(frozen=True)
class Refusal:
    """Why a value is not accepted, and what to do."""

    rule: str
    reason: Message
    remedy: Message


def refusal(rule: str, zh: str, en: str, fix_zh: str, fix_en: str) -> Refusal:
    return Refusal(rule, Message(zh, en), Message(fix_zh, fix_en))


Parser = Callable[[Any], Any]
"""Takes a cell (text or a typed cell of a workbook), gives a value, ``None`` for empty, or a :class:`Refusal`."""


def _text(cell: Any) -> str:
    if type(cell) is str and cell.isascii():
        return cell.strip()
    if type(cell) is float and cell.is_integer() and abs(cell) < 10**15:  # a workbook holds every number as a float
        return str(int(cell))
    return unicodedata.normalize("NFKC", str(cell)).replace("\ufeff", "").strip()


_EMPTY = frozenset(("", "NULL", "null", "N/A", "n/a", "-", "—", "无"))


_ERRORS = frozenset(
    (
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
        "#BLOCKED!",
    )
)
_PLACEHOLDERS = frozenset(
    ("/", "//", "\\", "-", "--", "---", "—", "——", "———", "_", "*", "**", ".", "。", "…", "......", "0", "00", "000", "NAN", "NONE", "NULL",
     "N/A", "NA", "TBD", "无", "暂无", "没有", "不详", "未知", "不明", "待补", "待补充", "待定", "待查", "略", "空", "同上", "见附件", "无文号", "无号", "暂无文号")
)  # fmt: skip


def is_error(cell: Any) -> bool:
    """Whether a cell holds an error of a spreadsheet, which is not a value and not an empty cell."""
    return isinstance(cell, str) and cell[:1] in "#＃" and _text(cell).upper() in _ERRORS


def is_placeholder(cell: Any) -> bool:
    """Whether a cell that should name something holds a sign for nothing: /, --, 暂无, 不详, 0, nan."""
    return is_empty(cell) or (len(str(cell)) < 16 and _text(cell).strip("()[]〔〕 ").upper() in _PLACEHOLDERS)


def is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and len(cell) < 16 and _text(cell) in _EMPTY)


TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows: a text with them says something else than it shows."""
INVISIBLE_CHARACTERS = refusal(
    "text.invisible", "含有看不见的字符", "holds invisible characters", "重新录入", "type it again"
)


def parse_text(cell: Any) -> Any:
    """A text in one width."""
    if is_empty(cell):
        return None
    text = _text(cell)
    return text if TURNING.isdisjoint(text) else INVISIBLE_CHARACTERS


def parse_as_written(cell: Any) -> Any:
    """Names and document numbers stay as they were registered; only a BOM and blanks around them go."""
    if is_empty(cell):
        return None
    text = str(cell).replace("\ufeff", "").strip() if isinstance(cell, str) else _text(cell)
    return text if TURNING.isdisjoint(text) else INVISIBLE_CHARACTERS


def parse_subject_id(cell: Any) -> Any:
    """A unified social credit code."""
    if is_empty(cell):
        cell = ""
    checked = check_uscc(cell if isinstance(cell, str) else _text(cell))
    if checked.value is None:
        assert checked.rule is not None
        assert checked.reason is not None
        assert checked.remedy is not None
        return Refusal(checked.rule, checked.reason, checked.remedy)
    return checked.value


def _has_marks(cell: Any) -> bool:
    """Whether a text holds raised, circled or fraction figures: marks of footnotes, which folding would turn into digits."""
    return isinstance(cell, str) and not cell.isascii() and any(unicodedata.category(char) == "No" for char in cell)


_PLAIN = re.compile(r"[-+]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,40}|(?=\.[0-9]))(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?", re.ASCII)


def parse_number(cell: Any) -> Any:
    """A plain number as Decimal: sign, thousands separators in threes, a decimal point."""
    if isinstance(cell, bool):
        return refusal("number.boolean", "应为数字", "should be a number", "填写数字", "write a number")
    if isinstance(cell, int | Decimal):
        return Decimal(cell)
    text = repr(cell) if isinstance(cell, float) else _text(cell)
    if not _PLAIN.fullmatch(text) or _has_marks(cell):
        return refusal(
            "number.format", f"「{cell}」不是数字", f"{cell!r} is not a number", "填写阿拉伯数字", "write it in digits"
        )
    return Decimal(text.replace(",", ""))


def parse_scaled(denominator: int, cell: Any) -> Any:
    """A number as an integer count of 1/``denominator``."""
    if type(cell) is str and len(cell) < 13 and cell.isascii() and cell.isdigit():  # most cells by far
        whole = int(cell) * denominator
        if whole <= MOST_FEN:
            return whole
    if is_empty(cell):
        return None
    value = parse_number(cell)
    if isinstance(value, Refusal):
        return value
    with localcontext() as context:
        context.prec = 300  # exact: a number has at most 80 digits and two of exponent
        scaled = value * denominator
        is_whole = scaled == scaled.to_integral_value()
    if not is_whole:
        return refusal(
            "number.decimals",
            f"「{cell}」的小数位过多",
            f"{cell!r} has too many decimals",
            "按字段要求的位数填写",
            "write it with the decimals the field allows",
        )
    if abs(scaled) > MOST_FEN:
        return refusal("number.size", f"「{cell}」过大", f"{cell!r} is too large", "核对单位", "check the unit")
    return int(scaled)


_UNITS = {
    "": 1,
    "元": 1,
    "千元": 1_000,
    "百万元": 1_000_000,
    "万元": 10_000,
    "万": 10_000,
    "亿元": 100_000_000,
    "亿": 100_000_000,
}
_CURRENCY = re.compile("[¥￥]|人民币")
_MONEY = re.compile(r"^(?:人民币)?\s*[¥￥]?\s*(?P<number>[-+]?[\d,]*\.?\d+)\s*\(?(?P<unit>[^()\d]*)\)?$")


def parse_money(cell: Any, *, unit_yuan: int = 1) -> Any:
    """An amount in fen; other currencies and signs are refused.

    Args:
        cell: a plain number, or one with its own unit (元, 万元, 亿元), which wins over that of the column.
        unit_yuan: yuan per unit of a plain number: 10,000 in a column of 万元.
    """
    if is_empty(cell):
        return None
    found = _MONEY.match(_text(cell)) if isinstance(cell, str) else None
    unit = found["unit"].replace("人民币", "").strip().removesuffix("整") if found else ""
    is_bare_currency = isinstance(cell, str) and not unit and _CURRENCY.search(_text(cell)) is not None
    if isinstance(cell, str) and (
        found is None or unit not in _UNITS or _has_marks(cell) or (is_bare_currency and unit_yuan != 1)
    ):
        return refusal(
            "amount.unit",
            f"「{cell}」的金额或单位无法识别",
            f"the amount or unit of {cell!r} is not understood",
            "以人民币元填写，或注明元、万元、亿元；外币先折算",
            "give yuan, or say 元, 万元 or 亿元; convert other currencies first",
        )
    value = parse_number(found["number"] if found else cell)
    if isinstance(value, Refusal):
        return value
    if value < 0:
        return refusal(
            "amount.negative",
            f"金额「{cell}」为负",
            f"the amount {cell!r} is negative",
            "核对后填写正数；冲销请撤销原记录",
            "give a positive amount; to cancel a record, revoke it",
        )
    with localcontext() as context:
        context.prec = 300
        yuan = value * (_UNITS[unit] if unit else unit_yuan)
    return parse_scaled(100, yuan)


_TRUE, _FALSE = {"true", "1", "是", "y", "yes", "有", "1.0"}, {"false", "0", "否", "n", "no", "没有", "无", "0.0"}


def parse_boolean(cell: Any) -> Any:
    if isinstance(cell, bool):
        return cell
    if is_empty(cell) and _text(cell) != "无":
        return None
    text = _text(cell).lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return refusal(
        "boolean.format",
        f"「{cell}」应为是或否",
        f"{cell!r} should be yes or no",
        "填写 是 或 否",
        "write 是 or 否 (true or false)",
    )


_DATE_FORMS = (
    re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?)?$"),
    re.compile(r"^(\d{4})/(\d{1,2})/(\d{1,2})(?: (?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)?$"),
    re.compile(r"^(\d{4})\.(\d{1,2})\.(\d{1,2})$"),
    re.compile(r"^(\d{4})年(\d{1,2})月(\d{1,2})日$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
)


def parse_date(cell: Any, *, epoch: int = 1900, may_be_open: bool = False) -> Any:
    """A day. Spreadsheet serials count from ``epoch`` (1900 or 1904); 长期 is open-ended where that makes sense."""
    if isinstance(cell, date) and may_be_open and cell.year == 9999:
        return None
    if isinstance(cell, datetime):
        return _in_range(cell.date(), cell)
    if isinstance(cell, date):
        return _in_range(cell, cell)
    if is_empty(cell):
        return None
    text = _text(cell)
    if text in OPEN_ENDED:
        if may_be_open:
            return None
        return refusal("date.open", "此处不能填「长期」", "this date cannot be open-ended", "填写具体日期", "give the day")
    if re.fullmatch(r"\d{1,6}(\.\d+)?", text, re.ASCII):
        return _number_as_date(text, epoch, cell)
    for form in _DATE_FORMS:
        found = form.match(text)
        if found:
            try:
                return _in_range(date(int(found[1]), int(found[2]), int(found[3])), cell)
            except ValueError:
                return refusal(
                    "date.impossible",
                    f"没有「{cell}」这一天",
                    f"there is no day {cell!r}",
                    "核对年月日",
                    "check the year, month and day",
                )
    return refusal(
        "date.format",
        f"「{cell}」不是可识别的日期",
        f"{cell!r} is not a date that is understood",
        "写成 2026-01-31；没有期限的写 长期" if may_be_open else "写成 2026-01-31",
        "write it as 2026-01-31, or 长期 where there is no term" if may_be_open else "write it as 2026-01-31",
    )


LEAST_SERIAL, MOST_SERIAL = 29_221, 73_050
"""Numbers that a spreadsheet may have made of a day (1954 to 2099); what is below is more likely a year or a month."""


def _number_as_date(text: str, epoch: int, cell: Any) -> Any:
    """A bare number is a day only where a spreadsheet counts days so; 2022, 2022.1, 5.12 and 202201 name no day."""
    number = float(text)
    if LEAST_SERIAL <= number <= MOST_SERIAL and epoch in _EXCEL_EPOCH:  # what follows the point is the time of the day
        return _in_range(_EXCEL_EPOCH[epoch] + timedelta(days=int(number)), cell)
    if re.fullmatch(r"(19|20|21)\d\d", text):
        return refusal(
            "date.year", f"「{cell}」只有年份", f"{cell!r} is only a year", "补全月和日", "give month and day too"
        )
    return refusal(
        "date.which_day",
        f"「{cell}」是哪一天？看不出完整的年月日",
        f"which day is {cell!r}? It does not name year, month and day",
        "写成 2026-01-31",
        "write it as 2026-01-31",
    )


def _in_range(day: date, cell: Any) -> Any:
    if FIRST_DAY <= day <= LAST_DAY:
        return day
    return refusal(
        "date.range",
        f"「{cell}」不在1900年至2199年之间",
        f"{cell!r} lies outside 1900 to 2199",
        "核对年份",
        "check the year",
    )


def parse_category(values: tuple[str, ...], cell: Any) -> Any:
    if is_empty(cell):
        return None
    text = _text(cell)
    if values and text not in values:
        return refusal(
            "category.unknown",
            f"「{cell}」不在代码表中（{'、'.join(values)}）",
            f"{cell!r} is not in the code list ({', '.join(values)})",
            "改为代码表中的取值",
            "use a value of the code list",
        )
    return text


def parse_set(values: tuple[str, ...], cell: Any) -> Any:
    """Several codes separated by semicolons, as ``a;b`` in order of code."""
    if is_empty(cell):
        return None
    members = sorted({part.strip() for part in re.split(r"[;；、,，]", _text(cell)) if part.strip()})
    for member in members:
        checked = parse_category(values, member)
        if isinstance(checked, Refusal):
            return checked
    return ";".join(members)


def parser_of(definition: FieldDefinition, epoch: int) -> Parser:
    """The parser of a declared attribute or field."""
    parsers: Mapping[FieldType, Parser] = {
        FieldType.INTEGER: partial(parse_scaled, 1),
        FieldType.DECIMAL: partial(parse_scaled, definition.denominator),
        FieldType.MONEY: parse_money,
        FieldType.BOOLEAN: parse_boolean,
        FieldType.CATEGORY: partial(parse_category, definition.values),
        FieldType.SET: partial(parse_set, definition.values),
        FieldType.DATE: partial(parse_date, epoch=epoch),
    }
    return parsers[definition.type]


CELL_ERROR = refusal(
    "cell.error",
    "单元格是错误值（如 #N/A、#REF!），不是数据",
    "the cell holds an error (such as #N/A or #REF!), not data",
    "更正公式或填写实际内容",
    "put the formula right, or write what is meant",
)


class ColumnParser:
    """Parses whole columns. Text is parsed once per distinct value and remembered: files repeat themselves."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.memo: dict[str, Any] = {}

    def __call__(self, cells: list[Any]) -> tuple[list[Any], bool]:
        """The values, and whether any is missing or a :class:`Refusal`."""
        try:
            distinct = set(cells)
        except TypeError:  # a nested cell of a Parquet file: read it as text, so that the parser can refuse it
            return self([str(cell) for cell in cells])
        if not all(type(cell) is str for cell in distinct):  # 1, 1.0 and True are one key
            values = [CELL_ERROR if is_error(cell) else self.parser(cell) for cell in cells]
            return values, any(value is None or type(value) is Refusal for value in values)
        if len(self.memo) + len(distinct) > _MEMO_LIMIT:
            self.memo = {}
        for cell in distinct:
            if cell not in self.memo:
                self.memo[cell] = CELL_ERROR if is_error(cell) else self.parser(cell)
        odd = any(value is None or type(value) is Refusal for value in map(self.memo.__getitem__, distinct))
        return list(map(self.memo.__getitem__, cells)), odd
