"""Numbers that the law changed."""

from __future__ import annotations

from datetime import date

import pytest

from shipped import shipped
from spec.law import Spec, hold, rulebook_of
from zhixin.dataset.facts import Facts
from zhixin.explanation.outlook import Outlook
from zhixin.law.loading import load_rulebook
from zhixin.law.moment_and_windows import Moment

title = {"zh": "分期取值", "en": "Dated values"}

BEFORE, SINCE = date(2025, 6, 30), date(2025, 7, 1)

SPECS = (
    Spec(
        "M44",
        "扣分标准自施行之日起改按新标准，前一日仍按旧标准。",
        "A new number of points holds from its day; the day before, the old one does.",
        """
        indicators:
          late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: {values: {2021-01-01: {value: -5, document: law, verified: true}, 2026-04-01: {value: -3, document: law, verified: true}}}}}
        """,
        """
        as_of      | records         | score
        2020-12-31 | fine 2020-06-01 | 100
        2021-01-01 | fine 2020-06-01 | 95
        2021-01-02 | fine 2020-06-01 | 95
        2026-03-31 | fine 2020-06-01 | 95
        2026-04-01 | fine 2020-06-01 | 97
        2026-04-02 | fine 2020-06-01 | 97
        """,
    ),
    Spec(
        "M44",
        "处罚信息的计入期限自2026年4月1日起由三十六个月改为十二个月。",
        "From 1 April 2026 penalties count for twelve months instead of thirty-six.",
        """
        indicators:
          late: {measure: {type: count, of: {kinds: [fine], within: {months: {values: {2021-01-01: {value: 36, document: law, verified: true}, 2026-04-01: {value: 12, document: law, verified: true}}}}}}, points: {type: per_unit, each: -5}}
        """,
        """
        as_of      | records         | score
        2026-03-31 | fine 2023-03-31 | 100
        2026-03-31 | fine 2023-04-01 | 95
        2026-03-31 | fine 2025-04-01 | 95
        2026-04-01 | fine 2023-04-02 | 100
        2026-04-01 | fine 2025-04-01 | 100
        2026-04-01 | fine 2025-04-02 | 95
        """,
    ),
    Spec(
        "M44",
        "按行为发生之日适用标准：行为在新标准施行前的，从旧。",
        "The standard of the day of the act applies, whenever it was decided.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points: {type: per_record, each: {values: {2021-01-01: {value: -5, document: law, verified: true}, 2026-04-01: {value: -3, document: law, verified: true}}, counts_by: fact}}
        """,
        """
        records                                | score
        fine 2026-05-01 occurred_on=2020-12-31 | 100
        fine 2026-05-01 occurred_on=2021-01-01 | 95
        fine 2026-05-01 occurred_on=2026-03-31 | 95
        fine 2026-05-01 occurred_on=2026-04-01 | 97
        fine 2026-05-01 occurred_on=2026-04-02 | 97
        fine 2026-05-01                        | 100
        """,
    ),
    Spec(
        "M44",
        "按作出决定之日适用标准，返还比例以该标准为基数。",
        "The standard of the day of decision applies, and what is given back is a share of it.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: {values: {2021-01-01: {value: -5, document: law, verified: true}, 2026-04-01: {value: -3, document: law, verified: true}}, counts_by: decision}
              tiers: [{corrected: {days: 30}, give_back: 0.8}]
        """,
        """
        records                                                        | score
        fine 2026-03-31 occurred_on=2026-01-01                         | 95
        fine 2026-04-01 occurred_on=2026-01-01                         | 97
        fine 2026-04-02 occurred_on=2026-01-01                         | 97
        fine 2026-03-31 corrected_on=2026-04-10                        | 99
        fine 2026-04-01 corrected_on=2026-04-10, fine 2026-03-31       | 94.4
        """,
    ),
    Spec(
        "M44",
        "已经废止的标准不再适用。",
        "A number that was repealed no longer applies.",
        """
        indicators:
          late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: {values: {2021-01-01: {value: -5, document: law, verified: true}, 2026-04-01: {value: null, document: law, verified: true}}}}}
        """,
        """
        as_of      | records         | score
        2026-03-31 | fine 2020-06-01 | 95
        2026-04-01 | fine 2020-06-01 | 100
        2026-04-02 | fine 2020-06-01 | 100
        """,
    ),
    Spec(
        "M44",
        "指标自规定之日起施行，至废止之日前一日为止。",
        "An indicator is in force from its day until the day before its repeal.",
        """
        indicators:
          late:
            effective: {from: 2024-01-01, until: 2026-04-01}
            measure: {type: count, of: {kinds: [fine]}}
            points: {type: per_unit, each: -5}
        """,
        """
        as_of      | records         | score
        2023-12-31 | fine 2020-06-01 | 100
        2024-01-01 | fine 2020-06-01 | 95
        2026-03-31 | fine 2020-06-01 | 95
        2026-04-01 | fine 2020-06-01 | 100
        """,
    ),
    Spec(
        "M44",
        "限额废止后不再限制扣分。",
        "Once its cap is repealed an item takes what it takes.",
        """
        indicators:
          late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}, limits: {at_least: {values: {2021-01-01: {value: -10, document: law, verified: true}, 2026-04-01: {value: null, document: law, verified: true}}}}}
        """,
        """
        as_of      | records            | score
        2026-03-31 | 3x fine 2020-06-01 | 90
        2026-04-01 | 3x fine 2020-06-01 | 85
        """,
    ),
    Spec(
        "M44",
        "等级分界自施行之日起改变。",
        "The cut of a grade moves on its day.",
        "ladder: {A: {at_least: {values: {2020-01-01: {value: 90, document: law, verified: true}, 2026-04-01: {value: 95, document: law, verified: true}}}}, B: {}}",
        """
        as_of      | other  | grade
        2026-03-31 | -10    | A
        2026-03-31 | -10.001 | B
        2026-04-01 | -5.001 | B
        2026-04-01 | -5     | A
        2026-04-01 | -4.999 | A
        """,
    ),
    Spec(
        "M44",
        "等级自施行之日起增设，至废止之前一日为止；其间的上限规则和上一次的结果照常适用。",
        "A grade is on the ladder from its day until the day before its repeal.",
        "ladder: {A: {at_least: 90}, B: {at_least: 80, effective: {from: 2026-01-01, until: 2026-04-01}}, C: {}}\n"
        "decisions: {caps: {before: {not_above: C, when: {previous: 1, grade_in: [B]}}}}",
        """
        as_of      | other  | previous             | grade
        2025-12-31 | -15    |                      | C
        2026-01-01 | -15    |                      | B
        2026-03-31 | -15    |                      | B
        2026-04-01 | -15    |                      | C
        2026-04-01 | -5     | 2026-03-31 B 85 cut  | C
        2026-04-01 | -5     | 2026-03-31 A 95 cut  | A
        """,
    ),
    Spec(
        "M01",
        "起始分自施行之日起改变。",
        "The start moves on its day.",
        "score: {start: {otherwise: {values: {2020-01-01: {value: 100, document: law, verified: true}, 2026-01-01: {value: 93, document: law, verified: true}}}}}",
        """
        as_of      | score
        2025-12-31 | 100
        2026-01-01 | 93
        2026-01-02 | 93
        """,
    ),
    Spec(
        "M10",
        "上限规则自施行之日起适用。",
        "A cap applies from its day.",
        "decisions: {caps: {listed: {not_above: C, effective: {from: 2026-01-01}, when: {attribute: listed, is: true}}}}",
        """
        as_of      | listed | grade
        2025-12-31 | true   | A
        2026-01-01 | true   | C
        2026-01-02 | true   | C
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)


def test_what_was_looked_up_before_is_not_carried_into_the_resolved_rulebook() -> None:
    whole = shipped("zhengzhou-ip")
    fresh = load_rulebook("zhengzhou-ip").at(date(2026, 11, 1))
    assert whole.indicator
    assert whole.record_fields
    resolved = whole.at(date(2026, 11, 1))
    assert resolved.indicator == fresh.indicator != whole.indicator
    assert resolved.sha256 == fresh.sha256 == whole.sha256, "a resolved rulebook names the document it comes from"


def test_measures_for_a_grade_fall_away_with_it() -> None:
    whole = shipped("medical-price-credit")
    grades = {day: {name for rule in whole.at(day).measures for name in rule.grades} for day in (BEFORE, SINCE)}
    assert "dishonest" not in grades[BEFORE]
    assert grades[SINCE] == grades[BEFORE] | {"dishonest"}
    assert [grade.id for grade in whole.ladder_on(BEFORE)] == ["none", "general", "medium", "serious", "grave"]
    assert [grade.id for grade in whole.ladder_on(SINCE)] == ["none", "general", "dishonest", "medium", "serious", "grave"]
    assert tuple(whole.at(SINCE).grade_rank) == tuple(grade.id for grade in whole.ladder_on(SINCE))


def test_the_outlook_knows_the_best_grade_of_its_day() -> None:
    book = rulebook_of("ladder: {AA: {at_least: 95, effective: {from: 2027-01-01}}, A: {at_least: 90}, B: {}}")
    told = {
        day: Outlook(book, Facts("x"), Moment(day), months=1).content() for day in (date(2026, 6, 30), date(2027, 6, 30))
    }
    assert [content["grade"] for content in told.values()] == ["A", "AA"]
    assert all("已是最高等级。" in content["text"]["zh"] for content in told.values())
