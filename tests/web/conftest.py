"""People and deliveries for the web tests. Tests run in one transaction each, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from dirty_deliveries import FIRMS, SEED, firms, registrations_csv
from shipped import shipped
from web.drawing import approved, committed, drawn, inspectors, make, on_the_day, task  # noqa: F401
from web.layers import Layers, Maker
from zhixin import City
from zhixin.law.calendar import shift_months
from zhixin.law.loading import dump_rulebook
from zhixin.law.rulebook import Rulebook
from zhixin_web.accounts.demonstration_people import make_people
from zhixin_web.accounts.models import User
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services import batches as services
from zhixin_web.demonstration.city_files import subject_files
from zhixin_web.evaluations.models import Run
from zhixin_web.evaluations.services import runs
from zhixin_web.evaluations.services.reevaluate_after_batch import react
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.governance.models import Consultation, Draft
from zhixin_web.received import store
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.rulebooks.models import RulebookRelease
from zhixin_web.rulebooks.services import approval

TODAY_YEAR = 2026
Deliver = Callable[..., Batch]


_layers: list[Layers] = []


@pytest.fixture(scope="session")
def django_db_setup(request: Any, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[None]:
    """The database, and below every test the layers it needs."""
    makers = {
        "people": Maker(_make_people),
        "release": Maker(_make_release, "people"),
        "subjects": Maker(_make_subjects, "release"),
        "released": Maker(_make_released, "subjects"),
        "penalised_city": Maker(_make_penalised_city, "subjects"),
        "evaluated_city": Maker(_make_evaluated_city, "penalised_city"),
        "registered": Maker(_make_registered, "release"),
    }
    layers = Layers(makers, tmp_path_factory.mktemp("layers"), django_db_blocker.unblock)
    _layers.append(layers)
    layers.reach(_wanted[-1])
    yield
    layers.reach(set())
    _layers.clear()


_wanted: list[set[str]] = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: Any) -> None:
    """Bring the database to the layers of a test before its fixtures open a savepoint above them."""
    _wanted[:] = [set(getattr(item, "fixturenames", ()))]
    for layers in _layers:
        layers.reach(_wanted[-1])


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    """Each test has its own data folder."""
    settings.VAR = tmp_path / "var"
    if _layers:
        _layers[-1].fill(settings.VAR)
    else:
        settings.VAR.mkdir()


@pytest.fixture(scope="session", autouse=True)
def _kinds_known() -> Iterator[None]:
    """The same file is checked in a process of its own once, not again for each of the tests that send it."""
    known: dict[bytes, str] = {}
    checked_kind = store._checked_kind

    def checked(path: Path) -> str:
        content = path.read_bytes()
        if content not in known:
            known[content] = checked_kind(path)
        return known[content]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_checked_kind", checked)
        yield


@pytest.fixture
def city() -> City:
    return City(12, 7)


@pytest.fixture
def codes(city: City) -> list[str]:
    return [str(code) for code in city.codes()]


def _make_people() -> None:
    make_people(str(City(12, 7).codes()[0]))


def _people() -> dict[str, User]:
    return {user.username: user for user in User.objects.all()}


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """One account for each role, by the names of the demonstration (city, approver, district, …)."""
    return _people()


def deliver_and_take_in(source: str, content: str | bytes, by: User, *, commit: bool = True, **options: Any) -> Batch:
    """Deliver text or bytes for a source and take it in; return the batch as it then is."""
    data = content.encode() if isinstance(content, str) else content
    options.setdefault("file_name", "test.csv")
    batch, _ = services.deliver(source=source, chunks=[data], way=Batch.Way.UPLOAD, by=by, **options)
    batch = services.process(batch)
    if commit and services.request_commit(batch, by):
        batch.refresh_from_db()
        batch = services.process(batch)
    return batch


@pytest.fixture
def take(people: dict[str, User], release: Any) -> Deliver:
    """Deliver text or bytes for a source and take it in under the flagship rulebook; gives the batch as it then is."""

    def taking(source: str, content: str | bytes, *, by: str = "city", commit: bool = True, **options: Any) -> Batch:
        return deliver_and_take_in(source, content, people[by], commit=commit, **options)

    return taking


def _register(people: dict[str, User]) -> None:
    """Take in the twelve subjects of the city."""
    for name, content in subject_files(City(12, 7).subject_table()):
        batch, _ = services.deliver(
            source=name, chunks=[content], way=Batch.Way.UPLOAD, by=people["city"], file_name="test.csv"
        )
        batch = services.process(batch)
        if services.request_commit(batch, people["city"]):
            batch.refresh_from_db()
            services.process(batch)


def _make_subjects() -> None:
    _register(_people())


@pytest.fixture
def subjects(release: Any) -> list[Subject]:
    """Twelve registered subjects."""
    return list(Subject.objects.order_by("code"))


def _make_registered() -> None:
    batch, _ = services.deliver(
        source="registrations",
        chunks=[registrations_csv(firms(FIRMS, SEED))],
        way=Batch.Way.UPLOAD,
        by=_people()["city"],
        file_name="test.csv",
    )
    services.request_commit(services.process(batch), _people()["city"])
    batch.refresh_from_db()
    assert services.process(batch).accepted == FIRMS


@pytest.fixture
def registered(release: Any) -> None:
    """The firms of the dirty deliveries."""


DOCUMENT = "（虚构）罚字1号"


def _make_penalised_city() -> None:
    first = Subject.objects.order_by("code")[0]
    deliver_and_take_in("penalties", penalty_file((first.code, first.name, DOCUMENT)), _people()["city"])


@pytest.fixture
def penalised_city(subjects: list[Subject]) -> None:
    """Twelve subjects, the first with one penalty: number :data:`DOCUMENT`."""


def _make_evaluated_city() -> None:
    _make_released()
    base, by, today = RulebookRelease.objects.get(), _people()["city"], timezone.localdate()
    text = dump_rulebook(shipped("zhengzhou-ip"))
    draft = Draft.objects.create(title="draft", base=base, text=text, by=by, changed_by=by)
    Consultation.objects.create(
        draft=draft, title="Consultation 1", explanation="Explanation", text=text, sha256=base.sha256, opens_on=today, closes_on=today + timedelta(days=40), by=by,
    )  # fmt: skip


@pytest.fixture
def evaluated_city(penalised_city: None) -> None:
    """The penalised city with a released evaluation and an open consultation."""


def _make_released() -> None:
    people, release = _people(), RulebookRelease.objects.get()
    run = runs.execute(runs.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    assert run.status == "draft", run.error
    propose_run(run, people["city"])
    release_run(run, people["approver"])


@pytest.fixture
def released(subjects: list[Subject]) -> Run:
    """A full run of today over the twelve subjects, released by two persons."""
    return Run.objects.get()


@pytest.fixture
def flagship() -> Rulebook:
    """The flagship, loaded and checked once for all tests: it takes half a second."""
    return shipped("zhengzhou-ip")


@pytest.fixture
def take_under(people: dict[str, User]) -> Callable[[Any], list[Subject]]:
    """Register the twelve subjects under another release than the flagship's."""

    def taking(_release: Any) -> list[Subject]:
        _register(people)
        return list(Subject.objects.order_by("code"))

    return taking


@pytest.fixture
def answer(people: dict[str, User]) -> Callable[[Batch], Run | None]:
    """React to a batch; an event-driven result that waits is released by the approver."""

    def answering(batch: Batch) -> Run | None:
        run = react(batch)
        return release_run(run, people["approver"]) if run is not None and run.status == Run.Status.PROPOSED else run

    return answering


@pytest.fixture
def record(subjects: list[Subject], take: Any, penalty: Any) -> CreditRecord:
    """A penalty of the enterprise that may be repaired since long."""
    day = shift_months(timezone.localdate(), -8).isoformat()
    take("penalties", penalty((subjects[0].code, subjects[0].name, "（虚构）罚1号"), 处罚决定日期=day))
    return CreditRecord.objects.get()


@pytest.fixture
def browser_of(people: dict[str, User]) -> Callable[[str], Browser]:
    """A signed-in browser for a role of the demonstration."""

    def opening(username: str) -> Browser:
        found = Browser()
        found.force_login(people[username], backend="django.contrib.auth.backends.ModelBackend")
        return found

    return opening


def _make_release() -> None:
    people = _people()
    approval.approve_rulebook(approval.propose_rulebook(shipped("zhengzhou-ip"), people["city"]), people["approver"])


@pytest.fixture
def release(people: dict[str, User]) -> RulebookRelease:
    """The flagship rulebook, released by two persons."""
    return RulebookRelease.objects.get()


def penalty_file(*rows: tuple[str, str, str], **changes: str) -> str:
    """Return a file of penalties: one row per (code, name, number), with changes by column title."""
    values = {"行政相对人名称": "", "行政相对人类别": "法人及非法人组织", "统一社会信用代码": "", "行政处罚决定书文号": "",
              "违法行为类型": "商标侵权", "违法事实": "虚构", "处罚依据": "虚构", "处罚类别": "罚款", "处罚内容": "虚构",
              "罚款金额（万元）": "1.5", "处罚决定日期": "2026-08-01", "处罚机关": "虚构机关"} | changes  # fmt: skip
    lines = [",".join(values)]
    for code, name, number in rows:
        lines.append(
            ",".join((values | {"行政相对人名称": name, "统一社会信用代码": code, "行政处罚决定书文号": number}).values())
        )
    return "\n".join(lines)


@pytest.fixture
def penalty() -> Callable[..., str]:
    """See :func:`penalty_file`."""
    return penalty_file
