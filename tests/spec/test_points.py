"""How a measured value becomes points."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "计分", "en": "Points"}

SPECS = (
    Spec(
        "M02",
        "每件扣2分，前三件不扣。",
        "Each costs two points, the first three are free.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -2, free: 3}}}",
        """
        records            | score
                           | 100
        2x fine 2026-01-01 | 100
        3x fine 2026-01-01 | 100
        4x fine 2026-01-01 | 98
        """,
    ),
    Spec(
        "M02",
        "有即加3分，不论数额大小。",
        "Having it earns three points, whatever the number.",
        "indicators: {system: {measure: {type: attribute, id: first}, points: {type: once, points: 3}}}",
        """
        first | score
        -0.01 | 100
        0     | 100
        0.01  | 103
        9     | 103
              | 100
        """,
    ),
    Spec(
        "M04",
        "有效专利一件以上加0.5分，五件以上加1分，“以上”包括本数。",
        "One patent earns half a point and five a whole one; the number itself is included.",
        """
        indicators:
          held:
            measure: {type: attribute, id: staff}
            points: {type: steps, side: at_least, below: 0, bands: [{from: 1, points: 0.5}, {from: 5, points: 1}]}
        """,
        """
        staff | score
        0     | 100
        1     | 100.5
        2     | 100.5
        4     | 100.5
        5     | 101
        6     | 101
              | 100
        """,
    ),
    Spec(
        "M04",
        "面积超过三百平方米的加5分，超过三千平方米的加10分，不包括本数。",
        "More than three hundred square metres add five points, more than three thousand ten; the number itself does not.",
        """
        indicators:
          area:
            measure: {type: attribute, id: area}
            points: {type: steps, side: above, below: 1, bands: [{from: 300, points: 5}, {from: 3000, points: 10}]}
        """,
        """
        area    | score
        299.99  | 101
        300     | 101
        300.01  | 105
        2999.99 | 105
        3000    | 105
        3000.01 | 110
        """,
    ),
    Spec(
        "M47",
        "先四舍五入取整，再查分档表。",
        "The value is rounded to a whole number before the table is read.",
        """
        indicators:
          area:
            measure: {type: attribute, id: area}
            points: {type: steps, side: at_least, round: true, below: 0, bands: [{from: 80, points: 5}]}
        """,
        """
        area  | score
        79.49 | 100
        79.5  | 105
        79.51 | 105
        80    | 105
        """,
    ),
    Spec(
        "M04",
        "一万元至一百万元之间按直线计0至10分，之外取端点的分。",
        "Between ten thousand and a million the points rise in a straight line; beyond they stay as they are.",
        """
        indicators:
          capital:
            measure: {type: attribute, id: sales}
            points: {type: linear, points: [{x: 10000, y: 0}, {x: 1000000, y: 10}]}
        """,
        """
        sales    | score
        9999.99  | 100
        10000    | 100
        109000   | 101
        999000   | 109.99
        1000000  | 110
        1000001  | 110
        """,
    ),
    Spec(
        "M04",
        "折线在中间一点转折。",
        "A line may bend at a point between.",
        """
        indicators:
          area: {measure: {type: attribute, id: area}, points: {type: linear, points: [{x: 0, y: 0}, {x: 1, y: 3}, {x: 4, y: -3}]}}
        """,
        """
        area | score
        0    | 100
        0.5  | 101.5
        1    | 103
        2    | 101
        4    | 97
        9    | 97
        """,
    ),
    Spec(
        "M05",
        "扣1分，另按欠缴比例每百分之一再扣1分，四舍五入到千分之一。",
        "One point is lost, and one more for each hundredth of the share unpaid, half up to the thousandth.",
        """
        indicators:
          unpaid:
            measure: {type: ratio, numerator: {type: attribute, id: first}, denominator: {type: attribute, id: second}}
            points: {type: affine, constant: -1, each: -100}
        """,
        """
        first | second | score
        0     | 50     | 99
        1     | 50     | 97
        1     | 30     | 95.667
        2     | 30     | 92.333
              | 50     | 100
        """,
    ),
    Spec(
        "M04",
        "按行业类别计分，未列明的类别按其他计，类别不明的不计。",
        "Points go by trade; a trade not listed counts as other, an unknown one not at all.",
        "indicators: {trade: {points: {type: categories, attribute: sector, points: {farm: 2, shop: -3.5}, otherwise: 1}}}",
        """
        sector | score
        farm   | 102
        shop   | 96.5
        bank   | 101
               | 100
        """,
    ),
    Spec(
        "M04",
        "依次适用第一个符合的情形；都不符合的不计分。",
        "The first case that fits decides; where none fits there are no points.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: cases
              cases:
                - {when: {attribute: sector, in: [farm]}, points: {type: per_unit, each: -1}}
                - {when: {attribute: sector, in: [farm, shop]}, points: {type: per_unit, each: -2}}
        """,
        """
        sector | records            | score
        farm   | 2x fine 2026-01-01 | 98
        shop   | 2x fine 2026-01-01 | 96
        bank   | 2x fine 2026-01-01 | 100
               | 2x fine 2026-01-01 | 100
        """,
    ),
    Spec(
        "M15",
        "三十日内纠正的返还80%的扣分，九十日内返还40%，逾期不返还。",
        "Corrected within thirty days, four fifths of the points come back; within ninety, two fifths; later, none.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -5
              tiers: [{corrected: {days: 30}, give_back: 0.8}, {corrected: {days: 90}, give_back: 0.4}]
        """,
        """
        records                                                                       | score
        fine 2026-01-01 corrected_on=2026-01-30                                       | 99
        fine 2026-01-01 corrected_on=2026-01-31                                       | 99
        fine 2026-01-01 corrected_on=2026-02-01                                       | 97
        fine 2026-01-01 corrected_on=2026-04-01                                       | 97
        fine 2026-01-01 corrected_on=2026-04-02                                       | 95
        fine 2026-01-01                                                               | 95
        fine 2026-01-01 corrected_on=2026-01-31, fine 2026-01-01 corrected_on=2026-04-01, fine 2026-01-01 | 91
        """,
    ),
    Spec(
        "M15",
        "返还后的扣分四舍五入到千分之一，没有二进制小数的误差。",
        "What a give-back leaves is exact to the thousandth, half up.",
        """
        indicators:
          late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_record, each: -3, tiers: [{corrected: {days: 30}, give_back: 0.2}]}}
          tiny: {measure: {type: count, of: {kinds: [warning]}}, points: {type: per_record, each: -0.005, tiers: [{corrected: {days: 30}, give_back: 0.5}]}}
        """,
        """
        records                                     | score
        fine 2026-01-01 corrected_on=2026-01-02     | 97.6
        warning 2026-01-01 corrected_on=2026-01-02  | 99.998
        """,
    ),
    Spec(
        "M16",
        "返还比例同时取决于金额：不满二千元的全部返还。",
        "How much comes back also depends on the amount: below two thousand yuan, all of it.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -10
              tiers:
                - {where: [{field: amount, below: 2000}], corrected: {days: 30}, give_back: 1}
                - {corrected: {days: 30}, give_back: 0.8}
        """,
        """
        records                                                 | score
        fine 2026-01-01 amount=1999.99 corrected_on=2026-01-05  | 100
        fine 2026-01-01 amount=2000 corrected_on=2026-01-05     | 98
        fine 2026-01-01 amount=2000.01 corrected_on=2026-01-05  | 98
        fine 2026-01-01 corrected_on=2026-01-05                 | 98
        fine 2026-01-01 amount=1999.99                          | 90
        """,
    ),
    Spec(
        "M16",
        "罚款占应缴金额百分之一以上的，每件扣10分，不足的扣1分；逐件计算。",
        "A fine of one per cent of what was due, or more, costs ten points, less costs one; each by its own share.",
        """
        indicators:
          fines:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -1
              tiers: [{where: [{field: amount, over: quantity, at_least: 0.01}], each: -10}]
        """,
        """
        records                                                                   | score
        fine 2026-01-01 amount=9.99 quantity=1000                                 | 99
        fine 2026-01-01 amount=10 quantity=1000                                   | 90
        fine 2026-01-01 amount=10.01 quantity=1000                                | 90
        fine 2026-01-01 amount=10 quantity=0                                      | 99
        fine 2026-01-01 amount=10                                                 | 99
        fine 2026-01-01 amount=10 quantity=1000, fine 2026-01-02 amount=1 quantity=1000 | 89
        """,
    ),
    Spec(
        "M16",
        "补税不满一万元的扣1分，一万元以上的扣3分；占应纳税额百分之一以上的，另按所占比例逐笔加扣（每百分之一扣1分）。",
        "Each supplement costs one point, three from ten thousand on; from one per cent of the tax due, its share on top.",
        """
        indicators:
          supplements:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -1
              tiers:
                - {where: [{field: amount, at_least: 10000}, {field: amount, over: quantity, at_least: 0.01}], each: -3, plus: {each: -100, of: amount, over: quantity}}
                - {where: [{field: amount, at_least: 10000}], each: -3}
                - {where: [{field: amount, over: quantity, at_least: 0.01}], each: -1, plus: {each: -100, of: amount, over: quantity}}
        """,
        """
        records                                                                                   | score
        fine 2026-01-01 amount=99.99 quantity=10000                                               | 99
        fine 2026-01-01 amount=100 quantity=10000                                                 | 98
        fine 2026-01-01 amount=100.01 quantity=10000                                              | 98
        fine 2026-01-01 amount=9999.99 quantity=3000000                                           | 99
        fine 2026-01-01 amount=10000 quantity=3000000                                             | 97
        fine 2026-01-01 amount=30000 quantity=3000000                                             | 96
        fine 2026-01-01 amount=100 quantity=3000                                                  | 95.667
        fine 2026-01-01 amount=10000                                                              | 97
        fine 2026-01-01 amount=10000 quantity=0                                                   | 97
        fine 2026-01-01 amount=200 quantity=10000, fine 2026-01-02 amount=500 quantity=10000      | 91
        """,
    ),
    Spec(
        "M16",
        "没有金额或基数的，不另加比例分；比例分按千分位四舍五入。",
        "Where the amount or its base is missing nothing is added; a share is half up to the thousandth.",
        """
        indicators:
          supplements:
            measure: {type: count, of: {kinds: [fine]}}
            points: {type: per_record, each: 0, tiers: [{each: -1, plus: {each: 1, of: amount, over: quantity}}]}
        """,
        """
        records                                        | score
        fine 2026-01-01                                | 99
        fine 2026-01-01 quantity=3                     | 99
        fine 2026-01-01 amount=1 quantity=-3           | 99
        fine 2026-01-01 amount=1 quantity=3            | 99.333
        fine 2026-01-01 amount=0.01 quantity=20        | 99.001
        fine 2026-01-01 amount=0.01 quantity=21        | 99
        """,
    ),
    Spec(
        "M02",
        "逾期申报按月计：同一个月内有几次的，只按扣分最多的一次计；更正后返还的仍按次计算。",
        "Late returns count by the month: of several in one month only that counts which costs most.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points: {type: per_record, each: -5, tiers: [{corrected: {days: 30}, give_back: 0.8}], distinct: [month]}
        """,
        """
        records                                                                                  | score
        fine 2026-01-01                                                                          | 95
        fine 2026-01-01, fine 2026-01-31                                                         | 95
        fine 2026-01-31, fine 2026-02-01                                                         | 90
        fine 2025-01-31, fine 2026-01-31                                                         | 90
        fine 2026-01-01 corrected_on=2026-01-05, fine 2026-01-31                                 | 95
        fine 2026-01-01 corrected_on=2026-01-05, fine 2026-01-31 corrected_on=2026-02-05         | 99
        fine 2026-01-01 corrected_on=2026-01-05, fine 2026-02-01                                 | 94
        """,
    ),
    Spec(
        "M02",
        "表彰同一年度内就高计一次；有加有扣的，计扣分的一次。",
        "Of awards of one year the highest counts; where some take off points, that which takes most.",
        """
        indicators:
          awards:
            measure: {type: count, of: {kinds: [fine]}}
            points: {type: per_record, each: 1, tiers: [{where: [{field: amount, at_least: 100}], each: 3}, {where: [{field: amount, below: 1}], each: -2}], distinct: [year]}
        """,
        """
        records                                                            | score
        fine 2026-01-01 amount=99, fine 2026-01-02 amount=100              | 103
        fine 2025-12-31 amount=99, fine 2026-01-02 amount=100              | 104
        fine 2026-01-01 amount=100, fine 2026-01-02 amount=0               | 98
        """,
    ),
    Spec(
        "M51",
        "未按时报告扣20分；一个月内补报并移出名录的改为扣10分。",
        "A late report costs twenty points, replaced by ten if made good within a month and taken off the list.",
        """
        indicators:
          report:
            measure: {type: count, of: {kinds: [listing]}}
            points:
              type: per_record
              each: -20
              tiers: [{where: [{field: wilful, is: false}], corrected: {months: 1}, each: -10}]
        """,
        """
        records                                                  | score
        listing 2026-01-31 corrected_on=2026-02-27 wilful=false  | 90
        listing 2026-01-31 corrected_on=2026-02-28 wilful=false  | 90
        listing 2026-01-31 corrected_on=2026-03-01 wilful=false  | 80
        listing 2026-01-31 corrected_on=2026-02-27 wilful=true   | 80
        listing 2026-01-31 wilful=false                          | 80
        """,
    ),
    Spec(
        "M16",
        "每条处罚按罚款数额分别计分，再合计。",
        "Each penalty is given points by its own amount, and they are added.",
        """
        indicators:
          fines:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -1
              tiers: [{where: [{field: amount, at_least: 200000}], each: -5}, {where: [{field: amount, at_least: 50000}], each: -2}]
        """,
        """
        records                                                           | score
        fine 2026-01-01 amount=49999.99                                   | 99
        fine 2026-01-01 amount=50000                                      | 98
        fine 2026-01-01 amount=50000.01                                   | 98
        fine 2026-01-01 amount=199999.99                                  | 98
        fine 2026-01-01 amount=200000                                     | 95
        fine 2026-01-01 amount=200000.01                                  | 95
        fine 2026-01-01 amount=200000, fine 2026-01-01 amount=50000, fine 2026-01-01 | 92
        """,
    ),
    Spec(
        "M20",
        "信息缺失时按规定的分值计，且不受该项上下限约束。",
        "Where the fact is missing the points stated for that are given, outside the limits of the item.",
        """
        indicators:
          staff:
            measure: {type: attribute, id: staff}
            points: {type: affine, constant: 0, each: 1}
            limits: {at_least: 0, at_most: 5}
            when_missing: {points: -2}
        """,
        """
        staff | score
              | 98
        -1    | 100
        0     | 100
        4     | 104
        5     | 105
        6     | 105
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
