"""``zhixin-web replay RUN``: recompute a past run from the facts and compare bytes."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services.replay import replay


class Command(BaseCommand):
    help = "Recompute a past run from the facts in the database and compare it with the archive, byte for byte."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        run = Run.objects.filter(pk=options["run"]).exclude(folder="").first()
        if run is None:
            raise CommandError(f"there is no finished run {options['run']}")
        result = replay(run)
        self.stdout.write(json.dumps(result, ensure_ascii=False, indent=2))
        sys.exit(0 if result["equal"] else 1)
