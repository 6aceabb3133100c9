"""``zhixin-web backup STORE --recipient age1…``: database and files of this moment, encrypted, what is new alone."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from zhixin_web.jobs.backup import BackupRefused, back_up, new_identity


class Command(BaseCommand):
    help = "Back up database and files into a store (a folder, best on another machine)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("store", type=Path, nargs="?")
        parser.add_argument("--recipient", default="", help="whom it is encrypted for: age1…")
        parser.add_argument(
            "--new-identity", type=Path, help="make a key pair: write the identity to this file, print the recipient"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["new_identity"]:
                self.stdout.write(new_identity(options["new_identity"]))
                return
            if options["store"] is None or not options["recipient"]:
                raise CommandError(
                    "give a store and --recipient; --new-identity FILE makes a key pair / 请给出备份目录和接收方"
                )
            done = back_up(options["store"], options["recipient"])
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.at}: {done.files:,} files ({done.size / 1e6:,.1f} MB), {done.new:,} new, ledger {done.ledger:,}, {done.seconds:.1f} s"
        )
