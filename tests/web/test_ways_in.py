"""The other ways in: push with a key, a folder, a pull from a server that behaves badly on purpose."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from zhixin_web.collection import outgoing
from zhixin_web.collection.models import Batch, Client, Pull
from zhixin_web.jobs import tick as schedule
from zhixin_web.records.models import CreditRecord, Subject

KEY = "k" * 40


@pytest.fixture
def client_of_supervision(people: Any) -> Client:
    return Client.objects.create(
        name="业务系统",
        organisation=people["department"].organisation,
        account=people["department"],
        key_hash=hashlib.sha256(KEY.encode()).hexdigest(),
    )


def _push(content: str, *, key: str = KEY, source: str = "penalties", idempotency: str = "delivery-1") -> Any:
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key}", "HTTP_IDEMPOTENCY_KEY": idempotency}
    return Browser().post(f"/api/v1/deliveries?source={source}", content.encode(), content_type="text/csv", **headers)


def test_push_takes_a_delivery_and_gives_its_receipt(
    client_of_supervision: Client, subjects: list[Subject], penalty: Any
) -> None:
    content = penalty((subjects[0].code, subjects[0].name, "罚1"), ("", "无名", "罚2"))
    answer = _push(content)
    assert answer.status_code == 202
    receipt = Browser().get(answer.json()["receipt"], HTTP_AUTHORIZATION=f"Bearer {KEY}").json()
    assert (receipt["status"], receipt["accepted"], receipt["quarantined"]) == ("committed", 1, 1)
    assert [row["outcome"] for row in receipt["lines"]] == ["accepted", "quarantined"]


def test_push_again_with_the_same_key_changes_nothing(
    client_of_supervision: Client, subjects: list[Subject], penalty: Any
) -> None:
    content = penalty((subjects[0].code, subjects[0].name, "罚1"))
    first, again = _push(content), _push(content)
    assert (first.json()["batch"], again.status_code) == (again.json()["batch"], 200)
    assert CreditRecord.objects.count() == 1
    assert _push(content + "\n\n", idempotency="delivery-1").status_code == 409


@pytest.mark.parametrize(
    ("key", "source", "idempotency", "status"),
    [
        ("x", "penalties", "delivery-1", 401),
        (KEY, "judgments", "delivery-1", 403),
        (KEY, "nothing", "delivery-1", 403),
        (KEY, "penalties", "short", 422),
    ],
)
def test_push_is_refused_with_a_reason(
    client_of_supervision: Client, subjects: Any, penalty: Any, key: str, source: str, idempotency: str, status: int
) -> None:
    answer = _push(penalty(("", "x", "1")), key=key, source=source, idempotency=idempotency)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["title_zh"]
    assert Batch.objects.filter(way="push").count() == 0


def test_a_push_that_is_no_table_is_refused(client_of_supervision: Client) -> None:
    answer = Browser().post(
        "/api/v1/deliveries?source=penalties",
        b"%PDF-1.7 ...",
        content_type="application/pdf",
        HTTP_AUTHORIZATION=f"Bearer {KEY}",
        HTTP_IDEMPOTENCY_KEY="delivery-1",
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:zhixin:file.kind")


def test_a_client_reads_receipts_of_its_own_sources_only(client_of_supervision: Client, subjects: Any, take: Any) -> None:
    other = take("judgments", "案号,企业名称,裁判结果,审理法院,裁判日期\n1,x,侵权败诉,y,2026-01-01")
    assert Browser().get(f"/api/v1/deliveries/{other.pk}", HTTP_AUTHORIZATION=f"Bearer {KEY}").status_code == 404


def _drop(source: str, name: str, content: bytes, age: float = 60) -> Path:
    folder = schedule.inbox() / source
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_a_file_dropped_in_the_folder_is_taken_once(subjects: list[Subject], penalty: Any) -> None:
    path = _drop("penalties", "a.csv", penalty((subjects[0].code, subjects[0].name, "罚1")).encode())
    assert len(list(schedule.take_folders())) == 1
    assert (path.exists(), len(list((path.parent / "taken").iterdir()))) == (False, 1)
    assert Batch.objects.get(way="folder").status == "committed"
    assert list(schedule.take_folders()) == []


def test_a_file_still_being_written_is_left(subjects: list[Subject]) -> None:
    path = _drop("penalties", "a.csv", b"x", age=1)
    assert list(schedule.take_folders()) == []
    assert path.exists()


def test_a_dropped_file_that_is_no_table_is_put_aside_with_a_note(subjects: list[Subject]) -> None:
    path = _drop("penalties", "a.pdf", b"%PDF-1.7")
    list(schedule.take_folders())
    assert {item.name for item in (path.parent / "refused").iterdir()} > {"a.pdf.txt"}


class BadServer(BaseHTTPRequestHandler):
    """Answers by path: good, empty, error, redirect, cut off, slow, wrong type."""

    content = b""

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        if kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.content) + 100))
            self.end_headers()
            self.wfile.write(self.content)
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if kind == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if kind == "slow":
            time.sleep(1.5)
        status = {"empty": 204, "error": 500, "redirect": 302, "busy": 429}.get(kind, 200)
        body = {"page": b"<html>sign in</html>", "pdf": b"%PDF-1.7"}.get(kind, self.content) if status == 200 else b""
        self.send_response(status)
        if kind == "redirect":
            self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(subjects: list[Subject], penalty: Any, settings: Any) -> Iterator[str]:
    settings.OUTGOING_NETWORKS = [ip_network("127.0.0.0/8")]
    BadServer.content = penalty((subjects[0].code, subjects[0].name, "罚1")).encode()
    running = ThreadingHTTPServer(("127.0.0.1", 0), BadServer)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def _pull(people: Any, address: str) -> Pull:
    return Pull.objects.create(source="penalties", address=address, next_at=timezone.now(), account=people["city"])


def test_a_good_pull_is_taken_in_and_the_next_unchanged_one_is_not(people: Any, server: str) -> None:
    pull = _pull(people, f"{server}/good")
    assert "batch" in next(schedule.take_pulls())
    Pull.objects.update(next_at=timezone.now())
    assert "unchanged" in next(schedule.take_pulls())
    pull.refresh_from_db()
    assert (pull.failures, Batch.objects.filter(way="pull").count(), CreditRecord.objects.count()) == (0, 1, 1)


@pytest.mark.parametrize("kind", ["cut", "drop", "error", "redirect", "busy", "slow", "pdf", "page"])
def test_a_bad_answer_takes_nothing_in_and_waits(people: Any, server: str, kind: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT", 0.5)
    pull = _pull(people, f"{server}/{kind}")
    assert "failed" in next(schedule.take_pulls())
    pull.refresh_from_db()
    assert (pull.failures, Batch.objects.filter(way="pull").count()) == (1, 0)
    assert pull.next_at > timezone.now()


def test_the_clock_starts_the_monthly_run_once(subjects: Any, release: Any, people: Any) -> None:
    assert len(list(schedule.start_due_runs())) == 1
    assert list(schedule.start_due_runs()) == []
