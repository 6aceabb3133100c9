"""Which records count: kind, day, window, validity."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "信用信息与期限", "en": "Records and windows"}

SPECS = (
    Spec(
        "M02",
        "每有一条处罚信息扣5分，未归集到处罚信息的不扣分。",
        "Each penalty on record costs five points; a subject without one loses none.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}}",
        """
        records                                              | score | points.late
                                                             | 100   | 0
        fine 2024-03-01                                      | 95    | -5
        fine 2024-03-01, fine 2024-03-01, award 2024-03-01   | 90    | -10
        """,
    ),
    Spec(
        "M02",
        "以“前缀.*”指明的信息类别包括其下各类，但不包括该类本身和名称相近的类别。",
        "A kind named with a star means every kind below it, but neither the kind itself nor one that is only spelt alike.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine.*]}}, points: {type: per_unit, each: -5}}}",
        """
        records                                          | score
        fine.light 2024-03-01                            | 95
        fine.light 2024-03-01, fine.heavy 2024-03-01     | 90
        fine 2024-03-01                                  | 100
        fined 2024-03-01                                 | 100
        """,
    ),
    Spec(
        "M02",
        "只有列明的失信程度才计分，未注明程度的不计。",
        "Only the severities that are named count; a record without a severity does not.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], severities: [general, serious]}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records                            | score
        fine 2024-03-01 severity=minor     | 100
        fine 2024-03-01 severity=general   | 95
        fine 2024-03-01 severity=serious   | 95
        fine 2024-03-01                    | 100
        """,
    ),
    Spec(
        "M09",
        "扣分自决定之日起十二个月内有效，期满不再扣分。",
        "A deduction stays in force for twelve months from the day of decision, then it expires.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {months: 12}}}, points: {type: per_unit, each: -12}}}
        """,
        """
        as_of      | records         | score | grade
        2026-06-30 | fine 2025-06-29 | 100   | A
        2026-06-30 | fine 2025-06-30 | 100   | A
        2026-06-30 | fine 2025-07-01 | 88    | B
        2026-06-30 | fine 2026-06-30 | 88    | B
        2026-06-30 | fine 2026-07-01 | 100   | A
        """,
    ),
    Spec(
        "M09",
        "期限从二月二十九日起算的，以当月末日为限。",
        "A term that would end on a day the month does not have ends on its last day.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {months: 12}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        as_of      | records         | score
        2025-02-28 | fine 2024-02-28 | 100
        2025-02-28 | fine 2024-02-29 | 95
        2025-02-28 | fine 2024-03-01 | 95
        """,
    ),
    Spec(
        "M09",
        "按日计算的期限，包括评价当日。",
        "A window of days includes the day of evaluation.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {days: 30}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | score
        fine 2026-05-31 | 100
        fine 2026-06-01 | 95
        fine 2026-06-02 | 95
        """,
    ),
    Spec(
        "M09",
        "向前推移的期限，不计最近一段时间的信息。",
        "A window moved back leaves out what lies nearer.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {days: 30, back: 30}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | score
        fine 2026-05-01 | 100
        fine 2026-05-02 | 95
        fine 2026-05-31 | 95
        fine 2026-06-01 | 100
        """,
    ),
    Spec(
        "M39",
        "一年内受到三次处罚的，扣20分。",
        "Three penalties within a year cost twenty points.",
        """
        indicators:
          repeated:
            measure: {type: count, of: {kinds: [fine], within: {calendar_years: 1}}}
            points: {type: steps, side: at_least, below: 0, bands: [{from: 3, points: -20}]}
        """,
        """
        records                                                             | score
        fine 2026-01-01, fine 2026-02-01                                    | 100
        fine 2026-01-01, fine 2026-02-01, fine 2026-06-30                   | 80
        fine 2025-12-31, fine 2026-02-01, fine 2026-06-30                   | 100
        4x fine 2026-01-01                                                  | 80
        """,
    ),
    Spec(
        "M39",
        "上一公历年度的处罚，自次年一月一日起至十二月三十一日计入。",
        "Penalties of the last calendar year count throughout this one.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {calendar_years: 1, back: 1}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | score
        fine 2024-12-31 | 100
        fine 2025-01-01 | 95
        fine 2025-12-31 | 95
        fine 2026-01-01 | 100
        """,
    ),
    Spec(
        "M39",
        "最近两个公历月包括当月。",
        "The last two calendar months include the current one.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {calendar_months: 2}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | score
        fine 2026-04-30 | 100
        fine 2026-05-01 | 95
        fine 2026-06-30 | 95
        """,
    ),
    Spec(
        "M39",
        "自上次评价之次日起发生的信息才计入本次评价。",
        "Only what happened after the last evaluation counts in this one.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], within: {evaluations: 1}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | previous                     | score
        fine 2026-03-30 | 2026-03-31 A, 2025-12-31 A   | 100
        fine 2026-03-31 | 2026-03-31 A, 2025-12-31 A   | 100
        fine 2026-04-01 | 2026-03-31 A, 2025-12-31 A   | 95
        fine 2020-04-01 |                              | 95
        """,
    ),
    Spec(
        "M08",
        "没有期限的扣分持续累计，不按年度清零。",
        "A deduction without a term runs on; a new year does not wipe it out.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}}",
        """
        as_of      | records                          | score
        2025-12-31 | fine 2025-12-31                  | 95
        2026-01-01 | fine 2025-12-31                  | 95
        2029-01-01 | fine 2025-12-31, fine 2026-01-01 | 90
        """,
    ),
    Spec(
        "M29",
        "处罚自作出决定满十五日起计入评价。",
        "A penalty counts from the fifteenth day after it was decided.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], effective_after_days: 15}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | score
        fine 2026-06-16 | 100
        fine 2026-06-15 | 95
        fine 2026-06-14 | 95
        """,
    ),
    Spec(
        "M29",
        "违法行为的次日起计分的，当日不计。",
        "What counts from the next day does not count on the day itself.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], effective_after_days: 1}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records         | score
        fine 2026-06-30 | 100
        fine 2026-06-29 | 95
        fine 2026-06-28 | 95
        """,
    ),
    Spec(
        "M44",
        "按行为发生之日计算的期限，不看作出决定的日期；发生日期不明的不计。",
        "Where the day of the act counts, the day of the decision does not; an act of unknown date does not count.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], on: occurred_on, within: {months: 12}}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records                                | score
        fine 2026-06-01 occurred_on=2025-06-30 | 100
        fine 2026-06-01 occurred_on=2025-07-01 | 95
        fine 2020-06-01 occurred_on=2025-07-02 | 95
        fine 2026-06-01                        | 100
        """,
    ),
    Spec(
        "M09",
        "在有效期内的信息计入，期满次日起不计；没有期限的一直计入。",
        "What is in force counts through its last day; what has no end goes on counting.",
        """
        indicators: {listed: {measure: {type: exists, of: {kinds: [listing], while_valid: true}}, points: {type: once, points: -10}}}
        """,
        """
        records                                   | score
        listing 2024-01-01 valid_until=2026-06-29 | 100
        listing 2024-01-01 valid_until=2026-06-30 | 90
        listing 2024-01-01 valid_until=2026-07-01 | 90
        listing 2024-01-01                        | 90
        """,
    ),
    Spec(
        "M44",
        "评价只依据评价当时已经归集的信息。",
        "An evaluation rests only on what was known at the time.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}}",
        """
        known_at | records                    | score
        6        | fine 2024-03-01 sequence=7 | 100
        7        | fine 2024-03-01 sequence=7 | 95
        8        | fine 2024-03-01 sequence=7 | 95
                 | fine 2024-03-01 sequence=7 | 95
        """,
    ),
    Spec(
        "M39",
        "罚款数额达到五万元的处罚才计入。",
        "Only fines of fifty thousand yuan and more count.",
        """
        indicators:
          large: {measure: {type: count, of: {kinds: [fine], where: [{field: amount, at_least: 50000}]}}, points: {type: per_unit, each: -5}}
        """,
        """
        records                         | score
        fine 2026-01-01 amount=49999.99 | 100
        fine 2026-01-01 amount=50000    | 95
        fine 2026-01-01 amount=50000.01 | 95
        fine 2026-01-01                 | 100
        """,
    ),
    Spec(
        "M39",
        "数量在五件以上不满十件的处罚才计入。",
        "Only acts over more than five and fewer than ten pieces count.",
        """
        indicators:
          middling: {measure: {type: count, of: {kinds: [fine], where: [{field: quantity, above: 5, below: 10}]}}, points: {type: per_unit, each: -5}}
        """,
        """
        records                    | score
        fine 2026-01-01 quantity=5  | 100
        fine 2026-01-01 quantity=6  | 95
        fine 2026-01-01 quantity=9  | 95
        fine 2026-01-01 quantity=10 | 100
        """,
    ),
    Spec(
        "M39",
        "列明案由的、故意的处罚才计入。",
        "Only wilful acts of the kinds listed count.",
        """
        indicators:
          named:
            measure: {type: count, of: {kinds: [fine], where: [{field: code, in: [counterfeit, copy]}, {field: wilful, is: true}]}}
            points: {type: per_unit, each: -5}
        """,
        """
        records                                       | score
        fine 2026-01-01 code=copy wilful=true         | 95
        fine 2026-01-01 code=counterfeit wilful=true  | 95
        fine 2026-01-01 code=other wilful=true        | 100
        fine 2026-01-01 code=copy wilful=false        | 100
        fine 2026-01-01 code=copy                     | 100
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
