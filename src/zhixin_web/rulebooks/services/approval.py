"""Writes of rulebook releases: propose and approve, by two persons."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from zhixin.law.loading import dump_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.models import User
from zhixin_web.accounts.permissions import may
from zhixin_web.audit.services.events import record_event
from zhixin_web.audit.services.ledger import append_one
from zhixin_web.rulebooks.models import RulebookRelease


def propose_rulebook(rulebook: Rulebook, by: User) -> RulebookRelease:
    """Put a checked rulebook forward for release.

    Raises:
        PermissionDenied: the account may not.
        ValidationError: this very version is there already.
    """
    if not may(by, "rulebooks.propose"):
        raise PermissionDenied
    if RulebookRelease.objects.filter(sha256=rulebook.sha256).exists():
        raise ValidationError(_("该版本已在库中"))
    with transaction.atomic():
        release = RulebookRelease.objects.create(
            rulebook_id=rulebook.id, title_zh=rulebook.title.zh, title_en=rulebook.title.en or rulebook.title.zh, sha256=rulebook.sha256,
            text=dump_rulebook(rulebook), effective_from=rulebook.effective.from_ or date(1900, 1, 1), proposed_by=by,
        )  # fmt: skip
        record_event("rulebooks.propose", by=by, ref=rulebook.sha256[:12])
    return release


def approve_rulebook(release: RulebookRelease, by: User, *, releases_events: bool = True) -> RulebookRelease:
    """Release a rulebook; ``releases_events`` is the standing order for event-driven results.

    Raises:
        PermissionDenied: no approver, or the one who proposed it.
    """
    if not may(by, "rulebooks.approve") or by.pk == release.proposed_by_id:
        raise PermissionDenied
    with transaction.atomic():
        release = RulebookRelease.objects.select_for_update().get(pk=release.pk)
        if release.status == RulebookRelease.Status.RELEASED:
            return release
        release.status, release.approved_by, release.approved_at = RulebookRelease.Status.RELEASED, by, timezone.now()
        release.releases_events = releases_events
        release.save()
        append_one(
            "rule.release",
            f"rulebook:{release.rulebook_id}",
            {"sha256": release.sha256, "effective_from": release.effective_from.isoformat()},
        )
        record_event("rulebooks.approve", by=by, ref=release.sha256[:12], releases_events=releases_events)
    return release
