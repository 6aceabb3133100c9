"""Settings of the fault runs: tasks run where they are queued, so that a killed process is a killed worker."""

import os

os.environ.setdefault("ZHIXIN_VAR", "/tmp/faults-var")

from zhixin_web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": ["default"]}}
