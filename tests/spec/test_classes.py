"""Classes add, replace and read rules of their own."""

from __future__ import annotations

import pytest

from spec.law import Spec, hold

title = {"zh": "分类", "en": "Classes"}

SPECS = (
    Spec(
        "M30",
        "分类另有指标的，只对该类主体计分。",
        "An indicator of a class scores only subjects of that class.",
        """
        classes: {farmer: {when: {attribute: sector, in: [farm]}}}
        indicators: {late: {applies_to: [farmer], measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}}
        """,
        """
        sector | records         | score
        farm   | fine 2026-01-01 | 95
        shop   | fine 2026-01-01 | 100
               | fine 2026-01-01 | 100
        """,
    ),
    Spec(
        "M22",
        "分类以特别指标代替一般指标，两者不重复计分。",
        "A class may replace a general indicator by its own; the two are never both counted.",
        """
        classes: {farmer: {when: {attribute: sector, in: [farm]}}}
        indicators:
          late: {except_for: [farmer], measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}
          late_farmer: {applies_to: [farmer], measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -2}}
        """,
        """
        sector | records         | score | points.late | points.late_farmer
        farm   | fine 2026-01-01 | 98    | 0           | -2
        shop   | fine 2026-01-01 | 95    | -5          | 0
               | fine 2026-01-01 | 95    | -5          | 0
        """,
    ),
    Spec(
        "M30",
        "同时属于两类的，两类的指标都适用；除外规定优先。",
        "Who belongs to two classes is scored by both, and an exception goes before an application.",
        """
        classes:
          owner: {when: {measure: {type: attribute, id: staff}, at_least: 1}}
          farmer: {when: {attribute: sector, in: [farm]}}
        indicators:
          any: {applies_to: [owner, farmer], measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -1}}
          owners: {applies_to: [owner], except_for: [farmer], measure: {type: count, of: {kinds: [fine]}}, points: {type: per_unit, each: -5}}
        """,
        """
        sector | staff | records         | score
        farm   | 0     | fine 2026-01-01 | 99
        shop   | 0     | fine 2026-01-01 | 100
        shop   | 1     | fine 2026-01-01 | 94
        shop   | 2     | fine 2026-01-01 | 94
        farm   | 1     | fine 2026-01-01 | 99
        """,
    ),
    Spec(
        "M10",
        "上限只适用于所列分类。",
        "A cap may be for one class only.",
        """
        classes: {farmer: {when: {attribute: sector, in: [farm]}}}
        decisions: {caps: {listed: {not_above: C, applies_to: [farmer], when: {attribute: listed, is: true}}}}
        """,
        """
        sector | listed | grade
        farm   | true   | C
        shop   | true   | A
        farm   | false  | A
        """,
    ),
    Spec(
        "M06",
        "分类可以作为直接定级的条件。",
        "A class may be the condition of a decision.",
        """
        classes: {farmer: {when: {attribute: sector, in: [farm]}}}
        decisions: {direct: {farmers: {grade: B, when: {all: [{class: farmer}, {attribute: insured, is: false}]}}}}
        """,
        """
        sector | insured | grade
        farm   | false   | B
        farm   | true    | A
        shop   | false   | A
        """,
    ),
    Spec(
        "M26",
        "分类可以有自己的等级分界。",
        "A class may have cuts of its own.",
        """
        classes: {farmer: {when: {attribute: sector, in: [farm]}}}
        ladder: {A: {at_least: 90, by_class: {farmer: 85}}, B: {at_least: 80}, C: {}}
        """,
        """
        sector | other   | grade
        farm   | -15.001 | B
        farm   | -15     | A
        farm   | -14.999 | A
        shop   | -10.001 | B
        shop   | -10     | A
        shop   | -9.999  | A
               | -15     | B
        """,
    ),
    Spec(
        "M01",
        "起始分可以因分类而不同；后列的分类可以引用先列的分类。",
        "The start may differ by class, and a class may build on those before it.",
        """
        classes:
          farmer: {when: {attribute: sector, in: [farm]}}
          small_farmer: {when: {all: [{class: farmer}, {measure: {type: attribute, id: staff}, below: 10}]}}
        score: {start: {cases: [{when: {class: small_farmer}, value: 95}, {when: {class: farmer}, value: 93}], otherwise: 90}}
        """,
        """
        sector | staff | score
        farm   | 9     | 95
        farm   | 10    | 93
        farm   | 11    | 93
        shop   | 9     | 90
        """,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_law(spec: Spec, engine: tuple) -> None:
    hold(spec, *engine)
