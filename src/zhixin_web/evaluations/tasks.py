"""What the worker does. This is the one module that names the queue's package (Django 6 has it in core)."""

from __future__ import annotations

from django_tasks import task

from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import process
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services.ended_terms import finish_after_ends
from zhixin_web.evaluations.services.reevaluate_after_batch import react
from zhixin_web.evaluations.services.runs import execute


@task()  # type: ignore[untyped-decorator]
def process_batch(batch_id: int) -> str:
    """Stage and, where asked, commit a batch; then re-evaluate what an event-driven kind touched."""
    batch = process(Batch.objects.get(pk=batch_id))
    react(batch)
    return str(batch.status)


@task()  # type: ignore[untyped-decorator]
def execute_run(run_id: int) -> str:
    """Do a queued run."""
    return str(execute(Run.objects.get(pk=run_id)).status)


@task()  # type: ignore[untyped-decorator]
def evaluate_after_ends(run_id: int) -> str:
    """Do the run over subjects with a term that has ended."""
    return str(finish_after_ends(Run.objects.get(pk=run_id)).status)
