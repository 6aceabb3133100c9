"""What ``tick`` does every minute: resume what a crash left, take in folders and pulls, start due runs, sign the ledger."""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.utils import timezone

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.table import CHUNK
from zhixin.dataset.sources import sources
from zhixin.errors import LedgerError
from zhixin_web.accounts.models import Role, User
from zhixin_web.audit.services.events import TOGETHER, record_event
from zhixin_web.audit.services.ledger import lock_ledger
from zhixin_web.audit.services.witnesses import compare, sign_and_show
from zhixin_web.cases.models import Attachment
from zhixin_web.cases.services import attachments
from zhixin_web.cases.services.transitions import run_case_clocks
from zhixin_web.collection.models import Batch, Pull
from zhixin_web.collection.outgoing import fetched, opened
from zhixin_web.collection.services.batches import deliver
from zhixin_web.commitments.services.checking import follow_broken
from zhixin_web.duties.models import ProgressEntry
from zhixin_web.duties.services import progress
from zhixin_web.duties.services.escalating import escalate_overdue
from zhixin_web.duties.services.papers import make_weekly_papers
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services.ended_terms import TRIGGER, begin_after_ends
from zhixin_web.evaluations.services.orders import end_expired_orders
from zhixin_web.evaluations.services.runs import STALE_AFTER, start_run
from zhixin_web.evaluations.tasks import evaluate_after_ends, execute_run, process_batch
from zhixin_web.inspections.models import VisitPhoto
from zhixin_web.inspections.services import visit_reports
from zhixin_web.measures.services.imposing import follow_measures
from zhixin_web.received import store
from zhixin_web.records.services.ends import note_ends
from zhixin_web.records.services.reapply_law import apply_law_in_force
from zhixin_web.rulebooks.law_in_force import law_in_force
from zhixin_web.rulebooks.models import RulebookRelease

_log = logging.getLogger(__name__)
SETTLED = timedelta(seconds=5)
LONGEST_ROUND = timedelta(minutes=5)
MOST_FAILURES = 12
"""A pull that failed so often in a row, over eight hours, is disabled and waits on the desk of whoever set it."""
LONGEST_PULL = timedelta(minutes=5)
MOST_FAILURES_DOUBLED = 6


def tick() -> list[str]:
    """Do everything that is due; gives one line for each thing done. One failing step does not stop the others."""
    steps: tuple[Callable[[], Iterator[str]], ...] = (
        compare_with_witnesses,
        resume,
        apply_law_in_force,
        take_folders,
        take_pulls,
        start_due_runs,
        end_expired_orders,
        run_case_clocks,
        note_ends,
        follow_ends,
        follow_broken,
        follow_measures,
        escalate_overdue,
        make_weekly_papers,
        sign,
        sweep,
    )
    done: list[str] = []
    for step in steps:
        try:
            done += list(step())
        except (OSError, LedgerError) as error:
            done.append(f"{step.__name__}: {error}")
        except (OperationalError, InterfaceError) as error:  # a locked or restarted database comes back
            done.append(f"{step.__name__}: the database did not answer ({error})")
            close_old_connections()
        except Exception as error:
            _log.exception("tick: %s failed", step.__name__)
            done.append(f"{step.__name__}: failed ({type(error).__name__}: {error})")
    with suppress(OSError):  # said by the step that needs the folder
        _alive().touch()
    return done


def _alive() -> Path:
    return Path(settings.VAR) / "clock.alive"


def clock_stands_still() -> bool:
    """Whether no tick has come to its end for :data:`LONGEST_ROUND`."""
    try:
        return timezone.now().timestamp() - _alive().stat().st_mtime > LONGEST_ROUND.total_seconds()
    except FileNotFoundError:
        return True


def resume() -> Iterator[str]:
    """Queue again what waits for a worker and has had none for a while."""
    before = timezone.now() - STALE_AFTER
    for batch in Batch.objects.filter(status__in=[Batch.Status.RECEIVED, Batch.Status.COMMITTING], created_at__lt=before):
        if batch.heartbeat_at is None or batch.heartbeat_at < before:
            Batch.objects.filter(pk=batch.pk).update(heartbeat_at=timezone.now())
            process_batch.enqueue(batch.pk)
            yield f"resumed batch {batch.pk}"
    done = [Batch.Status.COMMITTED, Batch.Status.UNDONE]
    for batch in Batch.objects.filter(status__in=done, is_settled=False, committed_at__lt=before):
        process_batch.enqueue(batch.pk)
        yield f"resumed what follows from batch {batch.pk}"
    stale = Run.objects.filter(status=Run.Status.RUNNING, heartbeat_at__lt=before) | Run.objects.filter(
        status=Run.Status.QUEUED, created_at__lt=before
    )
    for run in stale.filter(kind=Run.Kind.FULL):  # an event-driven run is resumed with its batch
        execute_run.enqueue(run.pk)
        yield f"resumed run {run.pk}"


def inbox() -> Path:
    return Path(settings.VAR) / "inbox"


def _system_account() -> User | None:
    """Return the account of automatic deliveries: the first city officer."""
    found: User | None = User.objects.filter(role=Role.CITY_OFFICER, is_active=True).order_by("pk").first()
    return found


def take_folders() -> Iterator[str]:
    """Files dropped into ``var/inbox/<source>/``; taken ones move to ``taken/``, refused ones to ``refused/`` with a note."""
    by = _system_account()
    if by is None or not inbox().is_dir():
        return
    now = timezone.now().timestamp()
    for source in sources():
        for path in sorted((inbox() / source).glob("*")):
            if not path.is_file() or path.name.startswith(".") or now - path.stat().st_mtime < SETTLED.total_seconds():
                continue  # still being written
            yield _take_file(source, path, by)


def _take_file(source: str, path: Path, by: User) -> str:
    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    try:
        batch, is_new = deliver(
            source=source, file_name=path.name, chunks=chunks(), way=Batch.Way.FOLDER, by=by, automatic=True
        )
    except FileRefused as refused:
        _aside(path, "refused")
        (path.parent / "refused" / f"{path.name}.txt").write_text(
            f"{refused.message.zh}；{refused.remedy.zh}\n", encoding="utf-8"
        )
        return f"refused {path.name}: {refused.message.en}"
    _aside(path, "taken")
    if is_new:
        process_batch.enqueue(batch.pk)
    return f"took {path.name} as batch {batch.pk}"


def _aside(path: Path, folder: str) -> None:
    place = path.parent / folder
    place.mkdir(exist_ok=True)
    shutil.move(path, place / f"{uuid.uuid4().hex[:8]}-{path.name}")


def take_pulls() -> Iterator[str]:
    """Pulls that are due. A failure waits longer each time (at most 64 intervals of a minute) and is shown."""
    for pull in Pull.objects.filter(is_active=True, next_at__lte=timezone.now()).select_related("account"):
        result = fetch(pull)
        pull.last_at, pull.last_result = timezone.now(), result[:500]
        wait = (
            timedelta(minutes=2 ** min(pull.failures, MOST_FAILURES_DOUBLED))
            if pull.failures
            else timedelta(minutes=pull.every_minutes)
        )
        pull.next_at = timezone.now() + wait
        pull.save()
        yield f"pull {pull.source}: {result}"


def fetch(pull: Pull) -> str:
    """Fetch one delivery. Nothing is kept of an answer that is not whole; redirects are not followed."""
    try:
        with fetched(pull.address, opened(pull.credential)) as answer:
            if answer.status_code == 204:
                pull.failures = 0
                return "nothing new"
            answer.raise_for_status()
            if answer.status_code != 200:
                raise httpx.HTTPError(f"status {answer.status_code}")
            batch, is_new = deliver(
                source=pull.source,
                file_name=f"pull-{pull.source}",
                chunks=_whole(answer),
                way=Batch.Way.PULL,
                by=pull.account,
                automatic=True,
            )
    except (httpx.HTTPError, FileRefused, ValidationError) as error:
        pull.failures += 1
        pull.is_active = pull.failures < MOST_FAILURES
        reason = "；".join(error.messages) if isinstance(error, ValidationError) else str(error)
        record_event("pulls.fail", by=pull.account, ref=pull.source, outcome="failed", error=reason[:200])
        return f"failed: {reason}" if pull.is_active else f"disabled after {pull.failures} failures: {reason}"
    pull.failures = 0
    if is_new:
        process_batch.enqueue(batch.pk)
    return f"batch {batch.pk}" if is_new else f"unchanged (batch {batch.pk})"


def _whole(answer: httpx.Response) -> Iterator[bytes]:
    """The body, and an error if it is shorter than announced or drips for too long."""
    announced, got, started = answer.headers.get("Content-Length"), 0, timezone.now()
    for chunk in answer.iter_raw() if announced else answer.iter_bytes():
        got += len(chunk)
        if timezone.now() - started > LONGEST_PULL:
            raise httpx.ReadTimeout("the answer took longer than five minutes")
        yield chunk
    if announced is not None and got != int(announced):
        raise httpx.RemoteProtocolError(f"the answer was cut off: {got} of {announced} bytes")


def start_due_runs() -> Iterator[str]:
    """Start the periodic run of each rulebook in force, once for each of its snapshot days."""
    by = _system_account()
    if by is None or not Batch.objects.filter(status=Batch.Status.COMMITTED).exists():
        return
    for pk, rulebook in law_in_force().releases:
        release = RulebookRelease.objects.get(pk=pk)
        due = rulebook.cycle.snapshot_on(timezone.localdate())
        same = Run.objects.filter(kind=Run.Kind.FULL, release__rulebook_id=release.rulebook_id, as_of__gte=due)
        with transaction.atomic():
            lock_ledger()  # two ticks at one time start one run
            if due < release.effective_from or same.exclude(status__in=[Run.Status.FAILED, Run.Status.CANCELLED]).exists():
                continue
            run = start_run(release, as_of=due, by=by)
        execute_run.enqueue(run.pk)
        yield f"started run {run.pk} of {rulebook.id} for {due}"


def follow_ends() -> Iterator[str]:
    """Re-evaluate at once those whose listing or other event-driven record has ended; resume such a run that was cut off."""
    by = _system_account()
    run = begin_after_ends(by) if by is not None else None
    if run is not None:
        evaluate_after_ends.enqueue(run.pk)
        yield f"started run {run.pk} after terms that ended"
    unfinished = (Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.DRAFT)
    before = timezone.now() - STALE_AFTER
    for stale in Run.objects.filter(trigger__startswith=TRIGGER, status__in=unfinished, created_at__lt=before):
        evaluate_after_ends.enqueue(stale.pk)
        yield f"resumed run {stale.pk} after terms that ended"


def sign() -> Iterator[str]:
    """A checkpoint if anything was added, shown to the witnesses."""
    made, unreached = sign_and_show()
    if made is not None:
        yield f"checkpoint at {made.size}"
    for name in unreached:
        yield f"not reached: {name}"


def compare_with_witnesses() -> Iterator[str]:
    """Compare the ledger with the checkpoints held outside; where it does not fit, publication stops."""
    for found in compare():
        yield f"publication stopped: {found.en}"


def sweep() -> Iterator[str]:
    """Remove what dead workers left: unfinished files and run folders that no run names, a day old."""
    before = timezone.now().timestamp() - timedelta(days=1).total_seconds()
    known = set(Run.objects.exclude(folder="").values_list("folder", flat=True))
    known |= {f"{name}-facts" for name in known}
    busy = {
        str(pk) for pk in Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING]).values_list("pk", flat=True)
    }
    var = Path(settings.VAR)
    removed = 0
    for path in [
        *var.glob("originals/.*.part"),
        *var.glob("staged/*.part"),
        *var.glob("segments/*.part"),
        *var.glob("runs/*"),
    ]:
        is_run = path.parent.name == "runs"
        if path.stat().st_mtime > before or (is_run and (path.name in known or path.name.split("-")[0] in busy)):
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        removed += 1
    removed += store.sweep(attachments.FOLDER, partial(_named_in, Attachment))
    removed += store.sweep(visit_reports.FOLDER, partial(_named_in, VisitPhoto))
    removed += store.sweep(progress.FOLDER, partial(_named_in, ProgressEntry))
    if removed:
        yield f"swept {removed} leftovers"


def _named_in(model: type[Attachment | VisitPhoto | ProgressEntry], hashes: list[str]) -> set[str]:
    """Return those of some hashes that a row of a model names."""
    found: set[str] = set()
    for start in range(0, len(hashes), TOGETHER):
        named = model.objects.filter(sha256__in=hashes[start : start + TOGETHER])
        found |= set(named.values_list("sha256", flat=True))
    return found
