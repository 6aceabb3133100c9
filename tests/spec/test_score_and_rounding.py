"""Where the score starts, the order of steps, rounding."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "得分与取整", "en": "Score and rounding"}

SPECS = (
    Spec(
        "M01",
        "评价从100分开始。",
        "An evaluation starts from one hundred points.",
        "score: {start: {otherwise: 100}}",
        """
        score | grade
        100   | A
        """,
    ),
    Spec(
        "M01",
        "近三年有非经常性信息的从100分起评，没有的从90分起评。",
        "With other information in three years the start is one hundred, without it ninety.",
        """
        score:
          start:
            cases: [{when: {measure: {type: count, of: {kinds: [survey], within: {months: 36}}}, at_least: 1}, value: 100}]
            otherwise: 90
        """,
        """
        records                               | score
                                              | 90
        survey 2023-06-30                     | 90
        survey 2023-07-01                     | 100
        survey 2023-07-02                     | 100
        survey 2023-07-01, survey 2026-01-01  | 100
        """,
    ),
    Spec(
        "M01",
        "三项许可均有效的从70分起评，缺一项的从0分起评。",
        "With all three permits the start is seventy, without one of them nothing.",
        """
        score:
          start:
            cases:
              - {when: {all: [{attribute: licensed, is: true}, {attribute: insured, is: true}, {attribute: trained, is: true}]}, value: 70}
            otherwise: 0
        """,
        """
        licensed | insured | trained | score
        true     | true    | true    | 70
        true     | true    | false   | 0
        true     | true    |         | 0
        """,
    ),
    Spec(
        "M27",
        "起始分承接另一评价的得分，按比例折算；没有该得分的用固定分。",
        "The start is taken over from another scheme at a rate; without its score a constant stands in.",
        """
        score:
          start:
            cases: [{when: {attribute: listed, is: true}, measure: {type: attribute, id: first}, times: 0.2}]
            otherwise: 70
        """,
        """
        listed | first | score
        true   | 430   | 86
        true   | 92.33 | 18.466
        true   |       | 70
        false  | 430   | 70
        """,
    ),
    Spec(
        "M24",
        "得分不设下限，可以为负数。",
        "There is no floor: the score may be negative.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -60}}}",
        """
        records            | score | grade
        2x fine 2026-01-01 | -20   | D
        """,
    ),
    Spec(
        "M24",
        "得分低于0分的按0分计，高于100分的按100分计。",
        "A score under nought counts as nought, over a hundred as a hundred.",
        "score: {start: {otherwise: 100}, steps: [{add: [main]}, {floor: 0}, {ceiling: 100}]}",
        """
        other    | score
        -100.001 | 0
        -100     | 0
        -99.999  | 0.001
        -0.001   | 99.999
        0        | 100
        0.001    | 100
        """,
    ),
    Spec(
        "M24",
        "先封顶再扣分，与先扣分再封顶，结果不同。",
        "A ceiling before the deductions gives another score than a ceiling after them: the order written is the order kept.",
        """
        dimensions: {main: {}, minus: {}}
        score: {start: {otherwise: 95}, steps: [{add: [main]}, {ceiling: 100}, {add: [minus]}]}
        indicators: {late: {dimension: minus, measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -3}}}
        """,
        """
        other | records         | score
        4     | fine 2026-01-01 | 96
        5     | fine 2026-01-01 | 97
        8     | fine 2026-01-01 | 97
        """,
    ),
    Spec(
        "M24",
        "先扣分再封顶。",
        "A ceiling after the deductions lets a bonus make up for them.",
        """
        dimensions: {main: {}, minus: {}}
        score: {start: {otherwise: 95}, steps: [{add: [main, minus]}, {ceiling: 100}]}
        indicators: {late: {dimension: minus, measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -3}}}
        """,
        """
        other | records         | score
        5     | fine 2026-01-01 | 97
        8     | fine 2026-01-01 | 100
        9     | fine 2026-01-01 | 100
        """,
    ),
    Spec(
        "M47",
        "得分四舍五入取整后，再划分等级。",
        "The score is rounded half up to a whole number before the grades are cut.",
        "score: {start: {otherwise: 100}, steps: [{add: [main]}, {round: 1}]}",
        """
        other   | score | grade
        -10.501 | 89    | B
        -10.5   | 90    | A
        -10.499 | 90    | A
        -100.5  | 0     | D
        """,
    ),
    Spec(
        "M47",
        "得分舍去不足半分的部分。",
        "The score may be rounded down to the half point.",
        "score: {start: {otherwise: 100}, steps: [{add: [main]}, {round: 0.5, how: down}]}",
        """
        other    | score
        -10.501  | 89
        -10.5    | 89.5
        -10.001  | 89.5
        -10      | 90
        -100.001 | -0.5
        """,
    ),
    Spec(
        "M47",
        "得分向上进到0.1分。",
        "The score may be rounded up to the tenth.",
        "score: {start: {otherwise: 100}, steps: [{add: [main]}, {round: 0.1, how: up}]}",
        """
        other    | score
        -10.1    | 89.9
        -10.099  | 90
        -10      | 90
        -9.999   | 90.1
        -100.099 | 0
        """,
    ),
    Spec(
        "M26",
        "满分为100分，超过100分的为A+级；起始分在B级的，A级须靠加分取得。",
        "A grade stands above the full mark, and from a start in B an A must be earned.",
        """
        ladder: {A+: {above: 100}, A: {at_least: 90}, B: {at_least: 80}, C: {at_least: 60}, D: {}}
        score: {start: {otherwise: 80}}
        """,
        """
        other  | score   | grade
               | 80      | B
        -0.001 | 79.999  | C
        9.999  | 89.999  | B
        10     | 90      | A
        10.001 | 90.001  | A
        19.999 | 99.999  | A
        20     | 100     | A
        20.001 | 100.001 | A+
        """,
    ),
    Spec(
        "M07",
        "分值越高风险越高：30分以下（含）为A级，30分以上45分以下为B级，45分以上60分以下为C级，60分以上为D级。",
        "Where a higher score is a higher risk: A up to thirty, B up to forty-five, C up to sixty, D above.",
        """
        direction: higher_riskier
        score: {start: {otherwise: 0}}
        ladder: {A: {at_most: 30}, B: {at_most: 45}, C: {at_most: 60}, D: {}}
        """,
        """
        other  | grade
        29.999 | A
        30     | A
        30.001 | B
        44.999 | B
        45     | B
        45.001 | C
        59.999 | C
        60     | C
        60.001 | D
        """,
    ),
    Spec(
        "M07",
        "分界之下为较低风险，达到分界即为较高一类。",
        "Cuts may be open: a score that reaches the cut is already of the higher risk.",
        """
        direction: higher_riskier
        score: {start: {otherwise: 0}}
        ladder: {A: {below: 200}, B: {below: 500}, C: {}}
        """,
        """
        other   | grade
        199.999 | A
        200     | B
        200.001 | B
        499.999 | B
        500     | C
        500.001 | C
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
