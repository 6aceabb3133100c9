"""How an item of the plan stands: what was said of it, by whom it is proved, and how that compares with its days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhixin.law.calendar import shift_days
from zhixin.law.nodes import Basis, Text
from zhixin.law.work_plan import Reporting
from zhixin_web.duties.models import ProgressEntry

Kind = ProgressEntry.Kind


class DutyState(models.TextChoices):
    """How an item stands on a day. Nothing is done before somebody else has looked at its proof."""

    NOT_STARTED = "not_started", _("未到开始日")
    RUNNING = "running", _("进行中")
    SOON = "soon", _("即将到期")
    OVERDUE = "overdue", _("逾期")
    CLAIMED = "claimed", _("已申报，待确认")
    DONE = "done", _("按期完成")
    DONE_LATE = "done_late", _("逾期完成")


FINISHED = frozenset({DutyState.DONE, DutyState.DONE_LATE})
MARKS = {
    DutyState.NOT_STARTED: "", DutyState.RUNNING: "", DutyState.SOON: "warn", DutyState.OVERDUE: "bad", DutyState.CLAIMED: "warn",
    DutyState.DONE: "good", DutyState.DONE_LATE: "good",
}  # fmt: skip
"""Colour class of each state. Pages show the name of the state beside the colour (WCAG 1.4.1)."""
ORDER = (
    DutyState.OVERDUE,
    DutyState.SOON,
    DutyState.CLAIMED,
    DutyState.RUNNING,
    DutyState.NOT_STARTED,
    DutyState.DONE_LATE,
    DutyState.DONE,
)


@dataclass(frozen=True)
class Progress:
    """What the entries of an item come to.

    ``claim`` waits for an answer; ``done`` is the claim that was confirmed, ``confirmed`` its confirmation; ``sent_back`` is the
    last return or withdrawal that no later claim has answered.
    """

    entries: tuple[ProgressEntry, ...] = ()
    claim: ProgressEntry | None = None
    done: ProgressEntry | None = None
    confirmed: ProgressEntry | None = None
    sent_back: ProgressEntry | None = None

    @property
    def last_on(self) -> date | None:
        """Day of the last word of a unit."""
        return max((item.on for item in self.entries if item.kind in (Kind.NEWS, Kind.CLAIM)), default=None)

    @property
    def proofs(self) -> int:
        """Entries that show something: a file or a link."""
        return sum(bool(item.sha256 or item.link) for item in self.entries)


def folded(entries: Iterable[ProgressEntry]) -> Progress:
    """Return what entries, the oldest first, come to."""
    kept = tuple(entries)
    claim = done = confirmed = sent_back = None
    for item in kept:
        if item.kind == Kind.CLAIM:
            claim, sent_back = item, None
        elif item.kind == Kind.CONFIRM:
            claim, done, confirmed = None, claim, item
        elif item.kind == Kind.RETURN:
            claim, sent_back = None, item
        elif item.kind == Kind.REOPEN:
            done, confirmed, sent_back = None, None, item
    return Progress(kept, claim, done, confirmed, sent_back)


@dataclass(frozen=True)
class Move:
    """A later version of the plan set another end."""

    version: str
    before: date
    after: date
    reason: str


@dataclass(frozen=True)
class Duty:
    """An item as it stands today: a task, a milestone of one (``parent``), or what a meeting resolved (no phase)."""

    key: str
    plan: str
    title: Text
    proof: Text
    lead: str
    starts_on: date
    due_on: date
    today: date
    reporting: Reporting
    progress: Progress
    phase: str = ""
    parent: str = ""
    helped_by: tuple[str, ...] = ()
    milestones: tuple[Duty, ...] = ()
    basis: tuple[Basis, ...] = ()
    moves: tuple[Move, ...] = ()
    meeting: int | None = None
    dropped_from: str = ""
    """Version of the plan that was the last to have it; empty: the plan in force has it."""

    @property
    def task(self) -> dict[str, str]:
        """What it is, as entries keep it."""
        return {"title": self.title.zh, "proof": self.proof.zh}

    @property
    def done(self) -> ProgressEntry | None:
        """The confirmed claim, if it was made of what the item is now."""
        found = self.progress.done
        return found if found is not None and found.task == self.task else None

    @property
    def changed_since(self) -> ProgressEntry | None:
        """The confirmed claim that holds no more because a later version made another task of the item."""
        found = self.progress.done
        return found if found is not None and found.task != self.task else None

    @property
    def address(self) -> str:
        """Where its page is."""
        return f"/c/progress/items/{self.key}"

    @property
    def state(self) -> DutyState:
        """How it stands: done is what was confirmed, and in time what was claimed before its end as it was then.

        A task is done only while all its milestones are.
        """
        if self.done is not None and not self.waiting_milestones:
            return DutyState.DONE if self.done.on <= self.done.due_on else DutyState.DONE_LATE
        claim = self.progress.claim
        if claim is not None and claim.on <= max(claim.due_on, self.due_on):
            return DutyState.CLAIMED
        if self.today > self.due_on:
            return DutyState.OVERDUE
        if self.today < self.starts_on:
            return DutyState.NOT_STARTED
        return DutyState.SOON if self.today >= shift_days(self.due_on, -self.reporting.soon_days) else DutyState.RUNNING

    @property
    def shown_state(self) -> DutyState:
        """How it stands with its milestones: none of them overdue is hidden behind a later end of the task."""
        if self.state in FINISHED:
            return self.state
        return min((self.state, *(item.state for item in self.milestones if item.state not in FINISHED)), key=ORDER.index)

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def days_overdue(self) -> int:
        """Days since its end while it is overdue, else nought."""
        return (self.today - self.due_on).days if self.state is DutyState.OVERDUE else 0

    @property
    def is_silent(self) -> bool:
        """Whether it runs and its unit has said nothing for longer than the plan lets it; milestones speak for their task."""
        if self.is_finished or self.progress.claim is not None or self.today < self.starts_on:
            return False
        heard = [item.progress.last_on for item in (self, *self.milestones)]
        since = max((self.starts_on, *(day for day in heard if day is not None)))
        return (self.today - since).days > self.reporting.news_every_days

    @property
    def waits_since(self) -> int:
        """Days since a claim that nobody has answered, where that is longer than the plan lets it wait; else nought."""
        days = (self.today - self.progress.claim.on).days if self.progress.claim is not None else 0
        return days if days > self.reporting.answer_within_days else 0

    @property
    def first_due_on(self) -> date:
        """Its end as the first version of the plan had it."""
        return self.moves[0].before if self.moves else self.due_on

    @property
    def waiting_milestones(self) -> tuple[Duty, ...]:
        """Milestones that are not confirmed yet."""
        return tuple(item for item in self.milestones if not item.is_finished)
