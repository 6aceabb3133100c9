"""``zhixin-web demo``: serve the demonstration city at once and build it where there is none; site, worker, tick until Ctrl-C."""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from zhixin_web.accounts.models import User
from zhixin_web.demonstration import build as demonstration


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
        granian = ["-m", "granian", "--interface", "wsgi", "--port", port, "--workers", "1", "--log-level", "warning"]
        processes = [self._start(*granian, "zhixin_web.wsgi:application")]
        try:
            self._say(f"http://127.0.0.1:{port}/  已可登录，数据边载入边可看")
            self._build(options["subjects"])
            processes += [
                self._start("-m", "zhixin_web.manage", *command) for command in (["db_worker"], ["tick", "--every", "60"])
            ]
            self._say(f"http://127.0.0.1:{port}/  （Ctrl-C 结束）")
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
        except KeyboardInterrupt:
            pass
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=15)

    def _build(self, subjects: int) -> None:
        if not User.objects.exists():
            demonstration.build(subjects, self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.started:5.1f} s  {line}")

    @staticmethod
    def _start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *arguments], env=os.environ | {"ZHIXIN_DEMO": "1"})
