"""The ladder, and what stands above it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from spec.law import AS_OF, LADDER, Spec, hold, rulebook_of
from zhixin.law.checks.structure import check

title = {"zh": "等级与决定", "en": "Grades and decisions"}

SPECS = (
    Spec(
        "M26",
        "90分以上为A级，80分以上不满90分为B级，60分以上不满80分为C级，不满60分为D级。",
        "Ninety and more is A, eighty to under ninety B, sixty to under eighty C, and less is D.",
        LADDER,
        """
        other   | score  | grade | step
        -9.999  | 90.001 | A     | cut
        -10     | 90     | A     | cut
        -10.001 | 89.999 | B     | cut
        -19.999 | 80.001 | B     | cut
        -20     | 80     | B     | cut
        -20.001 | 79.999 | C     | cut
        -39.999 | 60.001 | C     | cut
        -40     | 60     | C     | cut
        -40.001 | 59.999 | D     | cut
        """,
    ),
    Spec(
        "M06",
        "在严重失信名单的直接定为D级，不论得分。",
        "Who is on the serious list is graded D, whatever the score.",
        """
        decisions: {direct: {serious: {grade: D, when: {measure: {type: exists, of: {kinds: [listing], while_valid: true}}, at_least: 1}}}}
        """,
        """
        other | records                                   | score | ladder_grade | grade | step
        0     |                                           | 100   | A            | A     | cut
        0     | listing 2025-01-01 valid_until=2026-06-29 | 100   | A            | A     | cut
        0     | listing 2025-01-01 valid_until=2026-06-30 | 100   | A            | D     | direct:serious
        0     | listing 2025-01-01 valid_until=2026-07-01 | 100   | A            | D     | direct:serious
        """,
    ),
    Spec(
        "M06",
        "同时符合几项直接定级的，从重定级。",
        "Where several direct grades fit, the worst is given.",
        """
        decisions:
          direct:
            one: {grade: C, when: {attribute: listed, is: true}}
            two: {grade: D, when: {attribute: insured, is: false}}
        """,
        """
        listed | insured | grade | step
        true   | true    | C     | direct:one
        true   | false   | D     | direct:two
        false  | false   | D     | direct:two
        """,
    ),
    Spec(
        "M06",
        "同时符合几项直接定级的，适用在先的一项。",
        "Or the first that is written is given.",
        """
        decisions:
          direct_order: first
          direct:
            one: {grade: C, when: {attribute: listed, is: true}}
            two: {grade: D, when: {attribute: insured, is: false}}
        """,
        """
        listed | insured | grade | step
        true   | false   | C     | direct:one
        false  | false   | D     | direct:two
        """,
    ),
    Spec(
        "M10",
        "未参加保险的不得评为A级。",
        "Who is not insured cannot be A.",
        "decisions: {caps: {uninsured: {not_above: B, when: {attribute: insured, is: false}}}}",
        """
        other | insured | ladder_grade | grade | step
        0     | true    | A            | A     | cut
        0     | false   | A            | B     | cap:uninsured
        -15   | false   | B            | B     | cut
        -50   | false   | D            | D     | cut
        0     |         | A            | A     | cut
        """,
    ),
    Spec(
        "M10",
        "几项上限同时适用的，以最低的为准。",
        "Of several caps the lowest holds.",
        """
        decisions:
          caps:
            young: {not_above: B, when: {measure: {type: age, id: opened_on, unit: years}, below: 1}}
            listed: {not_above: C, when: {attribute: listed, is: true}}
        """,
        """
        opened_on  | listed | grade | step
        2025-07-01 | false  | B     | cap:young
        2025-06-30 | false  | A     | cut
        2025-06-29 | false  | A     | cut
        2025-07-01 | true   | C     | cap:listed
        2020-07-01 | true   | C     | cap:listed
        """,
    ),
    Spec(
        "M12",
        "没有评价指标信息且得分未满100分的，列为M级，不在阶梯之内。",
        "M stands beside the ladder: a subject without sales that is short of the full mark is neither B nor C.",
        """
        decisions:
          side:
            unrated: {grade: M, when: {all: [{measure: {type: attribute, id: sales}, at_most: 0}, {score: total, below: 100}]}}
          caps: {listed: {not_above: C, when: {attribute: listed, is: true}}}
        """,
        """
        sales | other  | listed | ladder_grade | grade | step
        0     | -0.001 |        | A            | M     | side:unrated
        0     | -0.001 | true   | A            | M     | side:unrated
        0     | 0      |        | A            | A     | cut
        0     | 0.001  |        | A            | A     | cut
        0.01  | -0.001 |        | A            | A     | cut
              | -0.001 |        | A            | A     | cut
        """,
    ),
    Spec(
        "M13",
        "评价年度内注销的不参加评价，即使符合直接定级情形。",
        "Who is deregistered is not evaluated, even where a direct grade would fit.",
        """
        decisions:
          exclude: {gone: {grade: N, when: {attribute: trained, is: false}}}
          direct: {listed: {grade: D, when: {attribute: listed, is: true}}}
        """,
        """
        trained | listed | grade | step
        false   | true   | N     | exclude:gone
        false   | false  | N     | exclude:gone
        true    | true   | D     | direct:listed
                |        | A     | cut
        """,
    ),
    Spec(
        "M13",
        "关键信息未归集的暂不评价；直接定级不受影响。",
        "A subject whose key fact is not known is on hold; a direct grade is given all the same.",
        """
        held_grade: N
        indicators: {key: {measure: {type: attribute, id: staff}, points: {type: once, points: 1}, when_missing: hold}}
        decisions: {direct: {listed: {grade: D, when: {attribute: listed, is: true}}}}
        """,
        """
        staff | listed | score | grade | step
              |        | 100   | N     | held:key
              | true   | 100   | D     | direct:listed
        0     |        | 100   | A     | cut
        1     |        | 101   | A     | cut
        """,
    ),
    Spec(
        "M18",
        "各项条件全部满足的才通过：没有减2分的项目，且得分在95分以上。",
        "It passes only if every condition holds: no failing item, and ninety-five points or more.",
        """
        ladder: {passed: {at_least: 95, requires: {measure: {type: count, of: {kinds: [fine]}}, at_most: 0}}, failed: {}}
        """,
        """
        other  | records         | grade
        -5.001 |                 | failed
        -5     |                 | passed
        -4.999 |                 | passed
        0      | fine 2026-01-01 | failed
        """,
    ),
    Spec(
        "M18",
        "四项比率均达标的才符合条件。",
        "Ratios may be conditions too, and all of them must be met.",
        """
        decisions:
          direct:
            sound:
              grade: B
              when:
                all:
                  - {measure: {type: ratio, numerator: {type: attribute, id: first}, denominator: {type: attribute, id: second}}, at_most: 0.95}
                  - {measure: {type: attribute, id: third}, above: 0, below: 1}
                  - {not: {attribute: listed, is: true}}
        """,
        """
        first | second | third | listed | grade
        94.99 | 100    | 0.01  |        | B
        95    | 100    | 0.01  |        | B
        95.01 | 100    | 0.01  |        | A
        95    | 100    | 0     |        | A
        95    | 100    | 0.99  | false  | B
        95    | 100    | 1     |        | A
        95    | 100    | 0.01  | true   | A
        95    |        | 0.01  |        | A
        """,
    ),
    Spec(
        "M28",
        "有从重情形的下调一级，有从轻情形的上调一级，最低D级、最高A级。",
        "An aggravating fact moves the grade one down, a mitigating one up, never beyond the ends.",
        """
        decisions:
          shifts:
            worse: {steps: 1, when: {attribute: listed, is: true}}
            better: {steps: -1, when: {attribute: trained, is: true}}
        """,
        """
        other | listed | trained | grade | step
        -15   |        |         | B     | cut
        -15   | true   |         | C     | shift:worse
        -15   |        | true    | A     | shift:better
        0     |        | true    | A     | cut
        -50   | true   |         | D     | cut
        -15   | true   | true    | B     | cut
        """,
    ),
    Spec(
        "M28",
        "两种从重情形不累计下调，按较重的一种下调。",
        "Two reasons are not two grades: the stronger moves.",
        """
        decisions:
          shifts:
            one: {steps: 1, when: {attribute: listed, is: true}}
            two: {steps: 2, when: {attribute: insured, is: false}}
        """,
        """
        listed | insured | grade | step
        true   |         | B     | shift:one
        true   | false   | C     | shift:two
        """,
    ),
    Spec(
        "M28",
        "规定累计的，各种情形一并下调。",
        "Where the rule says so, all reasons add up.",
        """
        decisions:
          shift_order: all
          shifts:
            one: {steps: 1, when: {attribute: listed, is: true}}
            two: {steps: 2, when: {attribute: insured, is: false}}
            three: {steps: -1, when: {attribute: trained, is: true}}
        """,
        """
        listed | insured | trained | grade
        true   | false   |         | D
        true   | false   | true    | C
        true   |         | true    | A
        """,
    ),
    Spec(
        "M28",
        "情节恶劣的，可视情下调一级或者两级，未记明的下调一级。",
        "For grave facts an officer moves the grade one or two steps; one, where no choice is recorded.",
        """
        decisions:
          shifts:
            grave: {steps: {answer: shift, at_least: 1, at_most: 2, otherwise: 1}, when: {attribute: listed, is: true}}
        """,
        """
        listed | shift | grade
        true   | 0     | B
        true   | 1     | B
        true   | 2     | C
        true   | 3     | C
        true   |       | B
        false  | 2     | A
        """,
    ),
    Spec(
        "M30",
        "评为A级的除得分外，还须有两年以上业绩。",
        "For an A, besides the score, two years of work are needed.",
        """
        ladder: {A: {at_least: 90, requires: {measure: {type: attribute, id: years}, at_least: 2}}, B: {at_least: 80}, C: {}}
        """,
        """
        years | grade
        1     | B
        2     | A
        3     | A
              | B
        """,
    ),
    Spec(
        "M33",
        "附加指标四项中满足三项以上的才能评为A级。",
        "For an A three of the four further conditions must hold.",
        """
        ladder:
          A:
            at_least: 90
            requires:
              at_least_of: 3
              of:
                - {attribute: licensed, is: true}
                - {attribute: insured, is: true}
                - {attribute: trained, is: true}
                - {attribute: sector, in: [farm, shop]}
          B: {}
        """,
        """
        licensed | insured | trained | sector | grade
        true     | true    | false   | bank   | B
        true     | true    |         |        | B
        true     | true    | true    | bank   | A
        true     | true    | false   | farm   | A
        true     | true    | true    | shop   | A
        """,
    ),
    Spec(
        "M40",
        "不具备准入条件的不予评分评级。",
        "Who does not pass the gate is not graded at all.",
        "decisions: {exclude: {gate: {grade: N, when: {not: {all: [{attribute: licensed, is: true}, {measure: {type: attribute, id: staff}, at_least: 3}]}}}}}",
        """
        licensed | staff | grade | step
        true     | 2     | N     | exclude:gate
        true     | 3     | A     | cut
        true     | 4     | A     | cut
        false    | 3     | N     | exclude:gate
                 | 3     | N     | exclude:gate
        """,
    ),
    Spec(
        "M06",
        "决定的顺序为：不评、直接定级、得分、分界、上限、升降、收束于两端。",
        "The order is fixed: excluded, direct, score, cut, cap, shift, and held within the ends.",
        """
        decisions:
          exclude: {gone: {grade: N, when: {attribute: trained, is: false}}}
          direct: {listed: {grade: D, when: {attribute: listed, is: true}}}
          caps: {uninsured: {not_above: B, when: {attribute: insured, is: false}}}
          shifts: {better: {steps: -1, when: {attribute: licensed, is: true}}}
        """,
        """
        trained | listed | insured | licensed | ladder_grade | grade | step
        false   | true   | false   | true     | A            | N     | exclude:gone
        true    | true   | false   | true     | A            | D     | direct:listed
        true    | false  | false   | true     | A            | A     | shift:better
        true    | false  | false   | false    | A            | B     | cap:uninsured
        true    | false  | true    | false    | A            | A     | cut
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)


# Cycles and measures are read from the rulebook; they need no engine.

MEASURES = """
measure_catalogue:
  - {code: check, title: {zh: 抽查, en: check}, nature: supervision, basis: [{document: law, verified: true}]}
  - {code: price, title: {zh: 电价, en: price of power}, nature: restriction, basis: [{document: law, verified: true}]}
classes: {farmer: {when: {attribute: sector, in: [farm]}}}
measures:
  check_a: {measure: check, grades: [A], inspect: {ratio: 0.02, ratio_bound: at_most}}
  check_b: {measure: check, grades: [B], inspect: {times: 1, times_at_most: 2, per_months: 12}}
  check_d: {measure: check, grades: [C, D], classes: [farmer], inspect: {ratio: {values: {2021-01-01: {value: 0.2, document: law, verified: true}, 2026-04-01: {value: 0.3, document: law, verified: true}}}}}
  free_a: {measure: check, grades: [A], inspect: {exempt_months: 24}}
  price_d: {measure: price, grades: [D], scenario: electricity, amount: 0.1, duration_months: 12}
"""
MECHANISMS = {
    "M43": {
        "zh": "等级与分类决定抽查比例、检查次数、免检期限和其他措施。",
        "en": "Grade and class decide the share checked, the number of checks, the time free of checks, and other measures.",
    },
    "M17": {
        "zh": "分值每日更新，使用时取快照日的结果。",
        "en": "The score moves every day; what is used is the result of the snapshot day.",
    },
}


def measures_of(day: date, grade: str) -> dict[str, tuple]:
    rulebook = rulebook_of(MEASURES).at(day)
    return {rule.id: (rule.classes, rule.inspect, rule.amount) for rule in rulebook.measures if grade in rule.grades}


def test_m43_each_grade_has_its_measures() -> None:
    assert set(measures_of(AS_OF, "A")) == {"check_a", "free_a"}
    assert set(measures_of(AS_OF, "B")) == {"check_b"}
    assert set(measures_of(AS_OF, "D")) == {"check_d", "price_d"}
    assert measures_of(AS_OF, "D")["price_d"][2] == Decimal("0.1")
    assert not [problem for problem in check(rulebook_of(MEASURES)) if not problem.is_warning]


@pytest.mark.parametrize(("day", "ratio"), [("2026-03-31", "0.2"), ("2026-04-01", "0.3"), ("2026-04-02", "0.3")])
def test_m43_a_ratio_changes_on_its_day(day: str, ratio: str) -> None:
    classes, inspect, _ = measures_of(date.fromisoformat(day), "C")["check_d"]
    assert classes == ("farmer",)
    assert inspect.ratio == Decimal(ratio)


def test_m43_a_measure_may_be_a_share_a_number_or_an_exemption() -> None:
    assert measures_of(AS_OF, "A")["check_a"][1].ratio_bound == "at_most"
    assert measures_of(AS_OF, "A")["free_a"][1].exempt_months == 24
    often = measures_of(AS_OF, "B")["check_b"][1]
    assert (often.times, often.times_at_most, often.per_months) == (1, 2, 12)


@pytest.mark.parametrize(
    ("cycle", "day", "snapshot"),
    [
        ("{every: month, snapshot_day: 15}", "2026-06-14", "2026-05-15"),
        ("{every: month, snapshot_day: 15}", "2026-06-15", "2026-06-15"),
        ("{every: month, snapshot_day: 15}", "2026-06-16", "2026-06-15"),
        ("{every: quarter, snapshot_month: 1}", "2026-03-31", "2026-01-01"),
        ("{every: quarter, snapshot_month: 1}", "2026-04-01", "2026-04-01"),
        ("{every: quarter, snapshot_month: 1}", "2026-04-02", "2026-04-01"),
        ("{every: year, snapshot_month: 4, snapshot_day: 20}", "2026-04-19", "2025-04-20"),
        ("{every: year, snapshot_month: 4, snapshot_day: 20}", "2026-04-20", "2026-04-20"),
        ("{every: year, snapshot_month: 4, snapshot_day: 20}", "2026-04-21", "2026-04-20"),
        ("{every: day}", "2026-04-21", "2026-04-21"),
    ],
)
def test_m17_use_takes_the_result_of_the_snapshot_day(cycle: str, day: str, snapshot: str) -> None:
    rulebook = rulebook_of(f"cycle: {cycle}")
    assert rulebook.cycle.snapshot_on(date.fromisoformat(day)) == date.fromisoformat(snapshot)
