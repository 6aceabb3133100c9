"""``zhixin-web demo``: serve the demonstration city at once and build it where there is none; site, worker, tick until Ctrl-C."""

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from zhixin_web.accounts.models import User
from zhixin_web.demonstration import build as demonstration
from zhixin_web.jobs.supervision import Supervisor


class Command(BaseCommand):
    help = "Build the demonstration (20,000 fictional subjects, six months of batches, two released runs) and serve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--subjects", type=int, default=20_000)
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="build only")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("set ZHIXIN_DEMO=1: the demonstration never touches a real database")
        self.started = time.monotonic()
        call_command("migrate", verbosity=0)
        if options["no_serve"]:
            self._build(options["subjects"])
            return
        port = str(options["port"])
        address = os.environ.get("ZHIXIN_SITE_ADDRESS") or f"http://127.0.0.1:{port}"
        settings.SITE_ADDRESS = address  # printed on papers, also on those that are built here
        granian = ["-m", "granian", "--interface", "wsgi", "--port", port, "--workers", "1", "--log-level", "warning"]
        supervisor = Supervisor(self._say, {"ZHIXIN_DEMO": "1", "ZHIXIN_SITE_ADDRESS": address})
        supervisor.start("site", *granian, "zhixin_web.wsgi:application")
        try:
            self._say(f"http://127.0.0.1:{port}/  已可登录，数据边载入边可看")
            self._build(options["subjects"])
            supervisor.start("worker", "-m", "zhixin_web.manage", "db_worker")
            supervisor.start("clock", "-m", "zhixin_web.manage", "tick", "--every", "60")
            self._say(f"http://127.0.0.1:{port}/  （Ctrl-C 结束）")
            supervisor.watch()
        except KeyboardInterrupt:
            pass
        finally:
            supervisor.stop()

    def _build(self, subjects: int) -> None:
        if not User.objects.exists():
            demonstration.build(subjects, self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.started:5.1f} s  {line}")
