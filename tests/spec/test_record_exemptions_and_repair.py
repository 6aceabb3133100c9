"""What is not counted, and what is given back."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "不予计入与信用修复", "en": "Exemptions and repair"}

SPECS = (
    Spec(
        "M20",
        "自2021年起，首次违法不予处罚的不计入；此前的仍计入。",
        "From 2021 on, a first offence that is let off does not count; earlier ones still do.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [{flag: first_offence, from: 2021-01-01}]}}, points: {type: per_unit, each: -5}}}",
        """
        records                                  | score
        fine 2020-12-31 is_first_offence=true    | 95
        fine 2021-01-01 is_first_offence=true    | 100
        fine 2021-01-02 is_first_offence=true    | 100
        fine 2021-01-01 is_first_offence=false   | 95
        """,
    ),
    Spec(
        "M20",
        "优惠只及于一定期间内发生的行为，首尾两日在内。",
        "The exemption holds for acts of a certain time, its first and last days included.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [{flag: corrected, on: occurred_on, from: 2026-02-01, until: 2026-02-28}]}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records                                                        | score
        fine 2026-03-05 occurred_on=2026-01-31 corrected_on=2026-03-10 | 95
        fine 2026-03-05 occurred_on=2026-02-01 corrected_on=2026-03-10 | 100
        fine 2026-03-05 occurred_on=2026-02-28 corrected_on=2026-03-10 | 100
        fine 2026-03-05 occurred_on=2026-03-01 corrected_on=2026-03-10 | 95
        fine 2026-03-05 corrected_on=2026-03-10                        | 95
        """,
    ),
    Spec(
        "M51",
        "评价时已移出名录的，不计入。",
        "What is off the list by the day of evaluation does not count.",
        "indicators: {late: {measure: {type: count, of: {kinds: [listing], unless: [{field: removed, reached: true}]}}, points: {type: per_unit, each: -5}}}",
        """
        records                            | score
        listing 2026-01-01 removed=2026-06-29 | 100
        listing 2026-01-01 removed=2026-06-30 | 100
        listing 2026-01-01 removed=2026-07-01 | 95
        listing 2026-01-01                    | 95
        """,
    ),
    Spec(
        "M20",
        "初次违法不予处罚的不计入。",
        "A first offence that is let off does not count.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [first_offence]}}, points: {type: per_unit, each: -5}}}",
        """
        records                                  | score
        fine 2026-01-01 is_first_offence=true    | 100
        fine 2026-01-01 is_first_offence=false   | 95
        fine 2026-01-01                          | 95
        """,
    ),
    Spec(
        "M20",
        "评价日前已纠正的不计入。",
        "What was corrected by the day of evaluation does not count.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [corrected]}}, points: {type: per_unit, each: -5}}}",
        """
        records                                  | score
        fine 2026-01-01 corrected_on=2026-06-29  | 100
        fine 2026-01-01 corrected_on=2026-06-30  | 100
        fine 2026-01-01 corrected_on=2026-07-01  | 95
        fine 2026-01-01                          | 95
        """,
    ),
    Spec(
        "M20",
        "三十日内纠正的不计入。",
        "What was corrected within thirty days does not count.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [{corrected: {days: 30}}]}}, points: {type: per_unit, each: -5}}}",
        """
        records                                  | score
        fine 2026-01-01 corrected_on=2026-01-30  | 100
        fine 2026-01-01 corrected_on=2026-01-31  | 100
        fine 2026-01-01 corrected_on=2026-02-01  | 95
        fine 2026-06-25 corrected_on=2026-07-01  | 95
        fine 2026-01-01                          | 95
        """,
    ),
    Spec(
        "M20",
        "按行为发生之日起算一个月内纠正的不计入。",
        "The month for correction may run from the day of the act.",
        """
        indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [{corrected: {months: 1, of: occurred_on}}]}}, points: {type: per_unit, each: -5}}}
        """,
        """
        records                                                         | score
        fine 2026-03-01 occurred_on=2026-01-31 corrected_on=2026-02-27  | 100
        fine 2026-03-01 occurred_on=2026-01-31 corrected_on=2026-02-28  | 100
        fine 2026-03-01 occurred_on=2026-01-31 corrected_on=2026-03-01  | 95
        fine 2026-03-01 corrected_on=2026-03-01                         | 95
        """,
    ),
    Spec(
        "M20",
        "不适用的事项（依字段标明）不计入。",
        "A matter marked as not applicable does not count.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [{field: code, in: [exempt]}]}}, points: {type: per_unit, each: -5}}}",
        """
        records                      | score
        fine 2026-01-01 code=exempt  | 100
        fine 2026-01-01 code=other   | 95
        fine 2026-01-01              | 95
        """,
    ),
    Spec(
        "M15",
        "已修复的信息终止使用，扣分全部恢复。",
        "A repaired record is used no more, and all its points come back.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -15}}}",
        """
        records                                 | score | grade
        fine 2026-01-01                         | 85    | B
        fine 2026-01-01 repaired_on=2026-07-01  | 85    | B
        fine 2026-01-01 repaired_on=2026-06-30  | 100   | A
        fine 2026-01-01 repaired_on=2026-06-29  | 100   | A
        """,
    ),
    Spec(
        "M15",
        "被撤销的决定自撤销之日起不计入。",
        "A decision that was revoked counts no more from that day.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -15}}}",
        """
        records                                | score
        fine 2026-01-01 revoked_on=2026-07-01  | 85
        fine 2026-01-01 revoked_on=2026-06-30  | 100
        fine 2026-01-01 revoked_on=2026-06-29  | 100
        """,
    ),
    Spec(
        "M15",
        "规定修复后仍计入的，只有撤销才不计入。",
        "Where the rule says that repair does not help, only revocation does.",
        "indicators: {late: {measure: {type: count, of: {kinds: [fine], unless: [revoked]}}, points: {type: per_unit, each: -15}}}",
        """
        records                                | score
        fine 2026-01-01 repaired_on=2026-06-01 | 85
        fine 2026-01-01 revoked_on=2026-06-01  | 100
        """,
    ),
    Spec(
        "M15",
        "当年纠正的返还一半，以后年度纠正的返还两成。",
        "Half comes back in the year of the act, a fifth in a later one.",
        """
        indicators:
          late:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -10
              tiers: [{corrected: {same_year: true}, give_back: 0.5}, {corrected: {same_year: false}, give_back: 0.2}]
        """,
        """
        records                                  | score
        fine 2025-06-01 corrected_on=2025-12-31  | 95
        fine 2025-06-01 corrected_on=2026-01-01  | 92
        fine 2025-06-01 corrected_on=2026-07-01  | 90
        fine 2025-06-01                          | 90
        """,
    ),
    Spec(
        "M49",
        "列明的修复措施全部完成的返还全部扣分，完成其中之一的返还三成。",
        "With every listed measure of repair done all comes back, with any of them three tenths.",
        """
        indicators:
          bribes:
            measure: {type: count, of: {kinds: [fine]}}
            points:
              type: per_record
              each: -20
              tiers:
                - {where: [{field: tags, has_all: [refund, price_cut]}], give_back: 1}
                - {where: [{field: tags, has_any: [refund, price_cut]}], give_back: 0.3}
        """,
        """
        records                                     | score
        fine 2026-01-01 tags=refund;price_cut       | 100
        fine 2026-01-01 tags=price_cut;other;refund | 100
        fine 2026-01-01 tags=refund                 | 86
        fine 2026-01-01 tags=refunds                | 80
        fine 2026-01-01                             | 80
        """,
    ),
    Spec(
        "M45",
        "失信管理期一年，期内不得高于C级，期满解除。",
        "Under management for one year the grade is C at most; then it ends.",
        """
        decisions:
          caps:
            managed: {not_above: C, when: {measure: {type: appended_term, of: {kinds: [fine]}, months: 12, max_months: 36}, at_least: 1}}
        """,
        """
        records                                          | grade
        fine 2025-06-29                                  | A
        fine 2025-06-30                                  | A
        fine 2025-07-01                                  | C
        fine 2025-07-01 repaired_on=2026-01-01           | A
        """,
    ),
    Spec(
        "M45",
        "再次失信的管理期顺延，合计最长三年。",
        "A new act appends another term, three years in all at most.",
        """
        decisions:
          caps:
            managed: {not_above: C, when: {measure: {type: appended_term, of: {kinds: [fine]}, months: 12, max_months: 36}, at_least: 1}}
        """,
        """
        records                                                            | grade
        fine 2024-06-30, fine 2025-01-01                                   | A
        fine 2024-07-01, fine 2025-01-01                                   | C
        4x fine 2023-06-30                                                 | A
        3x fine 2023-07-01                                                 | C
        2x fine 2023-07-01                                                 | A
        4x fine 2023-07-01                                                 | C
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
