"""``zhixin-web check_invariants [--replays N]``: exit status 1 if anything is broken."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from zhixin_web.jobs.invariants import check


class Command(BaseCommand):
    help = "Check that nothing is lost, doubled, bent or released by one person alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--replays", type=int, default=None, help="recompute only the newest N released runs")

    def handle(self, *args: Any, **options: Any) -> None:
        is_broken = False
        started = time.monotonic()
        for finding in check(replays=options["replays"]):
            is_broken |= bool(finding.broken)
            self.stdout.write(
                f"{'BROKEN' if finding.broken else 'ok':6} {finding.name}: {finding.checked:,} ({time.monotonic() - started:.1f} s)"
            )
            for line in finding.broken:
                self.stdout.write(f"       {line}")
        sys.exit(1 if is_broken else 0)
