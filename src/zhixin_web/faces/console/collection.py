"""Pages of collection: sources and freshness, upload and paste, batch, receipt, quarantine, matching desk, pulls."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.units import unit_name, without_unit
from zhixin.dataset.sources import SourceField, SourceManifest, sources
from zhixin_web.accounts.permissions import StaffRequest, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.collection.matching import MATCHABLE, candidates
from zhixin_web.collection.models import Batch, QuarantinedRow
from zhixin_web.collection.queries import progress_of
from zhixin_web.collection.receipts import receipt, receipt_workbook
from zhixin_web.collection.scope import visible_batches, visible_rows, visible_sources
from zhixin_web.collection.services import batches as services
from zhixin_web.collection.services.correction import discard_rows, mend_row
from zhixin_web.collection.template_workbook import template_workbook
from zhixin_web.evaluations.preflight import freshness
from zhixin_web.evaluations.services.reevaluate_after_batch import undo_batch
from zhixin_web.evaluations.tasks import process_batch
from zhixin_web.presentation import asked
from zhixin_web.presentation.language import in_english
from zhixin_web.presentation.paging import page_of
from zhixin_web.presentation.refusals import refusals_shown
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.law_in_force import law_in_force

DAYS_SHOWN = 14
DAYS, LINE = ("date", "date_or_open"), 60
PLAIN_TYPES = ("text", "set")
SEPARATORS = {",": ",", ";": ";", "\t": "Tab", "|": "|"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _manifest(request: StaffRequest, source: str, action: str = "sources.view") -> SourceManifest:
    found = visible_sources(request.user, action).get(source)
    if found is None:
        raise Http404
    return found


@permitted("sources.view")
@require_GET
def sources_page(request: StaffRequest) -> HttpResponse:
    """The grid source × day, and which source is stale."""
    mine = visible_sources(request.user)
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(DAYS_SHOWN)]
    taken: dict[tuple[str, Any], int] = {}
    recent = Batch.objects.filter(status=Batch.Status.COMMITTED, committed_at__date__gte=days[-1]).values_list(
        "source", "committed_at", "rows"
    )
    for source, at, rows in recent:
        key = (source, timezone.localdate(at))
        taken[key] = taken.get(key, 0) + rows
    grid = [
        {**item, "days": [(day, taken.get((item["source"].id, day), 0)) for day in days]}
        for item in freshness()
        if item["source"].id in mine
    ]
    return render(request, "sources.html", {"grid": grid, "days": days})


@permitted("sources.view")
@require_GET
def source_page(request: StaffRequest, source: str) -> HttpResponse:
    """One source: owner, basis, fields, code lists, its batches, and the ways to deliver."""
    manifest = _manifest(request, source)
    fields = [(item, manifest.choices(item)) for item in manifest.fields]
    batches = visible_batches(request.user).filter(source=source).select_related("by").order_by("-pk")
    law = law_in_force()
    content = {
        "manifest": manifest, "fields": fields, "page": page_of(request, batches, 20),
        "basis": law.source_basis(source), "rule": law.sources[source][0] if source in law.sources else None,
    }  # fmt: skip
    return render(request, "source.html", content)


@permitted("sources.view")
@require_GET
def template(request: StaffRequest, source: str) -> HttpResponse:
    """The empty workbook of a source."""
    manifest = _manifest(request, source)
    return _attachment(template_workbook(manifest), f"{source}.xlsx", XLSX)


def _attachment(content: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@permitted("batches.deliver")
@require_POST
def upload(request: StaffRequest, source: str) -> HttpResponse:
    """Take a file, or pasted cells, and open its batch."""
    _manifest(request, source, "batches.deliver")
    file, pasted = request.FILES.get("file"), request.POST.get("cells", "")
    if file is None and not pasted.strip():
        messages.error(request, _("请选择文件，或粘贴表格内容（含表头）"))
        return redirect("source", source=source)
    try:
        batch, is_new = services.deliver(
            source=source, file_name=(file.name or "") if file else "paste.csv", chunks=file.chunks() if file else [pasted_csv(pasted)],
            way=Batch.Way.UPLOAD if file else Batch.Way.PASTE, by=request.user, is_correction=bool(request.POST.get("is_correction")),
        )  # fmt: skip
    except FileRefused as refused:
        record_event("batches.deliver", request=request, ref=source, outcome="refused", rule=refused.rule)
        return render(request, "file_refused.html", {"fault": refused.as_json(), "source": source}, status=422)
    if is_new:
        process_batch.enqueue(batch.pk)
    else:
        messages.warning(request, _("这份文件已经提交过，下面是当时的批次"))
    return redirect("batch", pk=batch.pk)


def pasted_csv(text: str) -> bytes:
    """Cells pasted from a spreadsheet (tabs between them) as CSV; commas are taken as they are."""
    if "\t" not in text:
        return text.encode("utf-8", "replace")
    lines, buffer = text.splitlines(), io.StringIO()
    quoting: Any = (
        csv.QUOTE_MINIMAL if text.count('"') % 2 == 0 else csv.QUOTE_NONE
    )  # a lone quote is an inch, not a bracket
    csv.writer(buffer).writerows(csv.reader(lines, delimiter="\t", quoting=quoting))
    return buffer.getvalue().encode("utf-8", "replace")


def _batch(request: StaffRequest, pk: int, action: str = "batches.view") -> Batch:
    return get_object_or_404(visible_batches(request.user, action).select_related("by", "committed_by", "supersedes"), pk=pk)


@permitted("batches.view")
@require_GET
def batches_page(request: StaffRequest) -> HttpResponse:
    """All batches, newest first, by state."""
    found = visible_batches(request.user).select_related("by").order_by("-pk")
    state = request.GET.get("status", "")
    if state in Batch.Status.values:
        found = found.filter(status=state)
    return render(request, "batches.html", {"page": page_of(request, found), "states": Batch.Status.choices, "state": state})


@permitted("batches.view")
@require_GET
def batch_page(request: StaffRequest, pk: int) -> HttpResponse:
    """What a batch waits for, and afterwards its receipt. Polled while a worker is on it."""
    batch = _batch(request, pk)
    manifest = visible_sources(request.user, "batches.view").get(batch.source)
    rows = batch.quarantine.order_by("line") if batch.status in (Batch.Status.COMMITTED, Batch.Status.UNDONE) else []
    columns = [(int(index), name) for index, name in batch.preview.get("columns", {}).items()]
    mapped = dict(columns)
    header = [(text, mapped.get(index, "")) for index, text in enumerate(batch.preview.get("header", []))]
    titles = {item.id: item.title for item in manifest.fields} if manifest else {}
    written = {name: text for text, name in header}
    content = {
        "batch": batch, "manifest": manifest, "page": page_of(request, rows) if rows else None, "header": header, "titles": titles,
        "missing": [titles.get(name, name) for name in batch.preview.get("missing", [])], "progress": progress_of(batch),
        "units": [(written.get(name, name), unit_name(unit)) for name, unit in batch.preview.get("units", {}).items()],
        "separator": SEPARATORS.get(batch.preview.get("delimiter", "")), "understood": _understood(batch, manifest),
    }  # fmt: skip
    return render(request, "batch_state.html" if request.headers.get("HX-Request") else "batch.html", content)


def _understood(batch: Batch, manifest: SourceManifest | None) -> dict[str, Any] | None:
    """The first rows as the system reads them: who, which document, and every field with a unit, a day or a list of codes."""
    rows = batch.preview.get("understood", [])
    if manifest is None or not rows:
        return None
    shown = [item for item in manifest.fields if item.type not in PLAIN_TYPES or item.to == "document"]
    shown = [item for item in shown if any(item.id in row["cells"] for row in rows)]
    cells = [(row["line"], [row["cells"].get(item.id, "") for item in shown]) for row in rows]
    return {"titles": [item.title for item in shown], "rows": cells}


@permitted("batches.deliver")
@require_POST
def map_columns(request: StaffRequest, pk: int) -> HttpResponse:
    """Take the person's word on the columns and on what the file leaves open, and check the rows again."""
    batch = _batch(request, pk, "batches.deliver")
    known = {item.id for item in _manifest(request, batch.source, "batches.deliver").fields}
    mapping = {}
    for index, text in enumerate(batch.preview.get("header", [])):
        chosen = request.POST.get(f"column_{index}", "")
        mapping[text] = chosen if chosen in known else ""
    asked = [question["id"] for question in batch.preview.get("questions", [])]
    answers = {name: request.POST[f"answer_{name}"] for name in asked if request.POST.get(f"answer_{name}")}
    if batch.status in (Batch.Status.MAPPING, Batch.Status.STAGED, Batch.Status.HELD):
        services.map_columns(batch, mapping, request.user, answers)
        process_batch.enqueue(batch.pk)
    return redirect("batch", pk=pk)


@permitted("batches.deliver")
@require_POST
def commit(request: StaffRequest, pk: int) -> HttpResponse:
    """Take a staged batch in; one that waits because of its volume needs a city officer."""
    batch = _batch(request, pk, "batches.deliver")
    from zhixin_web.accounts.permissions import may

    if batch.status == Batch.Status.HELD and not may(request.user, "batches.release_hold"):
        messages.error(request, _("数量异常的批次须由市局确认"))
    elif services.request_commit(batch, request.user):
        process_batch.enqueue(batch.pk)
    return redirect("batch", pk=pk)


@permitted("batches.deliver")
@require_POST
def send_back(request: StaffRequest, pk: int) -> HttpResponse:
    """Refuse a batch that was not taken in yet."""
    services.refuse_batch(
        _batch(request, pk, "batches.deliver"), request.POST.get("reason", "").strip()[:200] or "—", request.user
    )
    return redirect("batch", pk=pk)


@permitted("batches.undo")
@require_POST
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Take a committed batch back, while no released run has used it."""
    batch, reason = _batch(request, pk, "batches.undo"), request.POST.get("reason", "").strip()[:200]
    if not reason:
        messages.error(request, _("请填写撤回理由"))
        return redirect("batch", pk=pk)
    with refusals_shown(request):
        undo_batch(batch, request.user, reason)
        messages.success(request, _("批次已撤回"))
    return redirect("batch", pk=pk)


@permitted("batches.view")
@require_GET
def download_receipt(request: StaffRequest, pk: int, form: str) -> HttpResponse:
    """The receipt as JSON or as a workbook with comments."""
    batch = _batch(request, pk)
    if form == "json":
        return JsonResponse(receipt(batch), json_dumps_params={"ensure_ascii": False})
    return _attachment(receipt_workbook(batch, in_english()), f"receipt-{batch.pk}.xlsx", XLSX)


@permitted("batches.view")
@require_GET
def original(request: StaffRequest, pk: int) -> HttpResponse:
    """The bytes as they came; they may hold personal data, so reading them is an audit event."""
    from zhixin_web.collection.originals import original_path

    batch = _batch(request, pk)
    record_event("batches.original", request=request, ref=f"batch:{batch.pk}")
    return _attachment(
        original_path(batch.sha256, batch.suffix).read_bytes(), f"batch-{batch.pk}{batch.suffix}", "application/octet-stream"
    )


@permitted("batches.view")
@require_GET
def quarantine(request: StaffRequest) -> HttpResponse:
    """Open quarantined rows, by rule."""
    rows = visible_rows(request.user).filter(status=QuarantinedRow.Status.OPEN)
    rules = sorted(set(rows.values_list("rule", flat=True)))
    rule = request.GET.get("rule", "")
    if rule in rules:
        rows = rows.filter(rule=rule)
    return render(request, "quarantine.html", {"page": page_of(request, rows.order_by("-pk")), "rules": rules, "rule": rule})


@permitted("quarantine.fix")
@require_POST
def discard(request: StaffRequest) -> HttpResponse:
    """Leave the chosen rows out for good, with the reason."""
    chosen = [asked.key(value) for value in request.POST.getlist("row")]
    rows = list(visible_rows(request.user, "quarantine.fix").filter(pk__in=chosen))
    if not rows:
        messages.error(request, _("请先选择要处理的行"))
        return redirect("quarantine")
    with refusals_shown(request):
        count = discard_rows(rows, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, _("已决定不予入库：%(count)s 行") % {"count": count})
        return redirect("quarantine")
    return redirect("quarantine")


@permitted("quarantine.fix")
def quarantined_row(request: StaffRequest, pk: int) -> HttpResponse:
    """Mend a refused row in place and submit it again."""
    row = get_object_or_404(visible_rows(request.user, "quarantine.fix"), pk=pk)
    manifest = visible_sources(request.user, "quarantine.fix")[row.batch.source]
    faults, cells = row.faults, row.cells
    if request.method == "POST" and row.status == QuarantinedRow.Status.OPEN:
        typed = {item.id: request.POST.get(item.id, "")[:6000] for item in manifest.fields}
        cells = {name: text.replace("\r\n", "\n") for name, text in typed.items()}  # as a browser sends line breaks
        try:
            faults = mend_row(row, cells, request.user)
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("row", pk=pk)
        if not faults:
            process_batch.enqueue(row.batch_id)
            messages.success(request, _("已更正并入库"))
            return redirect("batch", pk=row.batch_id)
    content = {"row": row, "manifest": manifest, "fields": _mended_fields(row, cells, faults), "faults": faults}
    return render(request, "row.html", content, status=422 if request.method == "POST" else 200)


@dataclass(frozen=True)
class MendedField:
    """A field of the form that mends a row.

    Attributes:
        choices: value and title of each thing it may hold; empty: anything.
        is_day: whether a day field can show the value; one that is no day stays to be read as it came.
        is_long: whether the value needs more than a line.
    """

    id: str
    title: str
    type: str
    required: bool
    value: str
    choices: tuple[tuple[str, str], ...]
    fault: dict[str, Any] | None

    @property
    def is_day(self) -> bool:
        return self.type in DAYS and (not self.value or asked.day(self.value) is not None)

    @property
    def is_long(self) -> bool:
        return "\n" in self.value or len(self.value) > LINE

    @property
    def is_offered(self) -> bool:
        return self.value in dict(self.choices)


def _mended_fields(row: QuarantinedRow, cells: dict[str, Any], faults: Sequence[dict[str, Any]]) -> list[MendedField]:
    """Return the fields of a row, those to correct first; amounts under the unit of the file's column."""
    manifest, units = sources()[row.batch.source], row.batch.preview.get("units", {})
    by_field = {fault["field"]: fault for fault in reversed(faults)}
    found = []
    for item in manifest.fields:
        unit = units.get(item.id)
        title = f"{without_unit(item.title)}（{unit_name(int(unit))}）" if unit else item.title
        choices = (
            tuple((value, _choice_title(value, item)) for value in manifest.choices(item)) if item.type == "category" else ()
        )
        value = str(cells.get(item.id) or "")
        found.append(MendedField(item.id, title, item.type, item.required, value, choices, by_field.get(item.id)))
    return sorted(found, key=lambda field: field.fault is None)


def _choice_title(value: str, item: SourceField) -> str:
    title = item.values.get(value, value)
    return value if title == value else f"{value} {title}"


@permitted("matching.decide")
@require_GET
def match(request: StaffRequest) -> HttpResponse:
    """Rows whose subject is not certain, each with candidates; a person confirms."""
    rows = visible_rows(request.user).filter(status=QuarantinedRow.Status.OPEN, rule__in=MATCHABLE).order_by("pk")
    page = page_of(request, rows, 10)
    return render(request, "match.html", {"page": page, "pairs": [(row, candidates(row)) for row in page.items]})


@permitted("matching.decide")
@require_POST
def confirm_match(request: StaffRequest, pk: int) -> HttpResponse:
    """This row is about that subject."""
    row = get_object_or_404(visible_rows(request.user), pk=pk)
    subject = get_object_or_404(Subject, code=request.POST.get("code", ""))
    faults = mend_row(row, row.cells | {"subject_id": subject.code}, request.user, is_confirmed=True)
    if faults:
        messages.warning(
            request, _("主体已确认，但该行还有其他问题：") + (faults[0]["en"] if in_english() else faults[0]["zh"])
        )
        return redirect("row", pk=pk)
    process_batch.enqueue(row.batch_id)
    record_event("matching.confirm", request=request, ref=f"batch:{row.batch_id}/{row.line}", subject=subject.code)
    messages.success(request, _("已确认主体并入库"))
    return redirect("match")
