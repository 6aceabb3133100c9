"""Earlier results carry over."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "历次结果", "en": "Previous results"}

SPECS = (
    Spec(
        "M14",
        "上次为D级的，本次扣11分。",
        "A D last time costs eleven points this time.",
        """
        score: {start: {cases: [{when: {previous: 1, grade_in: [D]}, value: 89}], otherwise: 100}}
        """,
        """
        previous                    | score
                                    | 100
        2025-06-30 C                | 100
        2025-06-30 D                | 89
        2025-06-30 A, 2024-06-30 D  | 100
        2025-06-30 D, 2024-06-30 A  | 89
        2026-06-30 D                | 100
        2026-06-29 D                | 89
        """,
    ),
    Spec(
        "M14",
        "直接判为D级的保留两年，第三年不得为A级；因得分为D级的不保留。",
        "A direct D is kept for two years, and the third year is not A; a D by score is not kept.",
        """
        decisions:
          direct: {kept: {grade: D, when: {previous: 1, grade_in: [D], step_in: [direct:listed]}}, listed: {grade: D, when: {attribute: listed, is: true}}}
          caps: {third_year: {not_above: B, when: {all: [{previous: 1, step_in: [direct:kept]}]}}}
        """,
        """
        listed | previous                                               | grade | step
        true   |                                                        | D     | direct:listed
               | 2025-06-30 D 100 direct:listed                         | D     | direct:kept
               | 2025-06-30 D 100 direct:kept                           | B     | cap:third_year
               | 2025-06-30 D 50 cut                                    | A     | cut
               | 2025-06-30 B 50 cap:third_year                         | A     | cut
        """,
    ),
    Spec(
        "M14",
        "步骤名称不带规则编号的，指该步骤的任何规则。",
        "A step named without a rule means any rule of that step.",
        "decisions: {caps: {after_direct: {not_above: B, when: {previous: 1, step_in: [direct]}}}}",
        """
        previous                       | grade
        2025-06-30 D 100 direct:other  | B
        2025-06-30 D 50 cut            | A
        2025-06-30 D 50 directly       | A
        """,
    ),
    Spec(
        "M14",
        "不得高于上次的等级。",
        "The grade is not above that of last time.",
        "decisions: {caps: {held: {not_above: previous, when: {attribute: listed, is: true}}}}",
        """
        listed | previous     | grade | step
        true   | 2025-06-30 C | C     | cap:held
        true   | 2025-06-30 A | A     | cut
        true   | 2025-06-30 M | A     | cut
        true   |              | A     | cut
        false  | 2025-06-30 C | A     | cut
        """,
    ),
    Spec(
        "M27",
        "起始分承接上一期得分；上一期没有得分的从80分起评。",
        "The start is the score of last time; where there was none it is eighty.",
        """
        score: {start: {cases: [{when: {measure: {type: previous_score}, at_least: 0}, measure: {type: previous_score}}], otherwise: 80}}
        """,
        """
        previous                              | score
                                              | 80
        2025-06-30 M                          | 80
        2025-06-30 D -0.001                   | 80
        2025-06-30 D 0                        | 0
        2025-06-30 A 97.345                   | 97.345
        2025-06-30 A 97.345, 2024-06-30 D 50  | 97.345
        """,
    ),
    Spec(
        "M27",
        "得分为近三期的平均，没有的期次不参加平均。",
        "The last three scores may be averaged; a period without one is left out.",
        """
        indicators:
          earlier:
            measure: {type: combined, how: mean, of: [{type: previous_score}, {type: previous_score, back: 2}, {type: previous_score, back: 3}]}
            points: {type: affine, constant: 0, each: 1}
        score: {start: {otherwise: 0}}
        """,
        """
        previous                                          | score
        2025-06-30 A 90, 2024-06-30 B 80, 2023-06-30 C 70 | 80
        2025-06-30 A 90, 2024-06-30 B 80                  | 85
                                                          | 0
        """,
    ),
    Spec(
        "M50",
        "保持B级满两期的才能升为A级。",
        "Only who has held B for two periods may rise to A.",
        """
        decisions:
          caps:
            not_held:
              not_above: B
              when: {not: {all: [{previous: 1, grade_in: [A, B]}, {previous: 2, grade_in: [A, B]}]}}
        """,
        """
        previous                                    | grade | step
                                                    | B     | cap:not_held
        2025-06-30 B                                | B     | cap:not_held
        2025-06-30 B, 2024-06-30 C                  | B     | cap:not_held
        2025-06-30 B, 2024-06-30 B                  | A     | cut
        2025-06-30 A, 2024-06-30 B, 2023-06-30 D    | A     | cut
        """,
    ),
    Spec(
        "M39",
        "连续三期为D级的，定为不予评价。",
        "Three D in a row end the evaluation.",
        """
        decisions:
          exclude: {thrice: {grade: N, when: {all: [{previous: 1, grade_in: [D]}, {previous: 2, grade_in: [D]}, {previous: 3, grade_in: [D]}]}}}
        """,
        """
        previous                                  | grade
        2025-06-30 D, 2024-06-30 D                | A
        2025-06-30 D, 2024-06-30 D, 2023-06-30 D  | N
        2025-06-30 D, 2024-06-30 B, 2023-06-30 D  | A
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
