"""What related subjects did."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "关联主体", "en": "Related subjects"}

SPECS = (
    Spec(
        "M36",
        "每控制一户名单内的企业扣5分。",
        "Each listed enterprise that the subject controls costs five points.",
        """
        indicators:
          controlled:
            measure: {type: related, relation: controls, direction: outgoing, aggregate: count, measure: {type: exists, of: {kinds: [listing], while_valid: true}}}
            points: {type: per_unit, each: -5}
        """,
        """
        related                                                          | score
                                                                         | 100
        controls> staff=3                                                | 100
        controls> listing@2026-01-01                                     | 95
        controls> listing@2026-01-01, controls> listing@2026-02-01       | 90
        controls< listing@2026-01-01                                     | 100
        branch_of> listing@2026-01-01                                    | 100
        controls> listing@2026-01-01:valid_until=2026-06-29              | 100
        controls> listing@2026-01-01:valid_until=2026-06-30              | 95
        """,
    ),
    Spec(
        "M36",
        "分支机构的处罚计入总部。",
        "Penalties of branches count for the head office.",
        """
        indicators:
          branches:
            measure: {type: related, relation: branch_of, direction: incoming, aggregate: sum, measure: {type: count, of: {kinds: [fine], within: {months: 12}}}}
            points: {type: per_unit, each: -2}
        """,
        """
        related                                                                 | score
        branch_of< fine@2026-01-01 fine@2026-02-01, branch_of< fine@2026-03-01  | 94
        branch_of< fine@2025-06-30, branch_of< fine@2025-07-01                  | 98
        branch_of> fine@2026-01-01                                              | 100
        """,
    ),
    Spec(
        "M36",
        "控制人在严重失信名单的，定为D级。",
        "A subject whose controller is on the serious list is graded D.",
        """
        decisions:
          direct:
            controller:
              grade: D
              when: {measure: {type: related, relation: controls, direction: incoming, aggregate: count, measure: {type: exists, of: {kinds: [listing]}}}, at_least: 1}
        """,
        """
        related                       | grade
                                      | A
        controls< staff=1             | A
        controls< listing@2026-01-01  | D
        controls> listing@2026-01-01  | A
        """,
    ),
    Spec(
        "M46",
        "从业人员按所在各机构的最低等级计分；没有所在机构的不计。",
        "A practitioner is given the lowest level of his employers; without one there are no points.",
        """
        indicators:
          employer:
            measure: {type: related, relation: works_at, direction: outgoing, aggregate: minimum, measure: {type: attribute, id: years}}
            points: {type: steps, side: at_least, below: 0, bands: [{from: 3, points: 3}, {from: 5, points: 10}]}
        """,
        """
        related                             | score
        works_at> years=2                   | 100
        works_at> years=3                   | 103
        works_at> years=4                   | 103
        works_at> years=5                   | 110
        works_at> years=6                   | 110
        works_at> years=5, works_at> years=3 | 103
        works_at> years=5, works_at> staff=1 | 110
                                            | 100
        """,
    ),
    Spec(
        "M36",
        "取各关联企业中罚款合计的最大值。",
        "The largest sum of fines among related subjects may count.",
        """
        indicators:
          largest:
            measure: {type: related, relation: controls, direction: outgoing, aggregate: maximum, measure: {type: sum, of: {kinds: [fine]}, field: amount}}
            points: {type: steps, side: at_least, below: 0, bands: [{from: 100, points: -7}]}
        """,
        """
        related                                                                    | score
        controls> fine@2026-01-01:amount=60, controls> fine@2026-01-01:amount=60   | 100
        controls> fine@2026-01-01:amount=99.99                                     | 100
        controls> fine@2026-01-01:amount=100                                       | 93
        controls> fine@2026-01-01:amount=60 fine@2026-02-01:amount=60              | 93
                                                                                   | 100
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
