"""An explanation in sentences of Chinese and English, every point with its records and its article."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from zhixin.errors import Message
from zhixin.law.measures import Attribute, AttributeAge, CleanYears, DaysSince, Exists, Sum
from zhixin.law.nodes import plain
from zhixin.law.points import Categories
from zhixin.law.rulebook import Rulebook
from zhixin.law.rules import Indicator
from zhixin.law.vocabulary import FieldType


def points_text(milli: int) -> str:
    """Points from thousandths, shortest form: -4, 2.4."""
    return str(plain(Decimal(milli) / 1000))


def signed_points(milli: int) -> str:
    """Points with their sign: -4, 0, +2.4."""
    return f"+{points_text(milli)}" if milli > 0 else points_text(milli)


def measured_text(rulebook: Rulebook, indicator: Indicator, row: Mapping[str, Any], language: str) -> str:
    """The measured value in words."""
    if isinstance(indicator.points, Categories) or row["value_num"] is None:
        return Message("按类别或缺失处理", "by category, or missing").in_language(language)
    value = Fraction(row["value_num"], row["value_den"])
    measure = indicator.measure
    number = str(plain(Decimal(value.numerator) / Decimal(value.denominator))) if _is_short(value) else f"{float(value):.3f}"
    match measure:
        case Exists():
            words = Message("有", "present") if value > 0 else Message("无", "absent")
        case Attribute(id=name) if rulebook.attribute[name].type is FieldType.BOOLEAN:
            words = Message("是", "yes") if value else Message("否", "no")
        case Sum() if rulebook.record_fields[measure.field].type is FieldType.MONEY:
            words = Message(f"合计 {number} 元", f"{number} yuan in total")
        case DaysSince():
            words = Message(f"距今 {number} 天", f"{number} days ago")
        case CleanYears():
            words = Message(f"连续 {number} 年", f"{number} years in a row")
        case AttributeAge(unit=unit):
            words = Message(f"{number} {'天' if unit == 'days' else '年'}", f"{number} {unit}")
        case _ if measure is not None and measure.type == "count":
            words = Message(f"{number} 次", f"{number} time(s)")
        case _:
            words = Message(f"数值 {number}", f"value {number}")
    return words.in_language(language)


def _is_short(value: Fraction) -> bool:
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1 and value.denominator <= 10**6


def sentences(content: Mapping[str, Any], language: str) -> list[str]:
    """The explanation in sentences of one language, each point with its article."""
    say = _CHINESE if language.startswith("zh") else _ENGLISH
    return [
        line
        for part in (say.head(content), say.points(content), say.decision(content), say.outlook(content))
        for line in part
    ]


def _articles(basis: Iterable[Mapping[str, Any]], language: str) -> str:
    parts = []
    for item in basis:
        title = item["title"][language] if item["title"] else item["document"]
        quoted = f"《{title}》" if language == "zh" else title
        if item["article"]:
            quoted += item["article"] if language == "zh" else f", {english_article(item['article'])}"
        parts.append(quoted)
    return ("、" if language == "zh" else "; ").join(dict.fromkeys(parts))


_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")}


def _chinese_number(text: str) -> int:
    """一 … 九百九十九, as articles are counted."""
    total, digit = 0, 0
    for char in text:
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[char]
    return total + digit


def english_article(article: str) -> str:
    """第六条第四项 → Article 6, item 4; what is not of that form stays as it is."""
    units = {"条": "Article", "款": "paragraph", "项": "item", "章": "Chapter", "节": "Section"}
    found = re.findall(r"第([零一二三四五六七八九十百]+)([条款项章节])", article)
    if not found or "".join(f"第{number}{unit}" for number, unit in found) != article:
        return article
    return ", ".join(f"{units[unit]} {_chinese_number(number)}" for number, unit in found)


def _newest(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(records, key=lambda record: (record["decided_on"], record["record_no"]), reverse=True)[:3]


class _CHINESE:
    @staticmethod
    def head(content: Mapping[str, Any]) -> list[str]:
        score = content["score"]
        start, implied = points_text(score["start_milli"]), score["implied_milli"]
        base = f"起始分 {start} 分" + (f"，默认项 {points_text(implied)} 分" if implied else "")
        return [
            f"按《{content['rulebook']['title']['zh']}》，截至 {content['as_of']}，主体 {content['subject_id']} "
            f"得分 {points_text(score['total_milli'])} 分，评定为{content['grade']['title']['zh']}。",
            base + "。",
        ]

    @staticmethod
    def points(content: Mapping[str, Any]) -> list[str]:
        lines = []
        for item in content["contributions"]:
            signed = signed_points(item["points_milli"])
            if item["kind"] == "adjustment":
                lines.append(f"{item['title']['zh']}：{signed} 分。")
                continue
            capped = (
                f"（原为 {points_text(item['uncapped_milli'])} 分，按限额计）" if item["uncapped_milli"] is not None else ""
            )
            behind = "；".join(
                f"{record['title']['zh'] if record['title'] else record['kind']} {record['decided_on']}"
                + (f" {record['document']}" if record["document"] else "")
                for record in _newest(item["records"])
            )
            more = f" 等 {len(item['records'])} 条" if len(item["records"]) > 3 else ""
            source = f"，依据{_articles(item['basis'], 'zh')}" if item["basis"] else ""
            records = f"，记录：{behind}{more}" if behind else ""
            lines.append(
                f"{item['dimension']['title']['zh']}·{item['title']['zh']}：{item['measured']['zh']}，{signed} 分{capped}{source}{records}。"
            )
        return lines

    @staticmethod
    def decision(content: Mapping[str, Any]) -> list[str]:
        decision = content["decision"]
        names = {
            "exclude": "不予评价",
            "direct": "直接定级",
            "held": "暂不评价",
            "side": "旁列等级",
            "cap": "等级上限",
            "shift": "等级升降",
        }
        if decision["step"] == "cut":
            return ["等级由得分分界确定。"]
        basis = f"，依据{_articles(decision['basis'], 'zh')}" if decision["basis"] else ""
        return [
            f"等级由「{names[decision['step']]}」规则确定：{decision['title']['zh'] if decision['title'] else decision['rule']}{basis}（按得分应为 {content['ladder_grade']}）。"
        ]

    @staticmethod
    def outlook(content: Mapping[str, Any]) -> list[str]:
        missed = [cut for cut in content["cuts"] if cut["margin_milli"] < 0]
        if not missed:
            return ["得分已达到最高等级的分界。"]
        nearest = max(missed, key=lambda cut: cut["margin_milli"])
        return [f"距 {nearest['grade']} 级分界 {nearest['cut']} 分还差 {points_text(-nearest['margin_milli'])} 分。"]


class _ENGLISH:
    @staticmethod
    def head(content: Mapping[str, Any]) -> list[str]:
        score = content["score"]
        implied = score["implied_milli"]
        base = f"It starts from {points_text(score['start_milli'])} points" + (
            f", with {points_text(implied)} implied by defaults" if implied else ""
        )
        return [
            f"Under “{content['rulebook']['title']['en']}”, as of {content['as_of']}, subject {content['subject_id']} "
            f"scores {points_text(score['total_milli'])} and is graded {content['grade']['title']['en']}.",
            base + ".",
        ]

    @staticmethod
    def points(content: Mapping[str, Any]) -> list[str]:
        lines = []
        for item in content["contributions"]:
            signed = signed_points(item["points_milli"])
            if item["kind"] == "adjustment":
                lines.append(f"{item['title']['en']}: {signed}.")
                continue
            capped = f" (held from {points_text(item['uncapped_milli'])})" if item["uncapped_milli"] is not None else ""
            behind = "; ".join(
                f"{record['title']['en'] if record['title'] else record['kind']} {record['decided_on']}"
                for record in _newest(item["records"])
            )
            more = f" and {len(item['records']) - 3} more" if len(item["records"]) > 3 else ""
            source = f", under {_articles(item['basis'], 'en')}" if item["basis"] else ""
            records = f"; records: {behind}{more}" if behind else ""
            lines.append(
                f"{item['dimension']['title']['en']} · {item['title']['en']}: {item['measured']['en']}, {signed} points{capped}{source}{records}."
            )
        return lines

    @staticmethod
    def decision(content: Mapping[str, Any]) -> list[str]:
        decision = content["decision"]
        if decision["step"] == "cut":
            return ["The grade follows from the cuts."]
        basis = f", under {_articles(decision['basis'], 'en')}" if decision["basis"] else ""
        title = decision["title"]["en"] if decision["title"] else decision["rule"]
        return [
            f"The grade was set by a {decision['step']} rule: {title}{basis} (by score it would be {content['ladder_grade']})."
        ]

    @staticmethod
    def outlook(content: Mapping[str, Any]) -> list[str]:
        missed = [cut for cut in content["cuts"] if cut["margin_milli"] < 0]
        if not missed:
            return ["The score meets the cut of the best grade."]
        nearest = max(missed, key=lambda cut: cut["margin_milli"])
        return [
            f"The cut of grade {nearest['grade']} at {nearest['cut']} is {points_text(-nearest['margin_milli'])} points away."
        ]
