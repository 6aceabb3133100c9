"""``zhixin-web tick [--every SECONDS]``: what is due, once or for ever."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from zhixin_web.jobs.tick import tick


class Command(BaseCommand):
    help = "Resume interrupted work, take in folders and pulls, start due runs, sign the ledger."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=int, default=0, help="repeat after so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            for line in tick():
                self.stdout.write(line)
            if not options["every"]:
                return
            close_old_connections()
            time.sleep(options["every"])
