"""Writes of notes, tags and saved views."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import User
from zhixin_web.audit.services.events import record_event
from zhixin_web.records.models import Subject
from zhixin_web.workspace.models import SavedView, SubjectNote, SubjectTag

MOST_SAVED_VIEWS = 30


MOST_BULK = 2_000


def add_note(subject: Subject, *, text: str, by: User) -> SubjectNote:
    """Note something about a subject.

    Raises:
        ValidationError: nothing is written.
    """
    if not text.strip():
        raise ValidationError(_("请填写内容"))
    with transaction.atomic():
        record_event("subjects.note", by=by, ref=subject.code)
        return SubjectNote.objects.create(subject=subject, text=text.strip()[:2000], by=by)


def tag_subjects(subjects: Sequence[Subject], *, label: str, by: User) -> int:
    """Put a word on subjects; gives how many are new.

    Raises:
        ValidationError: no word, or too many subjects.
    """
    word = label.strip()[:30]
    if not word or len(subjects) > MOST_BULK:
        raise ValidationError(_("请填写标签，一次不超过 %(MOST_BULK)s 户") % {"MOST_BULK": MOST_BULK})
    with transaction.atomic():
        known = set(SubjectTag.objects.filter(label=word, subject__in=subjects).values_list("subject_id", flat=True))
        new = [SubjectTag(subject=item, label=word, by=by) for item in subjects if item.pk not in known]
        SubjectTag.objects.bulk_create(new)
        record_event("subjects.tag", by=by, ref=word, subjects=len(new))
    return len(new)


def untag(label: str, *, by: User) -> int:
    """Take a word off all subjects."""
    with transaction.atomic():
        count, _by_model = SubjectTag.objects.filter(label=label).delete()
        record_event("subjects.untag", by=by, ref=label[:30], subjects=count)
    return count


def save_view(*, name: str, query: str, by: User) -> SavedView:
    """Keep a list under a name; the same name again replaces it.

    Raises:
        ValidationError: no name, or too many.
    """
    if not name.strip() or SavedView.objects.filter(by=by).count() >= MOST_SAVED_VIEWS:
        raise ValidationError(_("请填写名称；最多保存 %(MOST_SAVED_VIEWS)s 个视图") % {"MOST_SAVED_VIEWS": MOST_SAVED_VIEWS})
    view, _is_new = SavedView.objects.update_or_create(by=by, name=name.strip()[:40], defaults={"query": query[:500]})
    return view


def drop_view(pk: int, *, by: User) -> None:
    SavedView.objects.filter(pk=pk, by=by).delete()
