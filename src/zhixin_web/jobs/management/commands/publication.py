"""``zhixin-web publication status|resume|set-aside``: what to do when the ledger does not fit its checkpoints."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from zhixin.errors import LedgerError
from zhixin_web.audit.services import witnesses


class Command(BaseCommand):
    """Shows whether publication goes on, and lifts a stop on the word of two persons."""

    help = "Show whether publication goes on; resume it, or put lost checkpoints aside, on the word of two persons."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["status", "resume", "set-aside"])
        parser.add_argument("--reason", default="")
        parser.add_argument("--person", action="append", default=[], help="twice: the two who answer for it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "resume":
                witnesses.resume(options["reason"], options["person"])
            elif options["action"] == "set-aside":
                self.stdout.write(f"kept as {witnesses.set_aside(options['reason'], options['person'])}")
        except LedgerError as error:
            raise CommandError(f"{error.message.zh} / {error.message.en}") from error
        found = witnesses.deviations()
        for item in found:
            self.stdout.write(f"{item.zh} / {item.en}")
        held = witnesses.stopped()
        self.stdout.write(f"stopped since {held['at']}" if held else "publication goes on")
        if options["action"] == "status" and (held or found):
            raise CommandError("publication is stopped" if held else "the next tick will stop publication")
