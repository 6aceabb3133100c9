"""``zhixin-web demo``: build the demonstration city where there is none, then run site, worker and tick until Ctrl-C."""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from zhixin_web import demonstration
from zhixin_web.accounts.models import User


class Command(BaseCommand):
    help = "Build the demonstration (20,000 fictional subjects, six months of batches, two released runs) and serve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--subjects", type=int, default=20_000)
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="build only")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("set ZHIXIN_DEMO=1: the demonstration never touches a real database")
        started = time.monotonic()
        call_command("migrate", verbosity=0)
        if not User.objects.exists():
            demonstration.build(
                options["subjects"], lambda line: self.stdout.write(f"{time.monotonic() - started:5.1f} s  {line}")
            )
        if not options["no_serve"]:
            self._serve(options["port"], started)

    def _serve(self, port: int, started: float) -> None:
        """The site, a worker and the scheduler as processes of their own; all end together."""
        here = [sys.executable, "-m", "zhixin_web.manage"]
        environment = os.environ | {"ZHIXIN_DEMO": "1"}
        granian = [
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--port",
            str(port),
            "--workers",
            "1",
            "--log-level",
            "warning",
            "zhixin_web.wsgi:application",
        ]
        processes = [
            subprocess.Popen(command, env=environment)
            for command in (granian, [*here, "db_worker"], [*here, "tick", "--every", "60"])
        ]
        self.stdout.write(f"{time.monotonic() - started:5.1f} s  http://127.0.0.1:{port}/  （Ctrl-C 结束）")
        try:
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
        except KeyboardInterrupt:
            pass
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=15)
