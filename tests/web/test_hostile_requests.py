"""Whatever is sent to any address by anybody: no failure, no way out to another host, no answer that takes long.

Addresses come from the URL resolver. What each view reads comes from its source (query keys, form fields, files, headers,
cookies); what it takes for valid comes from the links and forms of the pages themselves. A case takes one of these inputs,
gives it a hostile value, fills the others with valid ones, and is undone in the database afterwards.
"""

from __future__ import annotations

import ast
import inspect
import io
import logging
import os
import random
import re
import signal
import textwrap
import threading
import time
import traceback
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from html.parser import HTMLParser
from itertools import count, cycle, islice
from types import FrameType
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qsl, quote_from_bytes, urljoin, urlsplit

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client as Browser
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks.signals import task_finished
from PIL import Image

from web.test_duties import PLAN, answer, claim, in_force, meeting
from zhixin.law.loading import loads_rulebook
from zhixin.law.procedures import procedures
from zhixin.reference.commitment_forms import commitment_forms
from zhixin_web.accounts.demonstration_people import PASSWORD
from zhixin_web.accounts.models import Mandate, Organisation, User
from zhixin_web.accounts.permissions import ANYONE, SIGNED_IN, may
from zhixin_web.audit.services.checkpoints import make_checkpoint
from zhixin_web.cases.queries import disputed_keys
from zhixin_web.cases.services.attachments import attach
from zhixin_web.cases.services.drafts import begin, keep_words
from zhixin_web.cases.services.filing import open_case
from zhixin_web.cases.services.grounds import conducts
from zhixin_web.cases.services.listing import penalties_of
from zhixin_web.cases.services.reports import file_report
from zhixin_web.cases.services.transitions import carry_out
from zhixin_web.collection.services import batches as batch_services
from zhixin_web.collection.services.ways import open_client, schedule_pull
from zhixin_web.commitments.services.checking import check
from zhixin_web.commitments.services.signing import sign
from zhixin_web.duties.models import PlanVersion
from zhixin_web.duties.services import plans as work_plans
from zhixin_web.duties.services.papers import issue_weekly, weeks
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services.orders import decide_order, propose_order
from zhixin_web.evaluations.services.runs import execute, start_run
from zhixin_web.governance.forms import with_numbers
from zhixin_web.governance.models import Consultation, Draft
from zhixin_web.governance.services.consultations import file_comment, open_consultation, reply_comment
from zhixin_web.governance.services.drafts import start_what_if
from zhixin_web.governance.services.panels import open_panel, save_sheet
from zhixin_web.governance.what_if import do_what_if
from zhixin_web.inspections.models import Inspector, Plan, Task
from zhixin_web.inspections.services.draws import commit_draw, enter_numbers, publish_draw
from zhixin_web.inspections.services.plans import decide_plan, make_plan, propose_plan
from zhixin_web.measures.services.imposing import impose
from zhixin_web.papers.models import Paper
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services.approval import propose_rulebook
from zhixin_web.workspace.services.notes import add_note, save_view, tag_subjects

SEED = 20260331
FEW, MANY = 500 if "DATABASE_URL" in os.environ else 2_000, 50_000
LONGEST_SECONDS = 2.0
HANGS_AFTER_SECONDS = 30.0
HOST = "testserver"
ANONYMOUS, PROGRAM = "anonymous", "program"
People = dict[str, User]
ROLES = ("city", "approver", "district", "inspector", "department", "enterprise", "auditor", "security", "system")
MOST_FIELDS = 12
"""Fields of one form that are attacked; a draft's form has hundreds of the same sort."""

# --- what is sent ---------------------------------------------------------------------------------------------------------


class Upload(NamedTuple):
    """A file of a form."""

    name: str
    content: bytes


Value = bytes | Upload


def encoded(text: str) -> bytes:
    """A text as bytes, also where it is not Unicode."""
    return text.encode("utf-8", "surrogatepass")


BLANK = ["", " ", "\u3000\t\u200b", "\r\n"]
NUMBERS = ["²", "abc", "-1", "1e9", "9" * 20, "9" * 5_000, "NaN", "Infinity", "0", "2147483648", "9223372036854775807", "9223372036854775808", "00", "٣", "１２", "+1", "1_0", "0x10", "1.5", " 1 ", "1,000", "½"]  # fmt: skip
DAYS = ["2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "2026-W01-1", "20260131", "2026-1-1", "2026-01-31T00:00", "2026-01-3²", "today"]  # fmt: skip
ADDRESSES = ["abc", "//evil.example", "a\x00b", "http://evil.example/", "/\\evil.example", "///evil.example", "https:evil.example", "javascript:alert(1)", "http://evil.example\\@testserver/", "\thttp://evil.example", "/c/\r\nX-Evil: 1", "http://[::1", "http://testserver:x/", "../../etc/passwd", "?", "#"]  # fmt: skip
TEXTS = [
    "a\x00b", "²", "\ud800", "\x00", "郑" * 34_000, "😀👨‍👩‍👧‍👦🏳️‍🌈", "\u202e\ufeff\uffff", "<script>alert(1)</script>", "' OR 1=1 --", "\"; DROP TABLE records_subject; --",
    '{"a": [1]}', "[]", "null", "true", "%", "%s %n %(x)s {0} {{ 7|add:7 }}", "..\\..\\windows", "q=%00&grade=²&page=abc&tag=%FF&district='",
    "next=//evil.example&page=9999999999999999999999", "& | ! :*", '" OR * NEAR(', "-", "\x1b[31m", "𠮷" * 40, "*", "a" * 300,
]  # fmt: skip
CELLS = ["1,5", "=1+1", "2026年2月30日", "1.5亿万元", "1.5元万元", "00000", "46000", "'1", "\u00a01\u00a0"]
LONG = ["A" * 100_000, "郑" * 34_000, "<" * 50_000, "9" * 100_000, "[" * 20_000, "\n" * 100_000, "a,b\tc\n" * 15_000]
BYTES = [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe9\x83", b"%00%", b"\x80abc", b"\x00\xff" * 500]
BOMB = "a: &a [x, x]\n" + "".join(f"{y}: &{y} [*{x}, *{x}, *{x}, *{x}, *{x}, *{x}]\n" for x, y in zip("abcdefghijkl", "bcdefghijklm", strict=True))  # fmt: skip
YAML = [
    "20,000 [", "a\x00b", BOMB, "[" * 5_000, "{" * 5_000, "a: " * 500, "- " * 2_000, "&a [*a]", "<<: *x", "<<: [1, 2]", "? [1, 2]\n: {}", "!!python/object/apply:os.system [id]",
    "!!binary '='", "!!timestamp x", "!!float x", "2026-02-30", "2026-02-30: x", "x: 2026-13-45 99:99:99", "1: 1\n1: 2", "\t- x", "a: 'b", "--- a\n--- b", "%YAML 9.9\n---\n", "rulebook: 1",
    "id: x\nindicators: {}", "indicators: [null, 7, []]", "score: 7", "ladder: [[]]", "null", "~", "- a", "é: \x85 \u2028", "x: .inf", "x: -.nan", f"x: {'9' * 5_000}", "x: 1e999999999", "x: 0o9", "x: 1:99:99", "cases: 7", "cases: [{}]", "\ufeffa: b",
]  # fmt: skip
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8ffff3f0005fe02fea7"
    "9a96d90000000049454e44ae426082"
)
UNKNOWN_KEYS = ("nonsense", "pk", "id", "__proto__", "page[]", "q\x00", "_method", "csrfmiddlewaretoken", "²", "a" * 300)


def _zip(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(zipfile.ZipInfo(name.replace("__", "/").replace("_", ".")), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


UPLOADS = [
    Upload("empty.csv", b""), Upload("", b"a,b\n1,2\n"), Upload("picture.png", PICTURE), Upload("picture.csv", PICTURE), Upload("x.zip", _zip(a_txt=b"x")),
    Upload("zeros.xlsx", _zip(xl__workbook_xml=b"\0" * 2_000_000)), Upload("cut.xlsx", _zip(xl__workbook_xml=b"<a/>")[:-30]), Upload("x.xlsx", b"PK\x03\x04"), Upload("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600),
    Upload("../../etc/passwd", b"a,b\n1,2\n"), Upload("a\x00.csv", b"a\x00,b\n"), Upload("名" * 300 + ".csv", "名称\n甲\n".encode("gb18030")), Upload("utf16.csv", "名称,代码\n甲,乙\n".encode("utf-16")),
    Upload("cut.csv", "名称\n甲".encode()[:-1]), Upload("wide.csv", b"," * 50_000), Upload("quote.csv", b'a,"b\n' * 500), Upload("bomb.yaml", BOMB.encode()), Upload("deep.yaml", b"[" * 5_000), Upload("bad.yaml", b"a: \xff"), Upload("date.yaml", b"20,000 ["), Upload("a.pdf", b"%PDF-1.4"), Upload("a.html", b"<html><table><tr><td>x</table>"),
]  # fmt: skip
HALVES = [
    b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Transfer-Encoding: base64\r\n\r\n*\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; filename*=utf-8\'\'%FF\r\n\r\nb\r\n--x--\r\n', b"a=1&" * 1_500, b"=&&=&%=%zz&a[]=1&a.b=2", b'{"text": null}', b"\x00" * 1_000,
]  # fmt: skip
"""Bodies as a whole."""
KINDS: tuple[tuple[str, list[Value]], ...] = (
    (r"^$", [*HALVES, *map(encoded, YAML), *UPLOADS]),
    (r"^file$", [*UPLOADS, *(Upload("rulebook.yaml", encoded(text)) for text in YAML)]),
    (r"^(text|cases)$", [*map(encoded, YAML)]),
    (r"^(on|day|until|as_of|closes_on|effective_from|.*date.*|.*_on)$", [*map(encoded, DAYS)]),
    (r"^(numbers\d|year|team|cap|stated_percent|issue|page|row|drop|base|release|old|new|revision|share|every|account|organisation|known_seq|since|seq|start|count|size|from|to|pk)$|/", [*map(encoded, NUMBERS)]),
    (r"^(next|address|referer)$", [*map(encoded, ADDRESSES)]),
    (r"", [*map(encoded, TEXTS)]),
)  # fmt: skip
"""What a name promises, and the values that break the promise best, the best first. A slash: a number of a rulebook by its path."""
EVERY: list[Value] = [*UPLOADS, *BYTES, *map(encoded, (*BLANK, *NUMBERS, *DAYS, *ADDRESSES, *TEXTS, *LONG, *YAML))]


@cache
def kind_of(key: str) -> list[Value]:
    """The values that fit a name worst."""
    return next(values for pattern, values in KINDS if re.search(pattern, key.lower()))


def values_for(key: str, chance: random.Random) -> list[Value]:
    """Every hostile value in the order in which a key meets them: those of its kind and all others take turns."""
    own = kind_of(key)
    others = chance.sample(EVERY, len(EVERY))
    return [item for pair in zip(own, others, strict=False) for item in pair] + others[len(own) :]


def spoilt(text: str, chance: random.Random) -> str:
    """A long valid text that is wrong in one place."""
    lines = text.split("\n")
    place = chance.randrange(len(lines))
    head, sign, tail = lines[place].partition(": ")
    wrong = chance.choice([*NUMBERS, *DAYS, *YAML[1:], *BLANK, "[]", "{}", "[x]", "{x: y}", "nowhere", "true", "-0.5"])
    act = chance.randrange(6)
    if act == 0:
        del lines[place]
    elif act == 1:
        lines.insert(place, lines[chance.randrange(len(lines))])
    elif act == 2:
        lines[place] = "  " + lines[place]
    elif act == 3 and sign:
        lines[place] = wrong + sign + tail
    else:
        lines[place] = head + (sign or " ") + wrong
    return "\n".join(lines)


def spoilt_table(text: str, chance: random.Random) -> str:
    """A valid CSV with one cell that is hostile."""
    rows = [line.split(",") for line in text.splitlines()]
    row = rows[chance.randrange(len(rows))]
    row[chance.randrange(len(row))] = chance.choice([*NUMBERS, *DAYS, *TEXTS, *BLANK, *CELLS])
    return "\n".join(map(",".join, rows))


# --- what there is: addresses, what views read, what pages offer ----------------------------------------------------------


def _source(function: Any) -> ast.FunctionDef:
    """A function, without what wraps it, as it is written."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body
    assert isinstance(found, ast.FunctionDef)
    return found


@dataclass(frozen=True)
class Route:
    """One address of the site map."""

    name: str
    template: str
    view: Any

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>", self.template)

    @cached_property
    def methods(self) -> set[str]:
        """Methods that its decorators name; both of them where they name none."""
        named = {part.id for part in _source(self.view).decorator_list if isinstance(part, ast.Name)}
        if named & {"require_GET", "public_page"}:
            return {"GET"}
        return {"POST"} if "require_POST" in named else {"GET", "POST"}

    @property
    def needs_password(self) -> bool:
        return bool(getattr(self.view, "reauthenticate", False))

    def allows(self, user: User | None) -> bool:
        permission: str = self.view.permission
        return permission == ANYONE or (user is not None and (permission == SIGNED_IN or may(user, permission)))

    def address(self, values: dict[str, bytes]) -> str:
        """The address with its parameters, escaped."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: escaped(values[found[1]]), self.template)


@cache
def routes() -> dict[str, Route]:
    """Every address by its name."""

    def walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
        for item in resolver.url_patterns:
            if isinstance(item, URLPattern):
                yield Route(str(item.name), prefix + str(item.pattern), item.callback)
            else:
                yield from walk(item, prefix + str(item.pattern))

    found = list(walk(get_resolver(), "/"))
    assert len({route.name for route in found}) == len(found), "two addresses have the same name"
    return {route.name: route for route in found}


PLACES = {"GET": "GET", "POST": "POST", "FILES": "POST", "headers": "HEADER", "META": "HEADER", "COOKIES": "COOKIE"}
Key = tuple[str, str]
"""Where something is read (``GET``, ``POST``, ``HEADER``, ``COOKIE``; ``INNER``: a query within a field), and its name."""
Words = dict[str, str]


def keys_read(view: Any) -> set[Key]:
    """What a view reads from its request: from its source and from the source of what it hands the request to."""
    found: set[Key] = set()
    seen: set[str] = set()
    waiting: list[tuple[Any, Words, Words]] = [(inspect.unwrap(view), {}, {})]
    while waiting:
        state = function, words, places = waiting.pop()
        if str(state) in seen or not function.__module__.startswith("zhixin_web."):
            continue
        seen.add(str(state))
        reading = _Reading(function, words, places)
        reading.visit(_source(function))
        found |= reading.found
        waiting += reading.handed_on
    return found


class _Reading(ast.NodeVisitor):
    """The reads of one function, and the functions that it gives its request to."""

    def __init__(self, function: Any, words: Words, places: Words) -> None:
        self.names: dict[str, Any] = function.__globals__
        self.found: set[Key] = set()
        self.handed_on: list[tuple[Any, Words, Words]] = []
        self.words: dict[str, list[str]] = {name: [word] for name, word in words.items()}
        queries = [name for name, kind in function.__annotations__.items() if kind in ("QueryDict", QueryDict)]
        self.places = dict.fromkeys(queries, "INNER") | places

    def _place(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "request":
            return PLACES.get(node.attr)
        return self.places.get(node.id) if isinstance(node, ast.Name) else None

    def _note(self, place: str | None, node: ast.expr) -> None:
        if place is None:
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts = [node.value]
        elif isinstance(node, ast.Name):
            texts = self.words.get(node.id, [])
        elif isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values]
            texts = ["".join(parts)]
        else:
            texts = []
        if place == "HEADER":
            texts = [text.removeprefix("HTTP_").replace("_", "-") for text in texts]
        self.found |= {(place, text) for text in texts}

    def _loop(self, target: ast.expr, over: ast.expr) -> None:
        """Words that a loop over a constant of the module goes through."""
        first = target.elts[0] if isinstance(target, ast.Tuple) else target
        if isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and over.func.attr == "items":
            over = over.func.value
        constant = self.names.get(over.id) if isinstance(over, ast.Name) else None
        if isinstance(first, ast.Name) and isinstance(constant, dict | list | tuple | set | frozenset):
            self.words[first.id] = sorted(item for item in constant if isinstance(item, str))

    def visit_For(self, node: ast.For) -> None:
        self._loop(node.target, node.iter)
        self.generic_visit(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        for part in node.generators:
            self._loop(part.target, part.iter)
        self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp  # type: ignore[assignment]

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._note(self._place(node.value), node.slice)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if isinstance(node.ops[0], ast.In):
            self._note(self._place(node.comparators[0]), node.left)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "getlist", "pop") and node.args:
            self._note(self._place(node.func.value), node.args[0])
        if any(isinstance(item, ast.Name) and item.id == "request" for item in node.args):
            called = inspect.unwrap(self._called(node.func))
            if inspect.isfunction(called):
                given = list(zip(inspect.signature(called).parameters, node.args, strict=False))
                words = {name: item.value for name, item in given if isinstance(item, ast.Constant)}
                places = {name: place for name, item in given if (place := self._place(item)) is not None}
                self.handed_on.append(
                    (called, {name: word for name, word in words.items() if isinstance(word, str)}, places)
                )
        self.generic_visit(node)

    def _called(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(self.names.get(node.value.id), node.attr, None)
        return None


class Field(NamedTuple):
    """A field of a form: what sort of control it is, and a value it had or offered."""

    kind: str
    value: str


Fields = dict[str, list[Field]]


class Page(HTMLParser):
    """The links of a page and the fields of its forms."""

    def __init__(self, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self.address = address
        self.links: list[str] = []
        self.forms: list[tuple[str, str, Fields]] = []
        self._by_id: dict[str, Fields] = defaultdict(lambda: defaultdict(list))
        self._fields: Fields | None = None
        self._offered: list[Field] | None = None
        self._area: list[Field] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        found = [urljoin(self.address, given[name]) for name in ("href", "hx-get", "action") if given.get(name)]
        self.links += [urlsplit(link)._replace(fragment="").geturl() for link in found]
        if tag == "form":
            self._fields = self._by_id[given.get("id", f"form {len(self.forms)}")]
            action = urljoin(self.address, given.get("action", ""))
            self.forms.append((action, given.get("method", "get").upper(), self._fields))
        if tag == "option" and self._offered is not None:
            self._offered.append(Field("select", given.get("value", "")))
        name = given.get("name", "")
        fields = self._by_id[given["form"]] if "form" in given else self._fields
        if fields is None or not name:
            return
        if tag in ("input", "button"):
            fields[name].append(Field(given.get("type", "text"), given.get("value", "")))
        elif tag == "select":
            self._offered = fields[name]
        elif tag == "textarea":
            self._area, self._text = fields[name], []

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            self._area.append(Field("textarea", "".join(self._text).removeprefix("\n")))
            self._area = None
        elif tag == "select":
            self._offered = None
        elif tag == "form":
            self._fields = None


@dataclass
class Map:
    """What the pages of the site say about its addresses: parameters that exist, keys and valid values."""

    parameters: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    fields: dict[tuple[str, str], Fields] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def learn_link(self, address: str) -> Route | None:
        """Note an address of the site; gives its route if its parameters are new."""
        parts = urlsplit(address)
        try:
            match = resolve(parts.path)
        except Resolver404:
            return None
        route = routes().get(match.url_name or "")
        if route is None or parts.netloc not in ("", HOST):
            return None
        for key, value in parse_qsl(parts.query, keep_blank_values=True):
            self._learn(route.name, "GET", key, Field("text", value))
        known = self.parameters[route.name]
        given = {name: str(match.kwargs[name]) for name in route.parameters}
        if given in known:
            return None
        known.append(given)
        return route

    def learn_form(self, address: str, method: str, fields: Fields) -> None:
        self.learn_link(address)
        try:
            name = resolve(urlsplit(address).path).url_name or ""
        except Resolver404:
            return
        for key, offered in fields.items():
            for item in offered or [Field("text", "")]:
                self._learn(name, method, key, item)

    def _learn(self, name: str, method: str, key: str, item: Field) -> None:
        if key == "csrfmiddlewaretoken":
            return
        known = self.fields[name, method][key]
        if item not in known and len(known) < 12:
            known.append(item)


MOST_VISITS = 2
PAPERS = ("report_pdf", "rules_document", "rulebook_document")
"""Files that take long to make and hold no links."""
READERS = (ANONYMOUS, "city", "approver", "system", "security", "auditor", "enterprise")
"""Roles whose pages are read: together they see every form."""


def walk_pages(browsers: dict[str, Browser], people: People, known: list[str]) -> Map:
    """Read the pages that links lead to, each sort of page a few times; the first time as every role that may."""
    found, visits = Map(), dict.fromkeys(routes(), 0)
    waiting = [*known, *(route.template for route in routes().values() if not route.parameters)]
    for address in waiting:
        found.learn_link(address)
    while waiting:
        address = waiting.pop(0)
        route = routes()[resolve(urlsplit(address).path).url_name or ""]
        if visits[route.name] >= MOST_VISITS or "GET" not in route.methods or route.name in PAPERS:
            continue
        roles = [name for name in READERS if route.allows(people.get(name))]
        for role in roles[:1] if visits[route.name] or ANONYMOUS in roles else roles:
            answer = browsers[role].get(address)
            if answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html"):
                page = Page(address)
                page.feed(answer.content.decode())
                for form in page.forms:
                    found.learn_form(*form)
                waiting += [link for link in page.links if found.learn_link(link)]
        visits[route.name] += 1
    return found


# --- cases ----------------------------------------------------------------------------------------------------------------

COSTS = {
    "new_draft": 16, "draft": 2, "draft_form": 10, "panel": 8, "new_run": 8, "put_forward": 6, "new_what_if": 4, "new_panel": 4, "new_consultation": 4, "propose_rulebook": 4,
    "report_pdf": 4, "rules_document": 4, "rulebook_document": 4, "replay": 6, "retry": 6,
}  # fmt: skip
"""Views that do long work for a valid request: in each round only one of so many of their inputs has its turn."""
CONTENT_TYPES = [
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "text/csv", "", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x; charset=nonsense",
    "multipart/form-data; boundary=\xff", "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded; charset=nonsense", "text/plain; charset=\xe9", "x" * 3_000,
]  # fmt: skip
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
VALID_BY_KIND = {"password": PASSWORD, "number": "1", "email": "a@example.cn", "url": "https://example.cn/a"}
VALID = {"numbers0": "3 8 11 14 19 22 27 30 33 41 44 46 52 55 58 61 66 70 73 80", "game": "快乐8", "next": "/c/"}
SENTENCE = "测试用的一句话，不少于十个字"
FRONT_DOORS = {"home": "GET", "desk": "GET", "sign_in": "POST", "api_deliveries": "POST"}
"""Addresses at which headers and cookies are attacked that the middleware reads."""
FRONT_HEADERS = ("Host", "Accept-Language", "HX-Request", "HX-Current-URL", "X-Forwarded-For", "X-Forwarded-Proto", "Range", "If-Modified-Since")  # fmt: skip
FRONT_COOKIES = ("sessionid", "django_language", "view", "messages", "csrftoken")


class Slot(NamedTuple):
    """One input of one address; the key ``?`` is one that no view knows."""

    route: str
    method: str
    place: str
    key: str


@lru_cache(maxsize=2_000)
def escaped(value: bytes) -> str:
    """Bytes as they stand in an address or a form."""
    return quote_from_bytes(value, safe="")


def joined(pairs: list[tuple[str, bytes]]) -> str:
    """Keys and values as a query string."""
    return "&".join(f"{escaped(encoded(key))}={escaped(item)}" for key, item in pairs)


def shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text)})"


@dataclass
class Case:
    """One request."""

    slot: Slot
    role: str
    value: Value
    method: str
    path: dict[str, bytes]
    query: list[tuple[str, bytes]] = field(default_factory=list)
    form: list[tuple[str, Value]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @cached_property
    def address(self) -> str:
        return routes()[self.slot.route].address(self.path) + ("?" + joined(self.query) if self.query else "")

    @property
    def asked(self) -> str:
        return f"{self.method} {self.slot.route}"

    def __str__(self) -> str:
        address = self.address if len(self.address) < 200 else self.address[:190] + "…"
        form = ", ".join(f"{key[:30]}={shortened(item)}" for key, item in self.form[:12])
        rest = f" headers {shortened(self.headers)}" if self.headers else ""
        rest += f" body {shortened(self.body)}" if self.body is not None else ""
        attacked = f"{self.slot.place} {self.slot.key[:40]} = {shortened(self.value)}"
        return f"{self.role} {self.method} {address} [{attacked}] {form}{rest}"


@dataclass
class Maker:
    """Makes cases from what is known of the site."""

    pages: Map
    people: People
    files: list[Upload]
    rulebook: str
    read: dict[str, set[Key]] = field(default_factory=dict)
    pool: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.read = {name: keys_read(route.view) for name, route in routes().items()}
        for given in (item for known in self.pages.parameters.values() for item in known):
            for name, value in given.items():
                if value not in self.pool[name]:
                    self.pool[name].append(value)

    def slots(self) -> list[Slot]:
        """Every input of every address, and for each address inputs that it does not know."""
        found: list[Slot] = []
        for name, route in routes().items():
            main = "POST" if "POST" in route.methods else "GET"
            found += [Slot(name, main, "PATH", key) for key in route.parameters]
            found += [Slot(name, main, *read) for read in sorted(self.read[name]) if read[0] in ("HEADER", "COOKIE")]
            for method in sorted(route.methods):
                keys = self._keys(name, method)
                found += [Slot(name, method, method, key) for key in [*keys[:: -(-len(keys) // MOST_FIELDS) or 1], "?"]]
            if "GET" not in route.methods:
                found += [Slot(name, "POST", "GET", key) for key in self._keys(name, "GET")]
            if main == "POST":
                found.append(Slot(name, "POST", "BODY", ""))
            if route.needs_password:
                found.append(Slot(name, "POST", "HEADER", "Referer"))
        for name, method in FRONT_DOORS.items():
            found += [Slot(name, method, "HEADER", key) for key in FRONT_HEADERS]
            found += [Slot(name, method, "COOKIE", key) for key in FRONT_COOKIES]
        return found

    def cases(self, seed: int) -> Iterator[Case]:
        """Cases without end: rounds over all slots, each round with the next value of a slot."""
        chance = random.Random(seed)
        slots = self.slots()
        values = {slot: cycle(values_for(slot.key, chance)) for slot in slots}
        for turn in count():
            order = list(enumerate(slots))
            chance.shuffle(order)
            for number, slot in order:
                if (turn + number) % self._rarity(slot) == 0:
                    nearly = self._nearly_valid(slot, chance) if chance.random() < 0.3 else None
                    yield self.case(slot, next(values[slot]) if nearly is None else nearly, chance)

    @staticmethod
    def _rarity(slot: Slot) -> int:
        """In how many rounds a slot has one turn: what no view reads, and what takes long, more seldom."""
        if slot.key == "?":
            return 4
        return COSTS.get(slot.route, 3 if slot.place in ("BODY", "COOKIE") or slot.key in FRONT_HEADERS else 1)

    def case(self, slot: Slot, value: Value, chance: random.Random) -> Case:
        """One case of a slot."""
        route = routes()[slot.route]
        made = Case(slot, self._role(route, chance), value, slot.method, self._path(route, chance))
        is_wild, left_out = chance.random() < 0.15, chance.choice((0.05, 0.5))
        for key in self._keys(slot.route, slot.method):
            if key == slot.key or chance.random() < left_out:
                continue
            is_hostile = is_wild and chance.random() < 0.5
            mates = [chance.choice([*kind_of(key), *EVERY])] if is_hostile else self._valid(slot, key, chance)
            if slot.method == "POST":
                made.form += [(key, item) for item in mates]
            else:
                made.query += [(key, item) for item in mates if isinstance(item, bytes)]
        if chance.random() < 0.2:
            made.cookies["django_language"] = "en"
        if chance.random() < 0.1:
            made.headers["HX-Request"] = "true"
        if slot.route == "api_deliveries":
            made.headers |= {"Idempotency-Key": f"key {chance.randrange(10**9):09}", "X-File-Name": "a.csv"}
            made.query = [("source", chance.choice(self.pool["source"]).encode())]
            made.body = chance.choice(self.files).content
        if slot.key == "?" and chance.random() < 0.2:
            made.method = chance.choice(OTHER_METHODS)
        self._attack(made, value, chance)
        return made

    def _attack(self, made: Case, value: Value, chance: random.Random) -> None:
        """Put the hostile value where it belongs."""
        content = value.content if isinstance(value, Upload) else value
        key = chance.choice(UNKNOWN_KEYS) if made.slot.key == "?" else made.slot.key
        times = 3 if chance.random() < 0.06 else 1
        match made.slot.place:
            case "PATH":
                made.path[key] = content
            case "GET":
                made.query += [(key, content)] * times
            case "POST":
                inner = sorted(name for place, name in self.read[made.slot.route] if place == "INNER")
                if key == "query" and inner:  # a query within a field
                    value = f"{chance.choice(inner)}={escaped(content[:400])}".encode()
                made.form += [(key, value)] * times
            case "HEADER":
                made.headers[key] = re.sub(r"[\x00-\x1f\x7f]", "", content.decode("latin-1"))[:8_000]
            case "COOKIE":
                made.cookies[key] = re.sub(r"[\x00-\x20\x7f;,\"\\]", "", content.decode("latin-1"))[:4_000]
            case "BODY":
                made.body = content
                made.headers["Content-Type"] = chance.choice(CONTENT_TYPES)

    def _nearly_valid(self, slot: Slot, chance: random.Random) -> Value | None:
        """A valid rulebook, draft or table that is wrong in one place, where a slot takes one."""
        if slot.route == "propose_rulebook" and slot.key == "file":
            return Upload("rulebook.yaml", encoded(spoilt(self.rulebook, chance)))
        if slot.key in ("file", "cells") or (slot.route == "api_deliveries" and slot.place == "BODY"):
            table = encoded(spoilt_table(chance.choice(self.files).content.decode(), chance))
            return Upload("a.csv", table) if slot.key == "file" else table
        known = self.pages.fields[slot.route, slot.method].get(slot.key, [])
        long = [item.value for item in known if len(item.value) > 2_000]
        return encoded(spoilt(chance.choice(long), chance)) if long else None

    def _role(self, route: Route, chance: random.Random) -> str:
        if route.name.startswith("api_") and chance.random() < 0.8:
            return PROGRAM
        everybody = [ANONYMOUS, *ROLES]
        allowed = [name for name in everybody if route.allows(self.people.get(name))]
        return chance.choice(everybody if chance.random() < 0.2 else allowed)

    def _path(self, route: Route, chance: random.Random) -> dict[str, bytes]:
        given = chance.choice(self.pages.parameters.get(route.name) or [{}])
        if "source" in route.parameters and chance.random() < 0.5:
            given = {"source": "penalties"}
        known = {name: given.get(name) or chance.choice(self.pool[name] or self.pool["pk"]) for name in route.parameters}
        return {name: value.encode() for name, value in known.items()}

    def _keys(self, name: str, method: str) -> list[str]:
        read = {key for place, key in self.read[name] if place == method}
        return sorted(read | set(self.pages.fields[name, method]))

    def _valid(self, slot: Slot, key: str, chance: random.Random) -> list[Value]:
        """A value for a field beside the attacked one, as a rule a valid one; none for what is not ticked."""
        item = chance.choice(self.pages.fields[slot.route, slot.method].get(key) or [Field("text", "")])
        if key == "file":
            if slot.route == "propose_rulebook":
                return [Upload("rulebook.yaml", self.rulebook.encode())]
            return [chance.choice(self.files)] if chance.random() < 0.5 else []
        if key == "cells":
            return [chance.choice(self.files).content.replace(b",", b"\t")]
        if key in VALID:
            return [encoded(VALID[key])]
        if item.kind == "date" or kind_of(key) is kind_of("day"):
            return [(timezone.localdate() + timedelta(chance.choice((0, -1, 40, 90)))).isoformat().encode()]
        if item.kind == "checkbox" and chance.random() < 0.5:
            return []
        return [encoded(item.value or VALID_BY_KIND.get(item.kind, "" if slot.method == "GET" else SENTENCE))]


# --- sending --------------------------------------------------------------------------------------------------------------

BOUNDARY = "fuzz-boundary-7"


def multipart(form: list[tuple[str, Value]]) -> bytes:
    """A form with files in bytes, names as a browser writes them."""
    parts = []
    for key, value in form:
        head, content = f'Content-Disposition: form-data; name="{key}"', value
        if isinstance(value, Upload):
            head, content = f'{head}; filename="{value.name}"\r\nContent-Type: application/octet-stream', value.content
        assert isinstance(content, bytes)
        parts.append(b"--%b\r\n%b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), encoded(head), content))
    return b"".join(parts) + b"--%b--\r\n" % BOUNDARY.encode()


class Fault(NamedTuple):
    """Something that must not happen, the line of the project that it comes from, and what was asked for."""

    what: str
    where: str = ""
    asked: str = ""


@dataclass
class Outcome:
    """What came of a case: faults with what they say, time of the processor and of the clock."""

    faults: dict[Fault, str]
    busy: float
    waited: float

    @property
    def is_slow(self) -> bool:
        """Other programs make the clock run on, not the processor; who waits very long for a lock is slow too."""
        return self.busy > LONGEST_SECONDS or self.waited > 5 * LONGEST_SECONDS


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Break off what takes longer, where the platform can."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"no answer within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault_of(error: BaseException) -> Fault:
    """An exception, by its sort and the innermost line of the project that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [item for item in frames if re.search(r"/src/zhixin(_web)?/", item.filename)]
    last = (own or frames)[-1]
    return Fault(type(error).__name__, f"{re.sub(r'.*/(src|site-packages)/', '', last.filename)}:{last.lineno}")


def leads_outside(address: str, location: str) -> bool:
    """Whether a browser that follows a redirect leaves the site. Browsers drop controls and read a backslash as a slash."""
    cleaned = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    try:
        parts = urlsplit(urljoin(f"http://{HOST}{urlsplit(address).path}", cleaned))
    except ValueError:
        return True
    return parts.scheme not in ("http", "https") or parts.netloc != HOST


class Sender:
    """Sends cases as their roles, undoes what they did, and says what went wrong."""

    def __init__(self, browsers: dict[tuple[str, bool], Browser], key: str) -> None:
        self.browsers = browsers
        self.jars = {who: {name: item.value for name, item in browser.cookies.items()} for who, browser in browsers.items()}
        self.key = key
        self.failed_tasks: dict[Fault, str] = {}

    def task_finished(self, sender: Any, task_result: Any, **_given: Any) -> None:
        """Note work for the worker that ended with an exception."""
        if task_result.status == TaskResultStatus.FAILED:
            text = task_result.errors[-1].traceback.strip()
            places = re.findall(r'/src/(zhixin\S*?)", line (\d+)', text)
            sort, _sign, words = text.splitlines()[-1].partition(": ")
            self.failed_tasks[Fault(f"worker: {sort}", ":".join(places[-1]) if places else "")] = words

    def send(self, case: Case) -> Outcome:
        """Send a case; what takes long is sent twice, for the first time may have filled a cache."""
        outcome = self._send(case)
        if outcome.is_slow and not outcome.faults:
            outcome = self._send(case)
            if outcome.is_slow:
                words = f"{outcome.busy:.1f} s of the processor, {outcome.waited:.1f} s of the clock"
                outcome.faults[Fault("slow", asked=case.asked)] = words
        return outcome

    def _send(self, case: Case) -> Outcome:
        self.failed_tasks.clear()
        point = transaction.savepoint()
        started = time.perf_counter(), time.process_time()
        try:
            with limited(HANGS_AFTER_SECONDS):
                faults = self._faults(case)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # one that is no Exception ends the thread of a server
            faults = {fault_of(error): str(error)}
        waited, busy = time.perf_counter() - started[0], time.process_time() - started[1]
        transaction.set_rollback(False)
        transaction.savepoint_rollback(point)
        transaction.savepoint_commit(point)  # rolled back, it would still lie on the stack
        faults = {fault._replace(asked=case.asked): words for fault, words in (faults | self.failed_tasks).items()}
        return Outcome(faults, busy, waited)

    def _faults(self, case: Case) -> dict[Fault, str]:
        answer = self._answer(case)
        if answer.streaming:
            b"".join(answer.streaming_content)
        if answer.exc_info:
            return {fault_of(answer.exc_info[1]): str(answer.exc_info[1])}
        found = {}
        if answer.status_code >= 500:
            found[Fault(f"status {answer.status_code}")] = ""
        for name in ("Location", "HX-Redirect", "HX-Location"):
            location = answer.headers.get(name, "")
            if location and leads_outside(case.address, location):
                found[Fault("redirect to another host")] = location
        return found

    def _answer(self, case: Case) -> Any:
        who = ANONYMOUS if case.role == PROGRAM else case.role, case.slot.key != "Referer"
        browser = self.browsers[who]
        browser.cookies.clear()
        for name, value in (self.jars[who] | case.cookies).items():
            browser.cookies[name] = value
        headers = ({"Authorization": f"Bearer {self.key}"} if case.role == PROGRAM else {}) | case.headers
        body, content_type = b"", "application/octet-stream"
        plain = [(key, item) for key, item in case.form if isinstance(item, bytes)]
        if case.body is not None:
            body, content_type = case.body, headers.pop("Content-Type", "text/csv")
        elif case.slot.method == "POST" and len(plain) == len(case.form) and len(plain) % 3:
            body = joined(plain).encode()
            content_type = "application/x-www-form-urlencoded"
        elif case.slot.method == "POST":
            body, content_type = multipart(case.form), f"multipart/form-data; boundary={BOUNDARY}"
        return browser.generic(case.method, case.address, body, content_type, headers=headers)


# --- the city that is attacked --------------------------------------------------------------------------------------------


@dataclass
class City:
    """What there is besides the released run: addresses that no page links to, the key of a program, files to deliver."""

    addresses: list[str]
    key: str
    files: list[Upload]


def furnish(
    released: Run, subjects: list[Subject], take: Any, penalty: Any, people: People, release: RulebookRelease
) -> City:
    """Make one of everything that pages show and forms decide on."""
    city, today = people["city"], timezone.localdate()
    rows = [(item.code, item.name, f"（虚构）罚{number}") for number, item in enumerate(subjects)]
    taken = take("penalties", penalty(*rows[:3], rows[10]))
    take("penalties", penalty(("", "无代码", "罚20"), (rows[0][0], "名称不符公司", "罚21"), ("123", "代码不对", "罚22")))
    take("penalties", penalty(rows[4]), commit=False)
    take("penalties", penalty(rows[5]).replace("（万元）", "").replace("处罚机关", "何机关"), commit=False)
    batch_services.refuse_batch(take("penalties", penalty(rows[6]), commit=False), "测试", city)
    repaired = change_record(
        CreditRecord.objects.get(subject=subjects[2]), state="repaired", on=today, basis="文书", by=city
    )

    draft = Draft.objects.create(title="测试草案", base=release, text=release.text, cases="", by=city, changed_by=city)
    Draft.objects.create(title="有误的草案", base=release, text="rulebook: 1\n", cases="x", by=city, changed_by=city)
    for days in (0, 70):
        consultation = open_consultation(
            draft, title="征求意见", explanation=SENTENCE, closes_on=today + timedelta(60), by=city
        )
        for text in ("赞成这样修改", "建议再改一改"):
            comment = file_comment(consultation, about="ladder", stance="change", text=text)
        reply_comment(comment, reply="已经采纳这一条", is_adopted=True, by=city)
        Consultation.objects.filter(pk=consultation.pk).update(
            opens_on=today - timedelta(days), closes_on=today + timedelta(60 - days)
        )
    panel = open_panel(draft, released, title="专家赋权", share_milli=500, by=city)
    save_sheet(panel, expert="甲", judgements=["1"] * (len(panel.names) * (len(panel.names) - 1) // 2), by=city)
    do_what_if(start_what_if(draft, released, by=city))
    changed = loads_rulebook(with_numbers(release.text, {"ladder/0/at_least": "88"}))
    proposed = propose_rulebook(changed, city)

    for item in Subject.objects.filter(current__isnull=False).order_by("code")[:2]:
        order = propose_order(
            item, kind="hold", grade="", reason=SENTENCE, basis="文书", until=today + timedelta(30), by=city
        )
    decide_order(order, approve=True, by=people["approver"])
    reports = [file_report(item, reason="wrong_value", text=SENTENCE) for item in CreditRecord.objects.order_by("seq")[:2]]
    add_note(subjects[0], text="一条备注", by=city)
    tag_subjects(subjects[:3], label="重点", by=city)
    save_view(name="视图", query="grade=B", by=city)
    Browser().get(f"/e/{rows[0][0]}/report.pdf")
    schedule_pull(source="penalties", address="https://1.1.1.1/a.csv", every_minutes="60", is_active=True, by=city)
    queued, done = start_run(release, as_of=today, by=city), execute(start_run(release, as_of=today, by=city))
    make_checkpoint()
    inspections = furnish_inspections(people, release)
    cases = furnish_cases(people)
    measure = furnish_measures(subjects[8], take, people)
    duties = furnish_duties(people)
    client, key = open_client(name="推送程序", account=people["department"], by=city)
    addresses = [
        *cases, measure, *duties, *furnish_commitments(subjects[0], people), *furnish_door(people),
        f"/c/batches/{taken.pk}", f"/api/v1/deliveries/{taken.pk}", f"/c/batches/{taken.pk}/undo", f"/c/runs/{queued.pk}", f"/c/runs/{done.pk}/propose", f"/c/runs/{queued.pk}/retry", f"/c/runs/{done.pk}/release", f"/c/records/{repaired}/erase",
        f"/c/runs/{released.pk}/roll-back", f"/rules/{release.pk}/diff/{release.pk}", f"/c/rulebooks/{proposed.pk}/approve", f"/c/rulebooks/compare?old={release.pk}&new={proposed.pk}", f"/c/ways/client/{client.pk}/switch",
        *inspections, *(f"/v/{code}" for code in Paper.objects.values_list("code", flat=True)), *(f"/t/{report.code}" for report in reports), *(f"/c/grades/{order.pk - number}/decide" for number in (0, 1)),
    ]  # fmt: skip
    files = [Upload("a.csv", penalty(rows[7], rows[8]).encode()), Upload("b.csv", penalty(("", "", "")).encode())]
    return City(addresses, key, files)


def furnish_cases(people: People) -> list[str]:
    """Make a case that waits, one that is decided with its paper, and a determination; return their addresses."""
    city, made = people["city"], []
    for record in CreditRecord.objects.filter(state="active", kind__startswith="penalty").order_by("seq")[:2]:
        made.append(open_case("objection", record=record, subject=record.subject, text=SENTENCE, by=city))
    details = {"conduct": conducts()[0], "document": "（虚构）文〔2026〕1号", "document_on": "2026-01-05", "is_final": "1"}
    made.append(open_case("determination", subject=made[0].subject, text=SENTENCE, details=details, by=city))
    known = (item for subject in Subject.objects.order_by("-code") for item in penalties_of(subject))
    penalty = next(item for item in known if not disputed_keys([item.key]))
    grounds = {"listing": "infringement", "penalty": penalty.key, "heavy": "heavy_fine"}
    made.append(open_case("listing", subject=penalty.subject, text=SENTENCE, details=grounds, by=city))
    carry_out(made[-1], "notify", by=city, reason=SENTENCE)
    type(made[-1]).objects.filter(pk=made[-1].pk).update(
        due_on=timezone.localdate() - timedelta(9), opened_on=timezone.localdate() - timedelta(30)
    )
    for step, name in (("verify", "city"), ("propose_reject", "city"), ("reject", "approver")):
        carry_out(made[0], step, by=people[name], reason=SENTENCE)
    return [*(f"/c/cases/{case.pk}" for case in made), f"/c/cases/{made[0].pk}/paper/2"]


def furnish_measures(subject: Subject, take: Any, people: People) -> str:
    """Make a measure that runs and one that is being prepared; return the address of the first."""
    head, day = "统一社会信用代码,企业名称,驳回通知书文号,认定日期,涉及件数", timezone.localdate() - timedelta(200)
    take("abnormal_filings", f"{head}\n{subject.code},{subject.name},（虚构）通报1号,{day},1\n")
    CurrentGrade.objects.filter(subject=subject).update(in_force="D")
    key = CreditRecord.objects.get(subject=subject, kind="filing.abnormal_patent").key
    made = impose(
        subject, "fund_scrutiny", only=[key], case="case:0", number="（虚构）1号", proposed_by=people["city"], decided_by=people["approver"]
    )  # fmt: skip
    open_case("measure", subject=subject, text=SENTENCE, details={"measure": "fee_scrutiny"}, by=people["city"])
    return f"/c/measures/{made.pk}"


def furnish_commitments(subject: Subject, people: People) -> list[str]:
    """Sign a commitment that runs and one that was to be put right until long ago; return the addresses of both."""
    made = [
        sign(form.code, subject=subject, read=[item.code for item in form.promises], by=people["enterprise"])
        for form in commitment_forms().forms[:2]
    ]
    with mock.patch.object(timezone, "localdate", return_value=timezone.localdate() - timedelta(40)):
        last = commitment_forms().forms[1].promises[0].code
        check(made[1], outcome="not_kept", promises=[last], finding=SENTENCE, seen=0, by=people["city"])
    found = [f"{start}/commitments/{item.pk}" for start in ("/c", "/my") for item in made]
    return [*found, *(f"{item}/{name}" for item in found for name in ("paper", "orders/0"))]


def furnish_duties(people: People) -> list[str]:
    """Make a plan with a claim that waits and one that is confirmed, minutes, a paper and a version to decide; return the addresses."""
    day = timezone.localdate()
    version = in_force(PLAN, people)
    PlanVersion.objects.update(in_force_from=day - timedelta(30))
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "PNG")
    shown = claim("pilot/data", people["department"], day, upload=("a.png", [out.getvalue()]))
    answer(claim("pilot/lists", people["city"], day), "confirm", people["approver"], day)
    meeting(version, people)
    paper = issue_weekly(version, weeks(version)[0], people["city"])
    waiting = work_plans.propose_plan(PLAN.replace('version: "1"', 'version: "2"'), reason=SENTENCE, by=people["city"])
    return [
        "/c/progress/items/pilot/data", "/c/progress/items/pilot/rules/draft", f"/c/progress/files/{shown.pk}",
        f"/c/progress/papers/{paper.paper_id}", "/c/progress/meetings/1", "/c/progress/meetings/1/decide",
        f"/c/progress/plan/{waiting.pk}", f"/c/progress/plan/{waiting.pk}/text", f"/c/progress/plan/{waiting.pk}/decide",
        "/c/progress/quarters?quarter=2026-1",
    ]  # fmt: skip


def furnish_door(people: People) -> list[str]:
    """Make what an enterprise holds itself: a draft and a case with files, a mandate that it holds, a visit to be rated."""
    by = people["enterprise"]
    assert by.organisation is not None
    mine = CreditRecord.objects.filter(subject__code=by.organisation.code).order_by("seq")[0]
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "PNG")
    kept, submitted = (begin(procedures()[name], mine, by) for name in ("statement", "repair"))
    for draft in (kept, submitted):
        attach(draft, "a.png", [out.getvalue()], by)
        keep_words(draft, SENTENCE, draft.version, by)
    case = open_case(
        "statement", subject=mine.subject, record=mine, text=SENTENCE, by=by, attachments=list(submitted.attachments.all())
    )
    carry_out(case, "decline", by=people["city"], reason=SENTENCE)
    principal = Organisation.objects.create(code="91410100X", name="委托人", kind=Organisation.Kind.ENTERPRISE)
    today = timezone.localdate()
    mandate = Mandate.objects.create(
        principal=principal, agent=by.organisation, from_on=today, until=today + timedelta(9), given_by=people["city"]
    )
    visit = Task.objects.order_by("pk")[0]
    Task.objects.filter(pk=visit.pk).update(
        subject=mine.subject,
        status="submitted",
        submitted_at=timezone.now(),
        inspected_on=today,
        result="clean",
        method="on_site",
        disposal="none",
    )
    held, file = case.attachments.get().pk, kept.attachments.get().pk
    return [
        f"/my/records/{mine.pk}", f"/my/records/{mine.pk}/apply/objection", f"/my/cases/{case.pk}", f"/my/cases/{case.pk}/paper/1",
        f"/my/cases/{case.pk}/files/{held}", f"/c/cases/{case.pk}/files/{held}", f"/my/mandates/{mandate.pk}/end",
        f"/my/inspections/{visit.pk}/rating", f"/my/drafts/{kept.pk}/files/{file}/remove",
        *(f"/my/drafts/{kept.pk}{part}" for part in ("", "/words", "/files", "/check", "/discard")),
    ]  # fmt: skip


def furnish_inspections(people: People, release: RulebookRelease) -> list[str]:
    """Make inspectors, a proposed and an approved plan, a draw that waits for its numbers and one that is published."""
    now, unit = timezone.localtime(), people["inspector"].organisation
    assert unit is not None
    for number in range(1, 7):
        Inspector.objects.create(
            code=f"INS{number:03d}", name=f"虚构{number}", unit=unit, certificate=f"豫A{number:05d}",
            valid_until=now.date() + timedelta(400), account=people["inspector"] if number == 1 else None,
        )  # fmt: skip
    made = []
    for title in ("年度抽查计划", "专项抽查计划"):
        plan = make_plan(
            year=now.year, title=title, basis="郑虚构〔2026〕1号", items=["trademark_use", "patent_claims"],
            release=release, by=people["city"], inversion="户数很少", excess_reason="户数少",
        )  # fmt: skip
        propose_plan(plan, people["city"])
        made.append(plan)
    decide_plan(made[0], approve=True, by=people["approver"])
    approved = Plan.objects.get(pk=made[0].pk)
    for frozen_at, day in ((now - timedelta(3), now.date()), (now, now.date() + timedelta(2))):
        draw = commit_draw(
            approved,
            game="快乐8",
            issue=f"{day.year}{day.timetuple().tm_yday:03d}",
            day=day,
            by=people["city"],
            frozen_at=frozen_at,
        )
        if day == now.date():
            for name in ("city", "approver"):
                draw = enter_numbers(draw, [[int(text) for text in VALID["numbers0"].split()]], people[name])
            publish_draw(draw, people["approver"])
    tasks = list(Task.objects.order_by("pk").select_related("subject")[:2])
    return [
        f"/c/inspections/draws/{draw.pk}",
        *(f"/c/inspections/tasks/{task.pk}" for task in tasks),
        f"/m/tasks/{tasks[0].pk}/report",
        f"/m/tasks/{tasks[0].pk}/photos/{'0' * 64}",
        f"/m/tasks/{tasks[0].pk}/record.pdf",
        f"/draws/{draw.draw_id}/{tasks[0].subject.code}",
    ]


def sign_in(people: People) -> dict[tuple[str, bool], Browser]:
    """A browser for every role, with and without a password given just now; their sessions outlast the test."""
    found = {}
    later = int(time.time()) + 10**6
    for role in (ANONYMOUS, *ROLES):
        for is_confirmed in (True, False):
            browser = found[role, is_confirmed] = Browser(raise_request_exception=False)
            if role != ANONYMOUS:
                browser.force_login(people[role], backend="django.contrib.auth.backends.ModelBackend")
                session = browser.session
                session.update({"started": later, "seen": later} | ({"confirmed": later} if is_confirmed else {}))
                session.save()
    return found


@pytest.fixture
def maker_and_sender(
    released: Run, subjects: list[Subject], take: Any, penalty: Any, people: People, release: RulebookRelease, settings: Any
) -> Iterator[tuple[Maker, Sender]]:
    """What makes the cases, and what sends them."""
    settings.DEMO, settings.PROXIES = True, "127.0.0.0/8"
    logging.disable(logging.CRITICAL)  # thousands of refused requests
    city = furnish(released, subjects, take, penalty, people, release)
    settings.SIGNER_COMMAND = "false"  # refuses: a signer would remember what the test undoes
    browsers = sign_in(people)
    pages = walk_pages({role: browsers[role, True] for role in READERS}, people, city.addresses)
    sender = Sender(browsers, city.key)
    task_finished.connect(sender.task_finished)
    yield Maker(pages, people, city.files, release.text), sender
    task_finished.disconnect(sender.task_finished)
    logging.disable(logging.NOTSET)


def attack(maker: Maker, sender: Sender, number: int) -> None:
    """Send cases; fails with every distinct fault and the cases that showed it."""
    found: dict[Fault, list[str]] = defaultdict(list)
    for case in islice(maker.cases(SEED), number):
        for fault, words in sender.send(case).faults.items():
            found[fault].append(f"{words[:150]} ← {case}")
    if found:
        pytest.fail(told(found), pytrace=False)


def told(found: dict[Fault, list[str]]) -> str:
    """Every distinct fault with the shortest cases that showed it."""
    lines = [f"{len(found)} distinct faults"]
    for fault, cases in sorted(found.items()):
        lines += [
            f"{fault.asked}: {fault.what} {fault.where}, {len(cases)} times",
            *(f"    {text}" for text in sorted(cases, key=len)[:3]),
        ]
    return "\n".join(lines)


def check_what_is_known(maker: Maker) -> None:
    """Inputs are found of every sort, and parameters that exist for every address: otherwise little is attacked."""
    slots = set(maker.slots())
    assert {slot.route for slot in slots} == set(routes())
    assert {
        Slot("events", "GET", "GET", "day"), Slot("subjects", "GET", "GET", "district"), Slot("export", "POST", "POST", "query"), Slot("runs", "GET", "GET", "page"),
        Slot("ledger_inclusion", "GET", "GET", "seq"), Slot("sign_in", "POST", "POST", "next"), Slot("upload", "POST", "POST", "file"),
        Slot("api_deliveries", "POST", "GET", "source"), Slot("row", "POST", "POST", "amount"), Slot("api_deliveries", "POST", "HEADER", "Idempotency-Key"), Slot("switch_client", "POST", "PATH", "pk"), Slot("release", "POST", "HEADER", "Referer"),
    } <= slots  # fmt: skip
    assert {("INNER", "q"), ("INNER", "district"), ("POST", "code")} <= maker.read["bulk"]
    assert any("/" in slot.key for slot in slots if slot.route == "draft_form")
    assert any(slot.key.startswith("column_") for slot in slots if slot.route == "columns")
    unknown = {name for name, route in routes().items() if route.parameters} - set(maker.pages.parameters)
    assert not unknown, f"no page leads to {sorted(unknown)}: let furnish() give an address"


def test_two_thousand_hostile_requests_do_no_harm(maker_and_sender: tuple[Maker, Sender]) -> None:
    check_what_is_known(maker_and_sender[0])
    attack(*maker_and_sender, FEW)


@pytest.mark.long
def test_fifty_thousand_hostile_requests_do_no_harm(maker_and_sender: tuple[Maker, Sender]) -> None:
    attack(*maker_and_sender, MANY)
