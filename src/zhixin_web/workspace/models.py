"""What officers keep for their own work: notes and tags on subjects, saved views of the library."""

from __future__ import annotations

from django.conf import settings
from django.db import models

PEOPLE = settings.AUTH_USER_MODEL


class SubjectNote(models.Model):
    """What an officer notes about a subject; seen by staff only, never changed."""

    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="notes")
    text = models.TextField(max_length=2000)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)


class SubjectTag(models.Model):
    """A word that staff put on subjects to work through them."""

    subject = models.ForeignKey("records.Subject", models.PROTECT, related_name="tags")
    label = models.CharField(max_length=30, db_index=True)
    by = models.ForeignKey(PEOPLE, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "label"], name="one_tag_per_label")]


class SavedView(models.Model):
    """A list somebody comes back to: its name and the query of its address."""

    by = models.ForeignKey(PEOPLE, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["by", "name"], name="one_saved_view_per_name")]
