"""The WSGI entry: ``granian --interface wsgi zhixin_web.wsgi:application``. The public cache stands before Django."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhixin_web.settings")
django_application = get_wsgi_application()

from zhixin_web.faces.portal.cache import PublicCache  # noqa: E402 — needs the settings

get_resolver().url_patterns  # noqa: B018 — imports every view now, so that the first visitor need not wait for it
application = PublicCache(django_application)
