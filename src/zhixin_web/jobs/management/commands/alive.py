"""``zhixin-web alive site|database|clock``: exit status 0 while a part of the site answers; for the health checks of containers."""

from argparse import ArgumentParser
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from zhixin_web.jobs.tick import clock_stands_still


class Command(BaseCommand):
    help = "Say whether the site on this machine, the database or the clock answers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("part", choices=["site", "database", "clock"])
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] == "site":
            headers = {"Host": settings.ALLOWED_HOSTS[0], "X-Forwarded-Proto": "https"}
            try:
                answer = httpx.get(f"http://127.0.0.1:{options['port']}/health", headers=headers, timeout=10)
            except httpx.HTTPError as error:
                raise CommandError(f"the site does not answer: {error}") from error
            if answer.status_code >= 500:
                raise CommandError(f"the site answers with status {answer.status_code}")
        elif options["part"] == "database":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        elif clock_stands_still():
            raise CommandError("the clock has not gone round for five minutes")
