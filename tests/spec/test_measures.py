"""What is measured: counts, sums, extremes, ages, ratios, means."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "测量", "en": "Measures"}

SPECS = (
    Spec(
        "M02",
        "同一月份内的多次违法行为按一次计。",
        "Several acts in one month count once.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}, distinct: [month]}, points: {type: per_unit, each: -3}}}",
        """
        records                                           | score
        fine 2026-01-01, fine 2026-01-31                  | 97
        fine 2026-01-31, fine 2026-02-01                  | 94
        fine 2026-01-01, fine 2025-01-01                  | 94
        """,
    ),
    Spec(
        "M02",
        "同一日、同一类信息按一次计。",
        "Records of one kind on one day count once.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine, warning]}, distinct: [kind, day]}, points: {type: per_unit, each: -3}}}",
        """
        records                                           | score
        fine 2026-01-01, fine 2026-01-01                  | 97
        fine 2026-01-01, fine 2026-01-02                  | 94
        fine 2026-01-01, warning 2026-01-01               | 94
        """,
    ),
    Spec(
        "M02",
        "按税种计次：同一税种只计一次，未注明税种的合计一次。",
        "Acts are counted by tax: each tax once, and all that name none together once.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}, distinct: [code]}, points: {type: per_unit, each: -3}}}",
        """
        records                                               | score
        fine 2026-01-01 code=vat, fine 2026-02-01 code=vat    | 97
        fine 2026-01-01 code=vat, fine 2026-02-01 code=income | 94
        fine 2026-01-01 code=vat, fine 2026-02-01             | 94
        fine 2026-01-01, fine 2026-02-01                      | 97
        """,
    ),
    Spec(
        "M02",
        "有一次以上违法行为的一次性扣5分，不按次累加。",
        "Whether there was an act at all costs five points, however many there were.",
        "indicators: {late: {measure: {type: exists, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}}",
        """
        records            | score
                           | 100
        fine 2026-01-01    | 95
        2x fine 2026-01-01 | 95
        """,
    ),
    Spec(
        "M05",
        "罚款合计每一千元扣1分，不足一千元的按比例计，未注明金额的不计。",
        "Every thousand yuan of fines costs a point, in proportion below that; a fine without an amount adds nothing.",
        "indicators: {late: {measure: {type: sum, of: {kinds: [fine]}, field: amount}, points: {type: per_unit, each: -0.001}}}",
        """
        records                                                            | score
        fine 2026-01-01 amount=999.49                                              | 99.001
        fine 2026-01-01 amount=1000                                                | 99
        fine 2026-01-01 amount=1000.50                                             | 99
        fine 2026-01-01 amount=1000.51                                             | 98.999
        fine 2026-01-01 amount=1010, fine 2026-01-02, fine 2026-01-03 amount=500   | 98.49
        """,
    ),
    Spec(
        "M21",
        "以最低一次检查得分计分；未检查的不计分。",
        "The lowest of several check results counts; a subject never checked gets no points.",
        "indicators: {low: {measure: {type: minimum, of: {kinds: [survey]}, field: level}, points: {type: affine, constant: 0, each: 1}}}",
        """
        records                                                  | score
                                                                 | 100
        survey 2026-01-01 level=3.25, survey 2026-02-01 level=8  | 103.25
        survey 2026-01-01                                        | 100
        """,
    ),
    Spec(
        "M21",
        "以最高一次数额计分。",
        "The largest of several amounts counts.",
        "indicators: {high: {measure: {type: maximum, of: {kinds: [survey]}, field: amount}, points: {type: affine, constant: 1, each: 0.01}}}",
        """
        records                                                     | score
                                                                    | 100
        survey 2026-01-01 amount=300, survey 2026-02-01 amount=250  | 104
        """,
    ),
    Spec(
        "M21",
        "以最近一次检查结果为准；同日多次的取最大值，未给出结果的不算。",
        "The newest result counts, on the same day the largest; a check without a result does not.",
        "indicators: {last: {measure: {type: latest, of: {kinds: [survey]}, field: level}, points: {type: affine, constant: 0, each: 1}}}",
        """
        records                                                                             | score
        survey 2026-01-01 level=9, survey 2026-02-01 level=2                                | 102
        survey 2026-02-01 level=2, survey 2026-02-01 level=4, survey 2026-01-01 level=9     | 104
        survey 2026-02-01 level=2, survey 2026-03-01                                        | 102
                                                                                            | 100
        """,
    ),
    Spec(
        "M21",
        "企业得分为各工程得分的平均值，精确到千分之一分。",
        "The result of an enterprise is the mean over its works, to the thousandth of a point.",
        "indicators: {mean: {measure: {type: mean, of: {kinds: [survey]}, field: level}, points: {type: affine, constant: 0, each: 1}}}",
        """
        records                                                                         | score
        survey 2026-01-01 level=1, survey 2026-01-01 level=2                            | 101.5
        survey 2026-01-01 level=1, survey 2026-01-01 level=1, survey 2026-01-01 level=2 | 101.333
        survey 2026-01-01 level=2, survey 2026-01-01                                    | 102
                                                                                        | 100
        """,
    ),
    Spec(
        "M21",
        "各工程得分按合同金额加权平均；没有金额的工程不参加平均。",
        "Results of works are averaged by weight of contract; a work without an amount is left out.",
        """
        indicators:
          mean: {measure: {type: mean, of: {kinds: [survey]}, field: level, weighted_by: amount}, points: {type: affine, constant: 0, each: 1}}
        """,
        """
        records                                                                        | score
        survey 2026-01-01 level=10 amount=300, survey 2026-01-01 level=2 amount=100    | 108
        survey 2026-01-01 level=10 amount=300, survey 2026-01-01 level=2               | 110
        survey 2026-01-01 level=10 amount=0                                            | 100
        """,
    ),
    Spec(
        "M09",
        "距最近一次年度报告满五百五十日的扣2分；从未报告的不扣。",
        "Five hundred and fifty days after the last annual report two points are lost; none if there never was one.",
        """
        indicators:
          overdue: {measure: {type: days_since, of: {kinds: [survey]}}, points: {type: steps, side: at_least, below: 0, bands: [{from: 550, points: -2}]}}
        """,
        """
        records                                | score
        survey 2024-12-28                      | 100
        survey 2024-12-27                      | 98
        survey 2024-12-26                      | 98
        survey 2024-12-26, survey 2026-06-30   | 100
                                               | 100
        """,
    ),
    Spec(
        "M11",
        "连续三年没有处罚的加2分，自成立之日或最近一次处罚之日起算。",
        "Three clean years earn two points, counted from the founding or the last penalty, whichever is later.",
        """
        indicators:
          clean:
            measure: {type: clean_years, of: {kinds: [fine]}, since: opened_on}
            points: {type: steps, side: at_least, below: 0, bands: [{from: 3, points: 2}]}
        """,
        """
        opened_on  | records         | score
        2023-07-01 |                 | 100
        2023-06-30 |                 | 102
        2023-06-29 |                 | 102
        2010-01-01 | fine 2023-07-01 | 100
        2010-01-01 | fine 2023-06-30 | 102
        2024-01-01 | fine 2023-06-30 | 100
                   | fine 2023-06-30 | 102
                   |                 | 100
        """,
    ),
    Spec(
        "M10",
        "成立满一年的加1分；成立日期不明或晚于评价日的不计。",
        "A subject a whole year old gets a point; one of unknown or later birth does not.",
        """
        indicators:
          mature: {measure: {type: age, id: opened_on, unit: years}, points: {type: steps, side: at_least, below: 0, bands: [{from: 1, points: 1}]}}
        """,
        """
        as_of      | opened_on  | score
        2026-06-30 | 2025-07-01 | 100
        2026-06-30 | 2025-06-30 | 101
        2026-06-30 | 2025-06-29 | 101
        2026-06-30 | 2026-07-01 | 100
        2026-06-30 |            | 100
        2025-02-28 | 2024-02-29 | 101
        """,
    ),
    Spec(
        "M10",
        "成立满三十日的按日龄计。",
        "Age may be counted in days.",
        """
        indicators:
          mature: {measure: {type: age, id: opened_on, unit: days}, points: {type: steps, side: at_least, below: 0, bands: [{from: 30, points: 1}]}}
        """,
        """
        opened_on  | score
        2026-06-01 | 100
        2026-05-31 | 101
        2026-05-30 | 101
        """,
    ),
    Spec(
        "M18",
        "维持率（有效数与总数之比）达到八成的加1分；总数为零或不明的不计。",
        "A share of four fifths earns a point; without a whole there is no share.",
        """
        indicators:
          kept:
            measure: {type: ratio, numerator: {type: attribute, id: first}, denominator: {type: attribute, id: second}}
            points: {type: steps, side: at_least, below: 0, bands: [{from: 0.8, points: 1}]}
        """,
        """
        first | second | score
        7.99  | 10     | 100
        8     | 10     | 101
        8.01  | 10     | 101
        8     | 0      | 100
        8     | -1     | 100
        8     |        | 100
              | 10     | 100
        """,
    ),
    Spec(
        "M41",
        "查实投诉达到三件，或者达到检查次数一成的，扣5分。",
        "Three complaints upheld, or one for every ten checks, cost five points.",
        """
        indicators:
          complaints:
            measure: {type: count, of: {kinds: [warning]}}
            points:
              type: cases
              cases:
                - when: {measure: {type: count, of: {kinds: [warning]}}, at_least: 3}
                  points: {type: once, points: -5}
                - when:
                    measure: {type: ratio, numerator: {type: count, of: {kinds: [warning]}}, denominator: {type: count, of: {kinds: [survey]}}}
                    at_least: 0.1
                  points: {type: once, points: -5}
        """,
        """
        records                                      | score
        2x warning 2026-01-01                        | 100
        3x warning 2026-01-01                        | 95
        4x warning 2026-01-01                        | 95
        1x warning 2026-01-01, 11x survey 2026-01-01 | 100
        1x warning 2026-01-01, 10x survey 2026-01-01 | 95
        1x warning 2026-01-01, 9x survey 2026-01-01  | 95
        """,
    ),
    Spec(
        "M42",
        "评审人员在0至10分之间酌情给分，未给出的按0分计。",
        "An officer gives between nought and ten points; where none are given there are none.",
        "indicators: {judged: {measure: {type: attribute, id: answer}, points: {type: affine, constant: 0, each: 1}, limits: {at_least: 0, at_most: 10}}}",
        """
        answer | score
               | 100
        -1     | 100
        0      | 100
        1      | 101
        9      | 109
        10     | 110
        11     | 110
        """,
    ),
    Spec(
        "M48",
        "服务评价取各项答复的平均值，未答复的按60分计。",
        "The opinion is the mean of the answers; an answer not given counts as sixty.",
        """
        indicators:
          opinion:
            measure:
              type: combined
              how: mean
              of: [{type: attribute, id: first}, {type: attribute, id: second}, {type: attribute, id: third}]
              missing_as: 60
            points: {type: affine, constant: 0, each: 0.1}
        """,
        """
        first | second | third | score
        90    | 80     | 70    | 108
        90    | 80     |       | 107.667
              |        |       | 106
        """,
    ),
    Spec(
        "M48",
        "服务评价取已有答复的平均值，全无答复的不计。",
        "Or the mean is taken over the answers given; with none there is no opinion.",
        """
        indicators:
          opinion:
            measure: {type: combined, how: mean, of: [{type: attribute, id: first}, {type: attribute, id: second}]}
            points: {type: affine, constant: 0, each: 0.1}
        """,
        """
        first | second | score
        90    | 80     | 108.5
        90    |        | 109
              |        | 100
        """,
    ),
    Spec(
        "M46",
        "兼有数种身份的，取各身份结果中的最低值。",
        "Who has several roles is given the lowest of their results.",
        """
        indicators:
          role:
            measure: {type: combined, how: minimum, of: [{type: attribute, id: first}, {type: attribute, id: second}]}
            points: {type: affine, constant: 0, each: 1}
        """,
        """
        first | second | score
        5     | 3      | 103
        3     | 5      | 103
        5     |        | 105
              |        | 100
        """,
    ),
    Spec(
        "M23",
        "几项数值取其中最高者；几项数值合计计分。",
        "The highest of several values may count, or their sum.",
        """
        indicators:
          highest:
            measure: {type: combined, how: maximum, of: [{type: attribute, id: first}, {type: attribute, id: second}]}
            points: {type: affine, constant: 0, each: 1}
          together:
            measure: {type: combined, how: sum, of: [{type: count, of: {kinds: [fine]}}, {type: count, of: {kinds: [warning]}}]}
            points: {type: per_unit, each: -0.5}
        """,
        """
        first | second | records                                 | score | points.highest | points.together
        5     | 3      |                                         | 105   | 5              | 0
        3     | 5      | fine 2026-01-01, warning 2026-01-01     | 104   | 5              | -1
        """,
    ),
    Spec(
        "M52",
        "逐项检查：每一项不符合的加2分；带星号的重点项不符合的加5分；未检查的不加。",
        "Every row of the checklist that is not met adds two points, a starred row five; a row not checked adds nothing.",
        """
        indicators:
          plain: {measure: {type: attribute, id: licensed}, points: {type: steps, side: at_least, below: 2, bands: [{from: 1, points: 0}]}}
          starred: {measure: {type: attribute, id: insured}, points: {type: steps, side: at_least, below: 5, bands: [{from: 1, points: 0}]}}
        """,
        """
        licensed | insured | score | points.plain | points.starred
        true     | true    | 100   | 0            | 0
        false    | true    | 102   | 2            | 0
        true     | false   | 105   | 0            | 5
        false    | false   | 107   | 2            | 5
                 |         | 100   | 0            | 0
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
