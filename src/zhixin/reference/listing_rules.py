"""What puts an enterprise on the serious-dishonesty list: conduct, heavy penalties, factors to weigh, what else is required on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from zhixin.reference.entries import Entry, Words
from zhixin.reference.inspection_items import Ground

HERE = files("zhixin.reference")
SwitchCode = Literal["superior_approval", "factor_checklist"]


class ListedConduct(Entry):
    """A kind of conduct that is listed, and whether a heavy penalty must go with it."""

    code: str
    title: Words
    kinds: tuple[str, ...] = ("",)
    """Beginnings of the kinds of penalties that this conduct is punished by; any where none is named."""
    needs_heavy_penalty: bool
    basis: tuple[Ground, ...]


class HeavyPenalty(Entry):
    """A kind of penalty that counts as heavy (较重行政处罚); ``signs``: one of these words stands in the type of the penalty."""

    code: str
    title: Words
    signs: tuple[str, ...] = ()


class Factor(Entry):
    """What is weighed; ``excludes_when_absent``: proof that it is not there keeps the party off the list."""

    code: str
    title: Words
    excludes_when_absent: bool = False


class Switch(Entry):
    """Whether something is required, from a day until the next entry of its code."""

    code: SwitchCode
    from_: date = Field(alias="from")
    value: bool
    basis: tuple[Ground, ...]


class ListingRules(Entry):
    """A version of the rules of listing."""

    version: str
    conducts: tuple[ListedConduct, ...]
    penalties: tuple[HeavyPenalty, ...]
    light: tuple[str, ...]
    """Types of penalties that are never heavy by themselves."""
    penalties_basis: tuple[Ground, ...]
    factors: tuple[Factor, ...]
    factors_basis: tuple[Ground, ...]
    switches: tuple[Switch, ...]

    def conduct(self, code: str) -> ListedConduct | None:
        """Return a kind of conduct; ``None``: there is none of this code."""
        return next((item for item in self.conducts if item.code == code), None)

    def fits(self, heavy: str, types: Sequence[str]) -> bool:
        """Return whether a penalty of some types, as its source names them, may be heavy in this way; without types nobody can say."""
        item = next((item for item in self.penalties if item.code == heavy), None)
        if item is None:
            return False
        if not types:
            return True
        if item.signs:
            return any(sign in name for sign in item.signs for name in types)
        return any(name not in self.light for name in types)

    def requires(self, code: SwitchCode, day: date) -> bool:
        """Whether something is required on a day; before the first entry it is, so that nothing is skipped for want of one."""
        entries = sorted((item for item in self.switches if item.code == code), key=lambda item: item.from_)
        return next((item.value for item in reversed(entries) if item.from_ <= day), True)


@cache
def listing_rules() -> ListingRules:
    """Return the rules that come with the project."""
    return ListingRules.model_validate(yaml.safe_load((HERE / "listing_rules.yaml").read_text(encoding="utf-8")))


WEIGHTS = {
    "grave": Words(zh="情节严重", en="grave"),
    "slight": Words(zh="情节较轻", en="slight"),
    "absent": Words(zh="经查证不存在", en="shown not to be there"),
}
"""How a factor may be weighed; what nobody looked at has no weight, and nothing is decided before every factor has one."""
