"""A pull reaches what the operator allows and the public network, in no spelling anything else; it shows no credential."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from zhixin_web.audit.models import Event
from zhixin_web.collection import outgoing
from zhixin_web.collection.models import Pull
from zhixin_web.collection.services.ways import schedule_pull
from zhixin_web.jobs import tick
from zhixin_web.workspace.desk import tasks_of

pytestmark = pytest.mark.django_db
PUBLIC = "93.184.216.34"
INSIDE = [
    "127.0.0.1", "127.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]",
    "[fe80::1]", "[fd00::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:7f00:1:0:0:80ff:fffe]",
    "[64:ff9b:1::7f00:1]", "[::7f00:1]", "[::ffff:0:7f00:1]", "[fec0::1]", "[5f00::1]", "[4000::1]", "[100::1]",
]  # fmt: skip
"""Ways to write an address of the house: loopback, private, link-local, metadata, shared, multicast; IPv4 inside IPv6."""


def resolving_to(monkeypatch: Any, *answers: str) -> list[str]:
    """Let every name resolve to the next of these addresses; return the names that were asked."""
    asked: list[str] = []
    left = list(answers)

    def resolve(host: str, port: int, *_more: Any, **_options: Any) -> list[Any]:
        asked.append(host)
        if host[0].isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0) if len(left) > 1 else left[0], port))]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_of_the_house_is_refused_in_every_spelling(host: str, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = []
    with pytest.raises(ValidationError):
        outgoing.checked(f"http://{host}/x")


@pytest.mark.parametrize("host", [PUBLIC, "[2606:4700::1111]", "[64:ff9b::5db8:d822]"])
def test_a_public_address_is_allowed_as_a_number(host: str, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = []
    assert str(outgoing.checked(f"http://{host}/x").ip) == host.strip("[]")


@pytest.mark.parametrize("host", INSIDE)
def test_it_is_refused_when_the_pull_is_saved(host: str, people: Any, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = []
    with pytest.raises(ValidationError):
        schedule_pull(source="penalties", address=f"http://{host}/x", every_minutes="5", is_active=True, by=people["city"])
    assert not Pull.objects.exists()


@pytest.mark.parametrize(
    "address", ["ftp://example.com/", "file:///etc/passwd", "//example.com", "http://", "http://u:p@example.com/", "http://u@example.com/", "gopher://x"]
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(address: str, monkeypatch: Any) -> None:
    resolving_to(monkeypatch, PUBLIC)
    with pytest.raises(ValidationError):
        outgoing.checked(address)


def test_a_public_address_is_allowed(monkeypatch: Any) -> None:
    resolving_to(monkeypatch, PUBLIC)
    assert str(outgoing.checked("https://data.example.cn/x").ip) == PUBLIC


def test_one_inner_answer_among_public_ones_refuses_the_name(monkeypatch: Any) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in (PUBLIC, "10.0.0.1")]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(ValidationError):
        outgoing.checked("http://data.example.cn/x")


@pytest.mark.parametrize(("ip", "is_allowed"), [("10.1.255.255", True), ("10.2.0.0", False), ("10.0.255.255", False)])
def test_the_operator_allows_a_network_of_the_house(ip: str, is_allowed: bool, settings: Any) -> None:
    settings.OUTGOING_NETWORKS = [ip_network("10.1.0.0/16")]
    if is_allowed:
        outgoing.checked(f"http://{ip}/")
    else:
        with pytest.raises(ValidationError):
            outgoing.checked(f"http://{ip}/")


class Recording(BaseHTTPRequestHandler):
    """Keeps the headers it was sent; ``/away`` redirects to the metadata service."""

    seen: list[dict[str, str]] = []

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        self.send_response(302 if self.path == "/away" else 200)
        if self.path == "/away":
            self.send_header("Location", "http://169.254.169.254/latest")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(settings: Any) -> Iterator[int]:
    settings.OUTGOING_NETWORKS = [ip_network("127.0.0.1/32")]
    Recording.seen = []
    running = HTTPServer(("127.0.0.1", 0), Recording)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running.server_port
    running.shutdown()
    running.server_close()


def test_the_connection_goes_to_the_address_that_was_checked(server: int, monkeypatch: Any) -> None:
    asked = resolving_to(monkeypatch, "127.0.0.1", "10.0.0.1")  # another answer the second time: rebinding
    with outgoing.fetched(f"http://data.example.cn:{server}/x") as answer:
        assert answer.status_code == 200
    assert asked[0] == "data.example.cn"
    assert "data.example.cn" not in asked[1:]
    assert Recording.seen[0]["Host"] == f"data.example.cn:{server}"


def test_a_redirect_is_not_followed(server: int, people: Any) -> None:
    pull = Pull(
        source="penalties", address=f"http://127.0.0.1:{server}/away", next_at=timezone.now(), account=people["city"]
    )
    assert "failed" in tick.fetch(pull)
    assert len(Recording.seen) == 1


def test_proxies_of_the_environment_are_not_used(server: int, monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with outgoing.fetched(f"http://127.0.0.1:{server}/x") as answer:
        assert answer.status_code == 200


def test_a_credential_is_sent_and_shown_nowhere(server: int, people: Any, browser_of: Any) -> None:
    secret = "Bearer fictional-4711"
    pull = schedule_pull(
        source="penalties", address=f"http://127.0.0.1:{server}/x", every_minutes="5", is_active=True, by=people["city"], credential=secret,
    )  # fmt: skip
    tick.fetch(pull)
    assert Recording.seen[0]["Authorization"] == secret
    assert secret not in str(Pull.objects.values_list()[0])
    assert "4711" not in " ".join(str(row) for row in Event.objects.values_list())
    assert "4711" not in browser_of("city").get("/c/ways").content.decode()


@pytest.mark.parametrize(("address", "is_kept"), [("http://127.0.0.1:{0}/other", True), ("http://127.0.0.2:{0}/x", False)])
def test_what_one_host_is_trusted_with_is_not_shown_to_another(
    server: int, people: Any, settings: Any, address: str, is_kept: bool
) -> None:
    settings.OUTGOING_NETWORKS = [ip_network("127.0.0.0/8")]
    saved = {"source": "penalties", "every_minutes": "5", "is_active": True, "by": people["city"]}
    schedule_pull(address=f"http://127.0.0.1:{server}/x", credential="Bearer x", **saved)
    pull = schedule_pull(address=address.format(server), **saved)
    assert bool(pull.credential) == is_kept


def test_a_credential_under_another_secret_is_asked_for_again(settings: Any) -> None:
    kept = outgoing.sealed("Bearer x")
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(ValidationError):
        outgoing.opened(kept)


@pytest.mark.parametrize(("failures", "is_active"), [(10, True), (11, False), (12, False)])
def test_a_pull_that_fails_again_and_again_is_disabled_and_waits_on_the_desk(
    people: Any, settings: Any, failures: int, is_active: bool
) -> None:
    settings.OUTGOING_NETWORKS = []
    Pull.objects.create(
        source="penalties", address="http://127.0.0.1:9/", next_at=timezone.now(), account=people["city"], failures=failures
    )
    list(tick.take_pulls())
    assert Pull.objects.get().is_active == is_active
    waiting = [item.title for item in tasks_of(people["city"])]
    assert ("定时拉取已停用" in waiting) == (not is_active)
