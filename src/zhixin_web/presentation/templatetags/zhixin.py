"""Template tags: bilingual words, scores, masked values, permission questions."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from zhixin.dataset.sources import owners, sources
from zhixin.errors import Message
from zhixin.explanation.sentences import english_article
from zhixin.explanation.wording import Wording
from zhixin.law.procedures import procedures
from zhixin.reference.areas import district_by_code
from zhixin.reference.industries import sections
from zhixin.reference.listing_rules import WEIGHTS, listing_rules
from zhixin_web.accounts.permissions import may
from zhixin_web.cases.clocks import procedure_of
from zhixin_web.duties.counted import COUNTED
from zhixin_web.duties.items import MARKS, DutyState
from zhixin_web.duties.models import Escalation
from zhixin_web.evaluations.models import HELD
from zhixin_web.presentation.language import in_english, language_code
from zhixin_web.rulebooks.deadlines import days_left
from zhixin_web.rulebooks.law_in_force import law_in_force

register = template.Library()
TONES = ("good", "info", "warn", "bad")
SHAPES, LAST_SHAPE = ("◆", "●", "▲", "▼", "⬟", "⬢", "✦"), "■"


@register.filter
def said(words: Any) -> str:
    """The words of a manifest or a fault in the page's language."""
    if words is None:
        return ""
    if isinstance(words, dict):
        return str(words.get("en" if in_english() else "zh") or "")
    return str(words.en if in_english() else words.zh)


@register.filter
def is_judged(step: str) -> bool:
    """Whether a result is a judgement: a subject that the rules leave out has no score that says anything."""
    return not step.startswith("exclude:")


@register.filter
def case_state(case: Any) -> Any:
    """The title of the state that a case is in."""
    return procedure_of(case).state(case.state).title


@register.filter
def case_state_told(case: Any) -> Any:
    """Return the state of a case for its party: a proposal is not a decision, so its direction is left out."""
    state = procedure_of(case).state(case.state)
    return Message("审核中", "under review") if state.turn == "approver" else state.title


@register.filter
def procedure_title(name: str) -> Any:
    """The title of a procedure as it is today; the name of one that is gone."""
    found = procedures().get(name)
    return found.title if found is not None else Message(name, name)


@register.filter
def or_english(zh: str, en: str) -> str:
    """The words of the page's language."""
    return en if in_english() else zh


@register.filter
def remedy(fault: dict[str, Any]) -> str:
    return str(fault.get("fix_en" if in_english() else "fix_zh", ""))


@register.filter
def score(milli: int | None) -> str:
    """Thousandths as points with one decimal, half up."""
    if milli is None:
        return "—"
    tenths, sign = (abs(milli) + 50) // 100, "-" if milli < 0 else ""
    return f"{sign}{tenths // 10}.{tenths % 10}"


@register.simple_tag
def grade(value: str) -> SafeString:
    """A grade as letter, shape and colour, never colour alone; shape and colour say its place in its ladder.

    What is outside a ladder is shown by its title: a letter would be taken for a grade.
    """
    law = law_in_force()
    outside = law.grade_titles.get(value) if value not in law.grade_places else None
    return format_html(
        '<span class="grade grade-{}"><span aria-hidden="true">{}</span> {}</span>',
        grade_tone(value),
        grade_shape(value),
        outside.in_language(language_code()) if outside else {"": _("未评价"), HELD: _("暂缓")}.get(value, value),
    )


@register.filter
def grade_tone(value: str) -> str:
    """The colour of a grade by its place: the best is good, the last is bad; ``none`` outside a ladder."""
    place, length = law_in_force().grade_places.get(value, (0, 0))
    if not length:
        return "none"
    return TONES[round(place * (len(TONES) - 1) / (length - 1))] if length > 1 else TONES[0]


def grade_shape(value: str) -> str:
    """The shape of a grade by its place: each place of a ladder has its own, the last is always a square."""
    place, length = law_in_force().grade_places.get(value, (0, 0))
    if not length:
        return "○"
    return LAST_SHAPE if length > 1 and place == length - 1 else SHAPES[min(place, len(SHAPES) - 1)]


@register.filter
def grouped(code: str) -> str:
    """A code as people read it: 91 410100 MA44ABCD1 X."""
    return f"{code[:2]} {code[2:8]} {code[8:17]} {code[17:]}" if len(code) == 18 else code


@register.filter
def short(text: str) -> str:
    return text[:12]


@register.filter
def permits(user: Any, action: str) -> bool:
    return may(user, action)


@register.filter
def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0.0"


@register.filter
def get(mapping: Any, key: Any) -> Any:
    return mapping.get(key, "") if mapping else ""


@register.filter
def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) if not isinstance(value, str) else value


@register.filter
def kind_title(kind: str) -> str:
    """The title of a record kind in the law in force; its own name for a kind unknown to every rulebook."""
    found = law_in_force().kinds.get(kind)
    return said(found[0].title) if found is not None else kind


@register.filter
def class_title(name: str) -> str:
    """The title of a class of subjects in the law in force."""
    found = law_in_force().classes.get(name)
    return said(found.title) if found is not None else name


@register.filter
def term_source(source: Any) -> str:
    """Where a term comes from: 《title》 number article."""
    title = f"《{source.title.zh}》" if not in_english() else source.title.en
    article = source.article if not in_english() else english_article(source.article)
    return " ".join(part for part in (title, source.number, article) if part)


@register.filter
def district_name(code: str) -> str:
    """The name of a district in the page's language."""
    found = district_by_code().get(code)
    return said(found) if found is not None else code


@register.filter
def source_title(name: str) -> str:
    found = sources().get(name)
    return said(found.title) if found is not None else name


@register.filter
def owner_title(name: str) -> str:
    found = owners().get(name)
    return said(found) if found is not None else name


@register.filter
def cadence_title(cadence: str) -> str:
    titles = {
        "day": _("每日"),
        "week": _("每周"),
        "month": _("每月"),
        "quarter": _("每季"),
        "year": _("每年"),
        "event": _("随时"),
    }
    return titles.get(cadence, cadence)


@register.filter
def shown(value: Any) -> str:
    """A value as people read it: yes and no instead of True and False."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return str(value)


@register.filter
def industry_name(letter: str) -> str:
    """The section of GB/T 4754 behind its letter."""
    found = sections().get(letter)
    return said(found) if found is not None else letter


@register.filter
def severity_title(severity: str | None) -> str:
    return {"minor": _("轻微"), "general": _("一般"), "serious": _("严重")}.get(severity or "", "—")


@register.filter
def signed(milli: int) -> str:
    """Thousandths as points with a sign: +0.5, -6.0."""
    return ("+" if milli > 0 else "") + score(milli)


@register.filter
def plain(value: float) -> str:
    """A number as SVG and meters read it, whatever the language of the page."""
    return f"{value:g}"


@register.filter
def clip(text: str, most: int) -> str:
    """At most so many characters of a label; the whole is in its title."""
    return text if len(text) <= most else text[: most - 1] + "…"


@register.filter
def left(due: date) -> str:
    """Working days left until a deadline, in words."""
    days = days_left(timezone.localdate(), due)
    words = _("已逾期 %(n)s 个工作日") if days < 0 else _("还剩 %(n)s 个工作日")
    return words % {"n": abs(days)}


@register.filter
def ratio(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f}%"


@register.filter
def before(parts: Any, place: int) -> float:
    """Sum of the percentages of a bar's parts before one of them."""
    return float(sum(share for _name, _count, share in parts[:place]))


@register.filter
def group_name(name: str, by: str) -> str:
    """A group of the fairness page in words."""
    if name == "others":
        return _("其余各组")
    if by == "district":
        return district_name(name)
    if by == "industry":
        return industry_name(name)
    if by == "age":
        return {"0-2": _("不满三年"), "3-9": _("三至九年"), "10+": _("十年以上")}.get(name, name)
    return name or _("未登记")


@register.simple_tag
def measure_words(rulebook: Any, rule: Any) -> str:
    """A measure of a rulebook in words."""
    return Wording(rulebook, language_code()).measure_rule(rule)


@register.filter
def facet_name(value: str, name: str) -> str:
    """The value of a facet in words."""
    if name == "district":
        return district_name(value)
    if name == "industry":
        return industry_name(value)
    if name == "class":
        return class_title(value)
    return {HELD: _("暂缓")}.get(value, value) if name == "grade" else value


@register.filter
def section_title(section: str) -> str:
    """A part of a rulebook in words."""
    titles = {
        "score": _("得分"),
        "ladder": _("等级"),
        "dimensions": _("维度"),
        "indicators": _("指标"),
        "measures": _("措施"),
    }
    return titles.get(section, section)


@register.filter
def score_three(milli: int | None) -> str:
    """Thousandths with three decimals: 0.052."""
    return "—" if milli is None else f"{milli / 1000:.3f}"


@register.simple_tag
def duty_state(state: str) -> SafeString:
    """Write how an item of the work plan stands, in words and colour."""
    found = DutyState(state)
    return format_html('<span class="tag {}">{}</span>', MARKS[found], found.label)


@register.simple_tag
def decided(row: Any) -> SafeString:
    """Write where a version of the plan, or minutes, stand between proposal and decision, in words and colour."""
    tones = {"in_force": "good", "confirmed": "good", "proposed": "warn", "recorded": "warn"}
    return format_html('<span class="tag {}">{}</span>', tones.get(row.status, ""), row.get_status_display())


@register.filter
def unit_name(names: Any, code: str) -> str:
    """Return what a unit is called under the work plan."""
    return said(names[code]) if code in names else code


@register.filter
def task_title(plan: Any, name: str) -> str:
    """Return the title of a task of a work plan."""
    return said(plan.task(name).title)


@register.filter
def counted_title(name: str) -> str:
    """Return what a number counts on which a pilot is judged."""
    return str(COUNTED[name].title) if name in COUNTED else name


@register.filter
def escalation_name(to: str) -> str:
    """Return who learns that an item is overdue."""
    return str(Escalation.To(to).label)


@register.filter
def heavy_penalty(code: str) -> str:
    """Return what kind of heavy penalty a code names."""
    return next((said(item.title) for item in listing_rules().penalties if item.code == code), code)


@register.filter
def factors_said(factors: dict[str, dict[str, str]]) -> list[tuple[Any, Any, str]]:
    """Return the factors of a listing in their order: title, weight, what it rests on."""
    known = [item for item in listing_rules().factors if item.code in factors]
    return [(item.title, WEIGHTS[factors[item.code]["weight"]], factors[item.code]["note"]) for item in known]
