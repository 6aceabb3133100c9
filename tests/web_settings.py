"""Settings of the web tests: a folder of their own, a fast password hasher; PostgreSQL where DATABASE_URL says so."""

import atexit
import os
import shutil
import tempfile

if "ZHIXIN_VAR" not in os.environ:
    os.environ["ZHIXIN_VAR"] = tempfile.mkdtemp(prefix="zhixin-test-")
    atexit.register(shutil.rmtree, os.environ["ZHIXIN_VAR"], ignore_errors=True)

from zhixin_web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECOND_FACTOR = False
AXES_ENABLED = False
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": ["default"]}}
RATE_LIMITS = False
