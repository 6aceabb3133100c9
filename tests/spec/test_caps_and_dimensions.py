"""Caps of items and groups, and how dimensions combine."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "限额与维度", "en": "Caps and dimensions"}

SPECS = (
    Spec(
        "M03",
        "单项扣分以20分为限。",
        "An item takes no more than twenty points.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -10}, limits: {at_least: -20}}}",
        """
        records            | score | points.late
        1x fine 2026-01-01 | 90    | -10
        2x fine 2026-01-01 | 80    | -20
        3x fine 2026-01-01 | 80    | -20
        """,
    ),
    Spec(
        "M03",
        "加分合计以10分为限，扣分不受影响。",
        "All bonuses together give no more than ten points; deductions are not touched.",
        """
        dimensions: {main: {}, bonus: {limits: {at_most: 10}}}
        indicators:
          awards: {dimension: bonus, measure: {type: count, of: {kinds: [award]}}, points: {type: per_unit, each: 3}}
          surveys: {dimension: bonus, measure: {type: count, of: {kinds: [survey]}}, points: {type: per_unit, each: 1}}
          fines: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -4}}
        """,
        """
        records                                                     | score
        3x award 2026-01-01                                         | 109
        3x award 2026-01-01, survey 2026-01-01                      | 110
        4x award 2026-01-01                                         | 110
        9x award 2026-01-01, fine 2026-01-01                        | 106
        """,
    ),
    Spec(
        "M03",
        "一组指标有起始分，扣完为止。",
        "A group starts with its own points and can lose no more than these.",
        """
        dimensions: {main: {start: 29, limits: {at_least: 0}}}
        score: {start: {otherwise: 0}}
        indicators: {fines: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -10}}}
        """,
        """
        records            | score
                           | 29
        2x fine 2026-01-01 | 9
        3x fine 2026-01-01 | 0
        """,
    ),
    Spec(
        "M19",
        "每一类别最多计三项。",
        "In each class no more than three count.",
        """
        indicators:
          items: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -1}, limits: {at_least: -3}}
          others: {measure: {type: count, of: {kinds: [warning]}}, points: {type: per_unit, each: -1}, limits: {at_least: -3}}
        """,
        """
        records                                   | score
        2x fine 2026-01-01                        | 98
        3x fine 2026-01-01                        | 97
        4x fine 2026-01-01                        | 97
        4x fine 2026-01-01, 2x warning 2026-01-01 | 95
        """,
    ),
    Spec(
        "M23",
        "经营多类食品的，取各类别中分值最高的一类。",
        "Who deals in several goods is given the highest of their points.",
        """
        dimensions: {goods: {combine: maximum}}
        score: {start: {otherwise: 0}}
        indicators:
          frozen: {dimension: goods, measure: {type: attribute, id: licensed}, points: {type: once, points: 9}}
          cooked: {dimension: goods, measure: {type: attribute, id: insured}, points: {type: once, points: 15}}
        """,
        """
        licensed | insured | score
        false    | false   | 0
        true     | false   | 9
        true     | true    | 15
                 | true    | 15
                 |         | 0
        """,
    ),
    Spec(
        "M46",
        "几项结果取其中最低的一项。",
        "Of several results the lowest is taken.",
        """
        dimensions: {worst: {combine: minimum, start: 2}}
        score: {start: {otherwise: 0}}
        indicators:
          one: {dimension: worst, measure: {type: attribute, id: first}, points: {type: affine, constant: 0, each: 1}}
          two: {dimension: worst, measure: {type: attribute, id: second}, points: {type: affine, constant: 0, each: 1}}
        """,
        """
        first | second | score
        3     | 5      | 5
        5     | 3      | 5
        4     | 4      | 6
        """,
    ),
    Spec(
        "M32",
        "总分为各分项得分的加权平均。",
        "The score is the weighted mean of the results in each part.",
        """
        dimensions: {one: {weight: 0.6}, two: {weight: 0.4}}
        score: {start: {otherwise: 0}, steps: [{weighted_mean: [one, two]}]}
        indicators:
          one: {dimension: one, measure: {type: attribute, id: first}, points: {type: affine, constant: 0, each: 1}}
          two: {dimension: two, measure: {type: attribute, id: second}, points: {type: affine, constant: 0, each: 1}}
        """,
        """
        first | second | score
        90    | 80     | 86
        100   | 100    | 100
        33.33 | 66.67  | 46.666
        """,
    ),
    Spec(
        "M22",
        "没有某一部分业绩的，该部分不参加，其余部分的权重按比例放大。",
        "A part that does not exist is left out, and the weights of the rest grow in proportion.",
        """
        dimensions: {one: {weight: 0.6}, two: {weight: 0.3}, three: {weight: 0.1}}
        score: {start: {otherwise: 0}, steps: [{weighted_mean: [one, two, three], when_missing: {points: 0}}]}
        indicators:
          one: {dimension: one, measure: {type: attribute, id: first}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
          two: {dimension: two, measure: {type: attribute, id: second}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
          three: {dimension: three, measure: {type: attribute, id: third}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
        """,
        """
        first | second | third | score
        90    | 80     | 70    | 85
        90    | 80     |       | 86.667
        90    |        | 70    | 87.143
              |        | 70    | 70
              |        |       | 0
        """,
    ),
    Spec(
        "M22",
        "各部分都没有数据的，暂不定级。",
        "Where no part has data the subject is not graded: a mean of nothing is not nought.",
        """
        dimensions: {one: {weight: 0.6}, two: {weight: 0.4}}
        score: {start: {otherwise: 0}, steps: [{weighted_mean: [one, two], when_missing: hold}]}
        ladder: {A: {at_least: 90}, B: {at_least: 80}, C: {at_least: 60}, D: {}}
        held_grade: N
        indicators:
          one: {dimension: one, measure: {type: attribute, id: first}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
          two: {dimension: two, measure: {type: attribute, id: second}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
        """,
        """
        first | second | grade | step
        90    | 90     | A     | cut
        0     |        | D     | cut
              | 95     | A     | cut
              |        | N     | held:@0:weighted_mean
        """,
    ),
    Spec(
        "M22",
        "各部分都没有数据的，计60分；直接定级的从其规定。",
        "Where no part has data the score is sixty; a direct grade still decides.",
        """
        dimensions: {one: {weight: 0.6}, two: {weight: 0.4}}
        score: {start: {otherwise: 0}, steps: [{weighted_mean: [one, two], when_missing: {points: 60}}]}
        ladder: {A: {at_least: 90}, B: {at_least: 80}, C: {at_least: 60}, D: {}}
        decisions: {direct: {listed: {grade: D, when: {attribute: listed, is: true}}}}
        indicators:
          one: {dimension: one, measure: {type: attribute, id: first}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
          two: {dimension: two, measure: {type: attribute, id: second}, points: {type: affine, constant: 0, each: 1}, when_missing: leave_out}
        """,
        """
        first | second | listed | score | grade
              |        |        | 60    | C
        0     |        |        | 0     | D
              |        | true   | 60    | D
        """,
    ),
    Spec(
        "M22",
        "信息缺失按0分计的部分仍占权重。",
        "A part that counts as nothing when it is missing keeps its weight.",
        """
        dimensions: {one: {weight: 1}, two: {weight: 1}}
        score: {start: {otherwise: 0}, steps: [{weighted_mean: [one, two]}]}
        indicators:
          one: {dimension: one, measure: {type: attribute, id: first}, points: {type: affine, constant: 0, each: 1}}
          two: {dimension: two, measure: {type: attribute, id: second}, points: {type: affine, constant: 0, each: 1}}
        """,
        """
        first | second | score
        90    |        | 45
        90    | 0      | 45
        90    | 90     | 90
        """,
    ),
    Spec(
        "M52",
        "静态检查表各行得分相加，以4分为限。",
        "The rows of the table are added, up to four points.",
        """
        dimensions: {static: {limits: {at_most: 4}}}
        score: {start: {otherwise: 0}}
        indicators:
          one: {dimension: static, measure: {type: attribute, id: licensed}, points: {type: once, points: 2}}
          two: {dimension: static, measure: {type: attribute, id: insured}, points: {type: once, points: 2}}
          three: {dimension: static, measure: {type: attribute, id: trained}, points: {type: once, points: 2}}
        """,
        """
        licensed | insured | trained | score
        true     | false   | false   | 2
        true     | true    | false   | 4
        true     | true    | true    | 4
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
