"""How a deviation is named: table, row and column, what was expected and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def differing(name: str, expected: Mapping[str, object], found: Mapping[str, object]) -> Iterator[str]:
    """Name every column of a row that is not as expected; columns that nothing is expected of are passed over."""
    for column, value in expected.items():
        if found[column] != value:
            yield f"{name}.{column}: expected {value!s}, found {found[column]!s}"
