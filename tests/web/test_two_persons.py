"""Nobody decides on the own proposal: rulebooks, runs and orders want two persons, whatever role the first one gets later."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.models import Role
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services import runs as run_services
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services.approval import approve_rulebook, propose_rulebook


@pytest.fixture
def proposed(flagship: Rulebook, people: Any) -> RulebookRelease:
    return propose_rulebook(flagship, people["city"])


def promoted(person: Any) -> Any:
    """The same person, who has become an approver since."""
    person.role = Role.APPROVER
    person.save()
    return person


def test_only_an_approver_releases_a_rulebook(proposed: RulebookRelease, people: Any) -> None:
    for role in people:
        if role != "approver":
            with pytest.raises(PermissionDenied):
                approve_rulebook(proposed, people[role])
    assert approve_rulebook(proposed, people["approver"]).status == "released"


def test_who_proposed_a_rulebook_does_not_approve_it_as_an_approver_either(proposed: RulebookRelease, people: Any) -> None:
    with pytest.raises(PermissionDenied):
        approve_rulebook(proposed, promoted(people["city"]))
    proposed.refresh_from_db()
    assert proposed.status == "proposed"


def test_who_proposed_a_run_does_not_release_it_as_an_approver_either(
    subjects: list[Subject], release: RulebookRelease, people: Any
) -> None:
    run = run_services.execute(run_services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    with pytest.raises(PermissionDenied):
        release_run(Run.objects.get(pk=run.pk), promoted(people["city"]))
    assert Run.objects.get(pk=run.pk).status == "proposed"


def test_the_database_refuses_a_rulebook_of_one_person(release: RulebookRelease) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RulebookRelease.objects.filter(pk=release.pk).update(approved_by=release.proposed_by)
