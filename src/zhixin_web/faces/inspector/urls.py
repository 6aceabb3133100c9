"""Addresses of the inspector's pocket under ``/m/``."""

from django.urls import path

from zhixin_web.faces.inspector import pocket

urlpatterns = [
    path("", pocket.shell, name="pocket"),
    path("tasks.json", pocket.tasks, name="pocket_tasks"),
    path("check.json", pocket.check, name="pocket_check"),
    path("tasks/<int:pk>/report", pocket.report, name="pocket_report"),
    path("tasks/<int:pk>/photos/<str:sha256>", pocket.photo, name="pocket_photo"),
    path("tasks/<int:pk>/record.pdf", pocket.record, name="pocket_record"),
    path("sw.js", pocket.service_worker, name="pocket_worker"),
    path("manifest.webmanifest", pocket.manifest, name="pocket_manifest"),
]
