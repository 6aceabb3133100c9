"""People and deliveries for the web tests. Tests run in one transaction each, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from zhixin import City, load_rulebook
from zhixin.law.loading import shipped_rulebooks
from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.demonstration_people import make_people
from zhixin_web.accounts.models import User
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services import batches as services
from zhixin_web.demonstration.city_files import subject_files
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.services import approval as rulebook_services

TODAY_YEAR = 2026
Deliver = Callable[..., Batch]


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    """Each test has its own data folder."""
    settings.VAR = tmp_path / "var"
    settings.VAR.mkdir()


@pytest.fixture
def city() -> City:
    return City(12, 7)


@pytest.fixture
def codes(city: City) -> list[str]:
    return [str(code) for code in city.codes()]


@pytest.fixture
def people(db: None, codes: list[str]) -> dict[str, User]:
    """One account for each role, by the names of the demonstration (city, approver, district, …)."""
    return make_people(codes[0])


@pytest.fixture
def take(people: dict[str, User], release: Any) -> Deliver:
    """Deliver text or bytes for a source and take it in under the flagship rulebook; gives the batch as it then is."""

    def taking(source: str, content: str | bytes, *, by: str = "city", commit: bool = True, **options: Any) -> Batch:
        data = content.encode() if isinstance(content, str) else content
        options.setdefault("file_name", "test.csv")
        batch, _ = services.deliver(source=source, chunks=[data], way=Batch.Way.UPLOAD, by=people[by], **options)
        batch = services.process(batch)
        if commit and services.request_commit(batch, people[by]):
            batch.refresh_from_db()
            batch = services.process(batch)
        return batch

    return taking


@pytest.fixture
def subjects(take: Deliver, city: City) -> list[Subject]:
    """Twelve registered subjects."""
    for name, content in subject_files(city.subject_table()):
        take(name, content)
    return list(Subject.objects.order_by("code"))


@cache
def _flagship() -> Rulebook:
    return load_rulebook(shipped_rulebooks() / "zhengzhou-ip")


@pytest.fixture
def flagship() -> Rulebook:
    """The flagship, loaded and checked once for all tests: it takes half a second."""
    return _flagship()


@pytest.fixture
def take_under(people: dict[str, User], city: City) -> Callable[[Any], list[Subject]]:
    """Register the twelve subjects under another release than the flagship's."""

    def taking(_release: Any) -> list[Subject]:
        for name, content in subject_files(city.subject_table()):
            batch, _ = services.deliver(
                source=name, chunks=[content], way=Batch.Way.UPLOAD, by=people["city"], file_name="test.csv"
            )
            batch = services.process(batch)
            services.request_commit(batch, people["city"])
            batch.refresh_from_db()
            services.process(batch)
        return list(Subject.objects.order_by("code"))

    return taking


@pytest.fixture
def browser_of(people: dict[str, User]) -> Callable[[str], Browser]:
    """A signed-in browser for a role of the demonstration."""

    def opening(username: str) -> Browser:
        found = Browser()
        found.force_login(people[username], backend="django.contrib.auth.backends.ModelBackend")
        return found

    return opening


@pytest.fixture
def release(people: dict[str, User]) -> Any:
    """The flagship rulebook, released by two persons."""
    rulebook = _flagship()
    return rulebook_services.approve_rulebook(
        rulebook_services.propose_rulebook(rulebook, people["city"]), people["approver"]
    )


@pytest.fixture
def penalty() -> Callable[..., str]:
    """A file of penalties: one row per (code, name, number), with changes by column title."""

    def making(*rows: tuple[str, str, str], **changes: str) -> str:
        values = {"行政相对人名称": "", "行政相对人类别": "法人及非法人组织", "统一社会信用代码": "", "行政处罚决定书文号": "",
                  "违法行为类型": "商标侵权", "违法事实": "虚构", "处罚依据": "虚构", "处罚类别": "罚款", "处罚内容": "虚构",
                  "罚款金额（万元）": "1.5", "处罚决定日期": "2026-08-01", "处罚机关": "虚构机关"} | changes  # fmt: skip
        lines = [",".join(values)]
        for code, name, number in rows:
            lines.append(
                ",".join(
                    (values | {"行政相对人名称": name, "统一社会信用代码": code, "行政处罚决定书文号": number}).values()
                )
            )
        return "\n".join(lines)

    return making
