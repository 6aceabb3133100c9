"""Push of deliveries: ``POST /api/v1/deliveries?source=…`` with a bearer key and an Idempotency-Key."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from zhixin.dataset.delivery.refusals import FileRefused
from zhixin.dataset.delivery.table import CHUNK
from zhixin_web.accounts.permissions import ANYONE, permitted
from zhixin_web.audit.services.events import record_event
from zhixin_web.collection.models import Batch, Client
from zhixin_web.collection.receipts import receipt, waits_for
from zhixin_web.collection.scope import visible_batches, visible_sources
from zhixin_web.collection.services import batches as services
from zhixin_web.evaluations.tasks import process_batch

PROBLEM = "application/problem+json"


def problem(status: int, code: str, zh: str, en: str) -> JsonResponse:
    """An error as problem+json (RFC 9457), in both languages."""
    content = {"type": f"urn:zhixin:{code}", "title": en, "title_zh": zh, "status": status}
    return JsonResponse(content, status=status, content_type=PROBLEM, json_dumps_params={"ensure_ascii": False})


def _client(request: HttpRequest) -> Client | None:
    """The client behind a bearer key; only its hash is stored."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return None
    hashed = hashlib.sha256(key.encode()).hexdigest()
    return (
        Client.objects.select_related("account__organisation")
        .filter(key_hash=hashed, is_active=True, account__is_active=True)
        .first()
    )


@permitted(ANYONE)
@csrf_exempt
@require_POST
def deliveries(request: HttpRequest) -> JsonResponse:
    """Take a delivery. The body is the file (CSV, xls, xlsx, ods); the answer is 202 with the batch, or the earlier one."""
    client = _client(request)
    if client is None:
        return problem(401, "unauthenticated", "接口密钥缺失或无效", "the key is missing or not valid")
    source, key = request.GET.get("source", ""), request.headers.get("Idempotency-Key", "")
    if source not in visible_sources(client.account, "batches.deliver"):
        return problem(403, "source", f"无权向来源「{source}」提交", f"not allowed to deliver to {source!r}")
    if not 8 <= len(key) <= 100:
        return problem(
            422, "idempotency_key", "请给出 8 至 100 字的 Idempotency-Key", "give an Idempotency-Key of 8 to 100 characters"
        )
    try:
        batch, is_new = services.deliver(
            source=source, file_name=request.headers.get("X-File-Name", "push"), chunks=iter(lambda: request.read(CHUNK), b""),
            way=Batch.Way.PUSH, by=client.account, automatic=True, idempotency_key=f"{client.pk}:{key}",
        )  # fmt: skip
    except services.KeyConflict:
        return problem(
            409, "idempotency_conflict", "该幂等键已用于另一份数据", "this idempotency key was used for other data"
        )
    except FileRefused as refused:
        return problem(
            422, refused.rule, f"{refused.message.zh}；{refused.remedy.zh}", f"{refused.message.en}; {refused.remedy.en}"
        )
    if is_new:
        process_batch.enqueue(batch.pk)
    batch.refresh_from_db()
    content = {"batch": batch.pk, "status": batch.status, "receipt": f"/api/v1/deliveries/{batch.pk}"}
    return JsonResponse(
        content | {"waits_for": waits_for(batch)}, status=202 if is_new else 200, json_dumps_params={"ensure_ascii": False}
    )


@permitted(ANYONE)
@require_GET
def delivery(request: HttpRequest, pk: int) -> JsonResponse:
    """The receipt of a delivery of this client's organisation."""
    client = _client(request)
    if client is None:
        return problem(401, "unauthenticated", "接口密钥缺失或无效", "the key is missing or not valid")
    found: Any = visible_batches(client.account).filter(pk=pk).first()
    if found is None:
        return problem(404, "batch", "没有这个批次", "there is no such batch")
    record_event("batches.receipt", by=client.account, ref=f"batch:{pk}")
    return JsonResponse(receipt(found), json_dumps_params={"ensure_ascii": False})
