"""Rule models: no points, only conditions and grades."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "无分值的评价", "en": "Models without points"}

SPECS = (
    Spec(
        "M31",
        "没有分值：按案件数额和性质直接定级，从重适用。",
        "No points: amount and nature of the case give the grade, the worst that fits.",
        """
        ladder: {good: {at_least: 100}, medium: {at_least: 99}, serious: {at_least: 98}, gravest: {}}
        decisions:
          direct:
            medium: {grade: medium, when: {measure: {type: exists, of: {kinds: [fine]}}, at_least: 1}}
            serious: {grade: serious, when: {measure: {type: maximum, of: {kinds: [fine]}, field: amount}, at_least: 500000}}
            gravest: {grade: gravest, when: {measure: {type: maximum, of: {kinds: [fine]}, field: amount}, at_least: 2000000}}
        """,
        """
        records                                                        | grade   | step
                                                                       | good    | cut
        fine 2026-01-01                                                | medium  | direct:medium
        fine 2026-01-01 amount=499999.99                               | medium  | direct:medium
        fine 2026-01-01 amount=500000                                  | serious | direct:serious
        fine 2026-01-01 amount=500000.01                               | serious | direct:serious
        fine 2026-01-01 amount=1999999.99                              | serious | direct:serious
        fine 2026-01-01 amount=2000000                                 | gravest | direct:gravest
        fine 2026-01-01 amount=2000000.01                              | gravest | direct:gravest
        fine 2026-01-01 amount=1, fine 2026-01-01 amount=3000000       | gravest | direct:gravest
        fine 2026-01-01 amount=1500000, fine 2026-01-01 amount=1500000 | serious | direct:serious
        """,
    ),
    Spec(
        "M39",
        "一年内违法三次以上的定为最低等级。",
        "Three acts and more within a year give the lowest grade.",
        """
        ladder: {A: {at_least: 100}, C: {}}
        decisions: {direct: {often: {grade: C, when: {measure: {type: count, of: {kinds: [fine], within: {months: 12}}}, at_least: 3}}}}
        """,
        """
        records                                           | grade
        2x fine 2025-07-01                                | A
        3x fine 2025-07-01                                | C
        4x fine 2025-07-01                                | C
        2x fine 2025-07-01, fine 2025-06-30               | A
        """,
    ),
    Spec(
        "M18",
        "诚信守法、无拖欠、无投诉三项均满足的为A级，否则为B级。",
        "A takes all three: lawful, nothing owed, no complaint; otherwise B.",
        """
        ladder: {A: {at_least: 100}, B: {}}
        decisions:
          direct:
            short:
              grade: B
              when:
                any:
                  - {measure: {type: exists, of: {kinds: [fine]}}, at_least: 1}
                  - {measure: {type: attribute, id: sales}, above: 0}
                  - {measure: {type: exists, of: {kinds: [warning]}}, at_least: 1}
        """,
        """
        sales | records            | grade
        0     |                    | A
        0.01  |                    | B
        0     | fine 2026-01-01    | B
        0     | warning 2026-01-01 | B
        """,
    ),
    Spec(
        "M49",
        "完成列明的全部修复措施的，不再按失信对待。",
        "Who has done the whole set of repair measures is no longer treated as dishonest.",
        """
        ladder: {A: {at_least: 100}, D: {}}
        decisions:
          direct:
            bribe:
              grade: D
              when: {measure: {type: exists, of: {kinds: [fine], unless: [revoked, {field: tags, has_all: [refund, price_cut]}]}}, at_least: 1}
        """,
        """
        records                                | grade
        fine 2026-01-01                        | D
        fine 2026-01-01 tags=refund            | D
        fine 2026-01-01 tags=refund;price_cut  | A
        """,
    ),
    Spec(
        "M31",
        "情形是否存在不明的按规定处理：明文推定的视为存在，否则视为不存在。",
        "An unknown fact counts as absent, unless the rule presumes it.",
        """
        ladder: {A: {at_least: 100}, D: {}}
        decisions:
          direct:
            presumed: {grade: D, when: {attribute: licensed, is: false, when_missing: true}}
            few: {grade: D, when: {measure: {type: attribute, id: staff}, below: 2}}
        """,
        """
        licensed | staff | grade | step
                 |       | D     | direct:presumed
        true     |       | A     | cut
        true     | 1     | D     | direct:few
        true     | 2     | A     | cut
        true     | 3     | A     | cut
        false    | 3     | D     | direct:presumed
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
