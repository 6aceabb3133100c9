"""``zhixin-web restore STORE --identity FILE``: into an empty place, then everything is checked."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from zhixin_web.audit.services.witnesses import compare
from zhixin_web.jobs.backup import BackupRefused, restore
from zhixin_web.jobs.invariants import check


class Command(BaseCommand):
    help = "Restore a backup into an empty database and data folder, compare it with the witnesses and check it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("store", type=Path)
        parser.add_argument("--identity", type=Path, required=True, help="file with AGE-SECRET-KEY-…")
        parser.add_argument("--at", default="", help="the newest backup not later than this: 20261129T120000Z")
        parser.add_argument("--replays", type=int, default=1, help="released runs to recompute")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restore(options["store"], options["identity"], at=options["at"])
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        lost = datetime.now(UTC) - datetime.fromisoformat(done.at)
        self.stdout.write(
            f"restored {done.files:,} files ({done.size / 1e6:,.1f} MB) of {done.at} in {done.seconds:.1f} s (RTO)"
        )
        self.stdout.write(f"what came after {done.at} is lost: {lost} (RPO); ledger {done.ledger:,}")
        faults = [f"the witnesses know more or something else: {found.en}" for found in compare()]
        for finding in check(replays=options["replays"]):
            faults += [f"{finding.name}: {fault}" for fault in finding.broken]
            self.stdout.write(f"{'ok    ' if not finding.broken else 'BROKEN'} {finding.name}: {finding.checked:,}")
        if faults:
            raise CommandError("\n".join(faults[:100]))
