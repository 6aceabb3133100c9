"""Who a record is about: codes, numbers and names, checked exactly and cured only where nothing is guessed.

The unified social credit code (统一社会信用代码, GB 32100-2015) is the only key of an organisation (河南省社会信用条例
第十六条). What typing habits add (full-width forms, lower case, blanks, a BOM) is cured; what could stand for another
code (O for 0, Cyrillic letters, a spreadsheet's 9.14E+17) is refused with a hint.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import NamedTuple

from zhixin.errors import Message

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = tuple(pow(3, power, 31) for power in range(17))
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
_LOOK_ALIKE = {"O": "0", "I": "1", "Z": "2", "S": "5", "V": "U"}


class Checked(NamedTuple):
    """A value as accepted (``None`` if refused), with the reason and remedy, or a warning with an accepted value."""

    value: str | None
    rule: str | None = None
    reason: Message | None = None
    remedy: Message | None = None

    @property
    def is_accepted(self) -> bool:
        return self.value is not None


def _refused(rule: str, zh: str, en: str, fix_zh: str, fix_en: str) -> Checked:
    return Checked(None, rule, Message(zh, en), Message(fix_zh, fix_en))


def cured(text: str) -> str:
    """Full-width to half-width, BOM and blanks removed, upper case: habits of typing, never a guess."""
    text = unicodedata.normalize("NFKC", text).replace("\ufeff", "")
    return re.sub(r"\s+", "", text).upper()


def uscc_check_character(first_seventeen: str) -> str:
    """The 18th character of a unified social credit code: GB 32100-2015, ISO 7064 MOD 31-3."""
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(first_seventeen, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def registration_number_check_digit(first_fourteen: str) -> str:
    """The 15th digit of an old registration number: GB/T 17710, ISO 7064 MOD 11,10."""
    product = 10
    for char in first_fourteen:
        product = (product + int(char)) % 10 or 10
        product = product * 2 % 11
    return str((11 - product) % 10)


def organisation_check_character(first_eight: str) -> str:
    """The 9th character of an organisation code: GB 11714-1997, modulus 11."""
    total = sum(
        ORGANISATION_ALPHABET.index(char) * weight for char, weight in zip(first_eight, ORGANISATION_WEIGHTS, strict=True)
    )
    remainder = 11 - total % 11
    return {10: "X", 11: "0"}.get(remainder, str(remainder))


_CATEGORIES = {"1": "12349", "2": "19", "3": "123459", "4": "19", "5": "1239", "6": "129", "7": "129", "8": "19", "9": "123",
               "A": "19", "N": "1239", "Y": "1"}  # fmt: skip
"""Registering authority (place 1) and kind of organisation (place 2), GB 32100-2015 annex A and the later additions."""
_PROVINCES = frozenset(
    [
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
        "71",
        "81",
        "82",
    ]
)
"""Places 3 and 4 of a code: provinces of GB/T 2260, and 10 for the State Administration for Market Regulation."""
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_identity_number(code: str) -> bool:
    """Whether 18 characters are a resident's identity number (GB 11643): area, day of birth and check character agree."""
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", code) or code[:2] not in _PROVINCES:
        return False
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    total = sum(int(char) * weight for char, weight in zip(code, _IDENTITY_WEIGHTS, strict=False))
    return 1900 <= born.year <= 2100 and "10X98765432"[total % 11] == code[17]


def has_valid_check_character(code: str) -> bool:
    """Whether a text is 18 characters long and ends with the check character of GB 32100."""
    body = code[:17]
    return len(code) == 18 and all(char in USCC_ALPHABET for char in body) and uscc_check_character(body) == code[17]


def check_uscc(text: str) -> Checked:
    """Clean and check a unified social credit code; an inner organisation code that is wrong gives a warning only."""
    code = cured(text)
    refused = _unreadable(text, code) or _not_of_an_organisation(code)
    if refused is not None:
        return refused
    if organisation_check_character(code[8:16]) != code[16]:
        return Checked(
            code,
            "uscc.organisation",
            Message(
                "第9至17位不是有效的组织机构代码（仅提示）",
                "places 9 to 17 are not a valid organisation code (warning only)",
            ),
            Message("可核对营业执照", "compare it with the business licence if in doubt"),
        )
    return Checked(code)


def _unreadable(text: str, code: str) -> Checked | None:
    """Return why what stands there was never typed as a code: hidden or look-alike characters, a spreadsheet's number."""
    if any(char in _ZERO_WIDTH for char in text):
        return _refused(
            "uscc.invisible",
            "代码中有看不见的字符",
            "the code holds invisible characters",
            "删去代码后重新手工录入",
            "delete the code and type it again",
        )
    foreign = next((char for char in code if not char.isascii()), None)
    if foreign is not None:
        name = unicodedata.name(foreign, "?")
        return _refused(
            "uscc.foreign_letter",
            f"代码中有形似字母 {foreign}（{name}）",
            f"the code holds the look-alike {foreign} ({name})",
            "用英文字母重新录入",
            "type it again in Latin letters",
        )
    if re.fullmatch(r"[0-9](\.[0-9]+)?E\+?[0-9]+", code):
        return _refused(
            "uscc.scientific",
            "代码被电子表格改成了科学计数法，位数已丢失",
            "a spreadsheet turned the code into scientific notation; digits are lost",
            "把该列设为文本格式后重新导出",
            "format the column as text and export again",
        )
    return None


def _not_of_an_organisation(code: str) -> Checked | None:
    """Return why a cleaned text is no code of an organisation: length, letters, check character, authority and area."""
    if len(code) != 18:
        return _wrong_length(code)
    if is_identity_number(code):
        return _refused(
            "uscc.identity_number",
            "这可能是个人身份证号码，不是统一社会信用代码",
            "this may be a resident's identity number, not a unified social credit code",
            "自然人信息不在归集范围；企业请按营业执照填写代码",
            "natural persons are not collected; give the code on the business licence",
        )
    wrong = next(((place, char) for place, char in enumerate(code, 1) if char not in USCC_ALPHABET), None)
    if wrong is not None:
        return _wrong_letter(*wrong)
    if code[17] != uscc_check_character(code[:17]):
        return _refused_on_licence(
            "uscc.check",
            f"第18位校验码不符（应为 {uscc_check_character(code[:17])}），代码中有字符录错",
            f"the check character in place 18 should be {uscc_check_character(code[:17])}: some character is wrong",
        )
    if code[1] not in _CATEGORIES.get(code[0], "") or not code[2:8].isdigit() or code[2:4] not in _PROVINCES:
        return _refused_on_licence(
            "uscc.prefix",
            f"前八位 {code[:8]} 不是有效的登记机关类别和行政区划",
            f"the first eight places, {code[:8]}, are no valid registering authority and area",
        )
    return None


def _refused_on_licence(rule: str, zh: str, en: str) -> Checked:
    return _refused(rule, zh, en, "按营业执照核对后改正", "compare it with the business licence")


def _wrong_length(code: str) -> Checked:
    if not code:
        return _refused(
            "uscc.empty", "没有代码", "the code is empty", "补填统一社会信用代码", "give the unified social credit code"
        )
    if re.fullmatch(r"[0-9]{15}", code):
        fits = code[14] == registration_number_check_digit(code[:14])
        return _refused(
            "uscc.old_number",
            "这是15位旧注册号，不是统一社会信用代码" + ("" if fits else "（且校验位不符）"),
            "this is an old 15-digit registration number" + ("" if fits else " (and its check digit is wrong)"),
            "在国家企业信用信息公示系统按旧注册号查得统一社会信用代码后补填",
            "look the enterprise up by it and give its unified social credit code",
        )
    if re.fullmatch(r"[0-9A-Z]{8}-?[0-9X]", code):
        return _refused(
            "uscc.organisation_code",
            "这是9位组织机构代码",
            "this is a nine-character organisation code",
            "补填18位统一社会信用代码",
            "give the 18-character unified social credit code",
        )
    return _refused(
        "uscc.length",
        f"代码有 {len(code)} 位，应为18位",
        f"the code has {len(code)} characters instead of 18",
        "按营业执照补全",
        "complete it from the business licence",
    )


def _wrong_letter(place: int, char: str) -> Checked:
    likely = _LOOK_ALIKE.get(char)
    hint_zh = f"，可能是 {likely}" if likely else ""
    hint_en = f"; it may be {likely}" if likely else ""
    return _refused(
        "uscc.character",
        f"第{place}位是 {char}，代码中不使用该字符{hint_zh}",
        f"place {place} is {char}, which is not used in these codes{hint_en}",
        "按营业执照核对该位后改正（系统不代为猜测）",
        "compare that place with the business licence; the system does not guess",
    )


def check_patent_number(text: str) -> Checked:
    """A patent or application number: 9 or 13 digits with a check digit, with or without ZL and the point."""
    number = cured(text).removeprefix("ZL").removeprefix("CN").replace(".", "")
    if not re.fullmatch(r"[0-9]{8}[0-9X]|[0-9]{12}[0-9X]", number):
        return _refused(
            "patent.format",
            "专利号应为 ZL 加8位或12位数字及校验位",
            "a patent number is ZL with 8 or 12 digits and a check digit",
            "按专利证书核对",
            "compare it with the certificate",
        )
    body, given = number[:-1], number[-1]
    expected = patent_check_digit(body)
    if given != expected:
        return _refused(
            "patent.check",
            f"校验位应为 {expected}，现为 {given}",
            f"the check digit should be {expected}, not {given}",
            "按专利证书核对",
            "compare it with the certificate",
        )
    kind = body[4] if len(body) == 12 else body[2]
    if kind not in "12389":
        return _refused(
            "patent.kind",
            f"种类号 {kind} 不存在",
            f"there is no kind {kind}",
            "按专利证书核对",
            "compare it with the certificate",
        )
    return Checked(f"ZL{body}.{given}")


def patent_check_digit(body: str) -> str:
    """Check digit of a patent number: weights 2 … 9, then 2 … again, modulus 11, X for 10."""
    total = sum(int(char) * (2 + place % 8) for place, char in enumerate(body))
    return "0123456789X"[total % 11]


def check_trademark_number(text: str) -> Checked:
    """A trademark registration number: 1 to 8 digits, optionally a letter for a divided registration."""
    number = cured(text)
    if re.fullmatch(r"[0-9]{1,8}[A-Z]?", number):
        return Checked(number)
    return _refused(
        "trademark.format",
        "商标注册号应为1至8位数字",
        "a trademark number has 1 to 8 digits",
        "按商标注册证核对",
        "compare it with the certificate",
    )


_BRACKETS = str.maketrans({"（": "(", "）": ")", "【": "(", "】": ")", "［": "(", "］": ")", "[": "(", "]": ")"})
_LEGAL_FORMS = (
    "股份有限公司",
    "有限责任公司",
    "有限公司",
    "集团公司",
    "普通合伙",
    "有限合伙",
    "个人独资企业",
    "专业合作社",
    "分公司",
    "集团",
    "公司",
)
_REGIONS = ("河南省", "河南", "郑州市", "郑州")


def normal_name(text: str) -> str:
    """A name for comparison: NFKC, half-width brackets, no blanks. The name as registered is kept elsewhere."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text.translate(_BRACKETS)).translate(_BRACKETS)).replace(
        "\ufeff", ""
    )


def name_core(text: str) -> str:
    """What is left of a name without region and legal form: a key for candidates that a person confirms, never a match."""
    name = re.sub(r"\([^)]*\)", "", normal_name(text))
    for region in _REGIONS:
        name = name.removeprefix(region)
    for form in _LEGAL_FORMS:
        name = name.removesuffix(form)
    return name


LEAST_ABBREVIATION = 4
_BRANCH = re.compile(r"(第?[一二三四五六七八九十0-9]*分(公司|店|厂|部|行|院|所)|门店|营业部|办事处)$")
_NOT_NAME = re.compile(r"[()（）·\-—、,，.。'\"“”‘’/]+")


def names_agree(reported: str, known: str) -> bool:
    """Whether a reported name can be that of a known subject.

    Brackets, width, blanks, region, legal form and the suffix of a branch do not tell names apart, and an abbreviation
    that stands whole in the other name is taken for it. Two names that share less are two firms until a person says not.
    """
    one, two = _comparable(reported), _comparable(known)
    if not one or not two:  # nothing is left to compare: only the very same name will do
        return normal_name(reported) == normal_name(known)
    short, long = sorted((one, two), key=len)
    return one == two or (len(short) >= LEAST_ABBREVIATION and 2 * len(short) >= len(long) and short in long)


def _comparable(name: str) -> str:
    core = _BRANCH.sub("", re.sub(r"\(虚构\)", "", normal_name(name)))
    return _NOT_NAME.sub("", name_core(core)).casefold()


def organisation_code_agrees(reported: str, code: str) -> bool:
    """Whether an organisation code (GB 11714) is the one inside a unified social credit code."""
    return re.sub(r"[\s\-－—]", "", unicodedata.normalize("NFKC", reported)).upper() == code[8:17]
