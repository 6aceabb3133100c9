"""Grades by group: small groups are put together, nothing is lost, a burden on one group is found and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client as Browser
from django.utils import timezone

from shipped import shipped
from zhixin.dataset.snapshot import sha256_of
from zhixin.evaluation.outcome import CONTRIBUTIONS, GRADES
from zhixin.law.calendar import shift_months
from zhixin.law.rulebook import Rulebook
from zhixin_web.evaluations import fairness
from zhixin_web.evaluations.fairness import FEWEST, FEWEST_HITS, OTHERS, Distribution, group_distributions
from zhixin_web.evaluations.models import Run, Segment
from zhixin_web.evaluations.services import runs as services
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.snapshots import RECORDS, run_folder, segment_file, segment_folder, subjects_segment_schema
from zhixin_web.rulebooks.services import approval as rulebook_services

FLAGSHIP = shipped("zhengzhou-ip")
AS_OF = date(2026, 11, 1)
MARK = "trademark_general"
OTHER_MARK = FLAGSHIP.indicators[0].id


@dataclass
class Town:
    """Subjects with one attribute that matters here, their grades, and who lost points by which indicator."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, count: int, grade: str = "B", struck: tuple[str, ...] = (), **attributes: Any) -> Town:
        for _ in range(count):
            self.rows.append({"id": f"s{len(self.rows):05d}", "grade": grade, "struck": struck, **attributes})
        return self


Publish = Callable[..., Run]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """Distributions are kept by the number of the run, which the next test gives anew."""
    fairness._distribution.cache_clear()
    yield
    fairness._distribution.cache_clear()


def _seal(rows: list[dict[str, Any]]) -> None:
    folder = segment_folder()
    folder.mkdir(parents=True, exist_ok=True)
    schema = subjects_segment_schema()
    last = max(row["seq"] for row in rows)
    tables = {"subjects": pa.Table.from_pylist(rows, schema=schema), "records": RECORDS.empty_table()}
    for name, table in tables.items():
        pq.write_table(table, segment_file(folder, name, 0, last))
    hashes = {f"sha256_{name}": sha256_of(segment_file(folder, name, 0, last)) for name in tables}
    Segment.objects.create(first_seq=0, last_seq=last, **hashes)


@pytest.fixture
def publish(release: Any, people: Any) -> Publish:
    """A released run over a town, written as a run would write it."""

    def publishing(town: Town, *, later: tuple[dict[str, Any], ...] = (), **changes: Any) -> Run:
        head = {"source": "registrations", "version": 1, "is_registered": True}
        rows = [
            {
                **head,
                "seq": number,
                "subject_id": row["id"],
                **{k: v for k, v in row.items() if k not in ("id", "grade", "struck")},
            }
            for number, row in enumerate(town.rows)
        ]
        if not Segment.objects.exists():
            _seal([*rows, *({**head, "seq": len(rows) + number, **row} for number, row in enumerate(later))])
        values: dict[str, Any] = {
            "release": release, "as_of": AS_OF, "known_seq": len(rows) + len(later) - 1, "status": "released", "started_by": people["city"],
            "proposed_by": people["city"], "released_by": people["approver"], "released_at": timezone.now(),
            "folder": f"made-{Run.objects.count()}", "summary": {"subjects": len(rows)},
        }  # fmt: skip
        run = Run.objects.create(**(values | changes))
        folder = run_folder(run)
        folder.mkdir(parents=True)
        grades = [{"subject_id": row["id"], "grade": row["grade"], "score_milli": 80_000} for row in town.rows]
        points = [
            {
                "subject_id": row["id"],
                "indicator": name.lstrip("+"),
                "points_milli": 3_000 if name.startswith("+") else -3_000,
            }
            for row in town.rows
            for name in row["struck"]
        ]
        pq.write_table(pa.Table.from_pylist(grades, schema=GRADES), folder / "grades.parquet")
        pq.write_table(pa.Table.from_pylist(points, schema=CONTRIBUTIONS), folder / "contributions.parquet")
        return run

    return publishing


def found(by: str = "industry") -> Distribution:
    result = group_distributions(by)
    assert result is not None
    return result


def sizes(result: Distribution) -> dict[str, int]:
    return {item.name: item.subjects for item in result.groups}


# --- groups -------------------------------------------------------------------------------------------------------


def test_groups_below_thirty_are_put_together(publish: Publish) -> None:
    publish(
        Town().add(FEWEST - 1, industry="A").add(FEWEST, industry="B").add(FEWEST + 1, industry="C").add(5, industry="D")
    )
    assert sizes(found()) == {"C": 31, "B": 30, OTHERS: 34}
    assert FEWEST == 30


def test_nothing_is_put_together_where_every_group_is_large(publish: Publish) -> None:
    publish(Town().add(40, industry="A").add(30, industry="B"))
    assert sizes(found()) == {"A": 40, "B": 30}


def test_what_is_put_together_is_not_shown_while_it_is_below_thirty_itself(publish: Publish) -> None:
    """One small group alone put together with nothing is still the five of that group, with their grades."""
    publish(Town().add(60, industry="A").add(40, industry="B").add(5, "D", industry="Z"))
    result = found()
    assert min(sizes(result).values()) >= FEWEST, sizes(result)
    assert result.subjects == 105


@pytest.mark.parametrize("by", ["district", "industry", "ownership", "scale", "age"])
def test_counts_add_up_to_the_graded_of_the_run(publish: Publish, by: str) -> None:
    town = Town()
    for number in range(240):
        days = timedelta(days=number * 30)
        town.add(
            1, "ABCD"[number % 4], industry="ABCDE"[number % 5 and number % 3], district=["410105", "410102", None][number % 3],
            ownership=["国有", "民营"][number % 2], scale=[None, "大型", "微型"][number % 3], established_on=AS_OF - days,
        )  # fmt: skip
    publish(town)
    result = found(by)
    assert len(result.groups) > 1
    assert sum(sizes(result).values()) == result.subjects == len(town.rows)
    for group in result.groups:
        assert sum(count for _grade, count in group.grades) == group.subjects
        assert [grade for grade, _count in group.grades] == list(result.grades) == ["A", "B", "C", "D"]
        assert group.low == dict(group.grades)["C"] + dict(group.grades)["D"]
        assert group.share == group.low / group.subjects
    assert result.overall == 0.5


def test_who_has_no_grade_of_the_ladder_is_not_counted(publish: Publish) -> None:
    publish(Town().add(50, industry="A").add(7, "N", industry="A").add(45, "N", industry="B"))
    result = found()
    assert (sizes(result), result.subjects) == ({"A": 50}, 50)


def test_subjects_of_whom_nothing_is_registered_are_a_group_too(publish: Publish) -> None:
    publish(Town().add(40, industry="A").add(33, industry=None))
    assert sizes(found()) == {"A": 40, "": 33}


def test_the_last_registration_that_the_run_knew_counts(publish: Publish) -> None:
    town = Town().add(40, industry="A").add(40, industry="B")
    moved = tuple({"subject_id": f"s{number:05d}", "industry": "B", "version": 2} for number in range(5))
    publish(town, later=moved)
    assert sizes(found()) == {"B": 45, "A": 35}
    publish(town, later=moved, known_seq=len(town.rows) - 1)
    assert sizes(found()) == {"A": 40, "B": 40}


@pytest.mark.parametrize(
    ("years", "days", "name"),
    [
        (3, 1, "3-9"),
        (3, 0, "3-9"),
        (3, -1, "0-2"),
        (10, 1, "10+"),
        (10, 0, "10+"),
        (10, -1, "3-9"),
        (0, 0, "0-2"),
        (1, 0, "0-2"),
    ],
)
def test_age_is_counted_in_whole_years(publish: Publish, years: int, days: int, name: str) -> None:
    """Less than three years is less than three years, not three calendar years begun."""
    publish(Town().add(FEWEST, established_on=shift_months(AS_OF, -12 * years) - timedelta(days=days)))
    assert sizes(found("age")) == {name: FEWEST}


# --- shares and intervals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("low", [0, 1, 15, 59, 60])
def test_intervals_contain_the_share(publish: Publish, low: int) -> None:
    publish(Town().add(low, "D", industry="A").add(60 - low, "A", industry="A").add(200, "B", industry="B"))
    for group in found().groups:
        lowest, highest = group.interval
        assert 0 <= lowest <= group.share <= highest <= 1, group
        assert lowest < highest, group


def test_an_even_spread_shows_no_difference(publish: Publish) -> None:
    town = Town()
    for industry in "ABCDE":
        town.add(40, industry=industry).add(10, "D", industry=industry)
    publish(town)
    result = found()
    assert [group.differs for group in result.groups] == [False] * 5
    assert result.overall == 0.2


def test_a_group_with_worse_grades_is_marked_and_the_others_are_not(publish: Publish) -> None:
    town = Town().add(30, industry="A").add(30, "C", industry="A")
    for industry in "BCDEFGHI":
        town.add(90, industry=industry).add(10, "C", industry=industry)
    publish(town)
    assert {group.name: group.differs for group in found().groups} == {"A": True} | dict.fromkeys("BCDEFGHI", False)


# --- burdens ------------------------------------------------------------------------------------------------------


def test_penalties_on_one_industry_only_are_found(publish: Publish) -> None:
    town = Town().add(20, industry="C").add(40, "C", (MARK,), industry="C")
    publish(town.add(150, industry="F").add(90, industry="I"))
    burdens = found().burdens
    assert [(item.indicator, item.cohort, item.hits, item.subjects) for item in burdens] == [(MARK, "C", 40, 60)]
    assert (burdens[0].share, burdens[0].overall) == (40 / 60, 40 / 300)
    assert burdens[0].interval[0] <= burdens[0].share <= burdens[0].interval[1]
    assert burdens[0].title == {"zh": FLAGSHIP.indicator[MARK].title.zh, "en": FLAGSHIP.indicator[MARK].title.en}


def test_the_same_penalties_spread_evenly_are_no_burden(publish: Publish) -> None:
    town = Town()
    for industry, count in (("C", 60), ("F", 150), ("I", 90)):
        town.add(count - count * 2 // 15, industry=industry).add(count * 2 // 15, "C", (MARK,), industry=industry)
    publish(town)
    result = found()
    assert sum(len(row["struck"]) for row in town.rows) == 40
    assert result.burdens == ()


def test_points_that_are_given_are_no_burden(publish: Publish) -> None:
    publish(Town().add(60, "A", (f"+{MARK}",), industry="C").add(240, industry="F"))
    assert found().burdens == ()


@pytest.mark.parametrize(("hits", "told"), [(FEWEST_HITS - 1, False), (FEWEST_HITS, True), (FEWEST_HITS + 1, True)])
def test_fewer_than_five_struck_say_nothing_about_a_group(publish: Publish, hits: int, told: bool) -> None:
    town = Town().add(FEWEST - hits, industry="C").add(hits, "C", (MARK,), industry="C").add(1000, industry="F")
    publish(town)
    assert bool(found().burdens) is told


@pytest.mark.parametrize(("elsewhere", "told"), [(100, True), (1200, False)])
def test_a_burden_lies_clearly_above_what_everybody_bears(publish: Publish, elsewhere: int, told: bool) -> None:
    """Half of one group is struck; of the others a twentieth, or more than half."""
    town = Town().add(100, industry="C").add(100, "C", (MARK,), industry="C")
    publish(town.add(2000 - elsewhere, industry="F").add(elsewhere, "C", (MARK,), industry="F"))
    assert bool([item for item in found().burdens if item.cohort == "C"]) is told


def test_burdens_are_told_from_the_heaviest_on(publish: Publish) -> None:
    town = Town().add(60, "C", (MARK,), industry="C").add(300, industry="F").add(300, industry="I")
    town.add(60, "C", (OTHER_MARK,), industry="K").add(40, "C", (OTHER_MARK,), industry="F")
    publish(town)
    burdens = found().burdens
    assert [(item.indicator, item.cohort) for item in burdens] == [(MARK, "C"), (OTHER_MARK, "K")]
    assert burdens[0].share / burdens[0].overall > burdens[1].share / burdens[1].overall


def test_a_burden_on_a_small_group_is_told_of_those_put_together_only(publish: Publish) -> None:
    town = Town().add(20, "C", (MARK,), industry="Y").add(15, industry="Z").add(500, industry="F")
    publish(town)
    assert [(item.cohort, item.hits, item.subjects) for item in found().burdens] == [(OTHERS, 20, 35)]


# --- which run ----------------------------------------------------------------------------------------------------


def test_without_a_released_full_run_there_is_nothing(publish: Publish) -> None:
    assert group_distributions("industry") is None
    town = Town().add(40, industry="A")
    publish(town, status="draft", released_by=None, released_at=None)
    publish(town, kind="event")
    assert group_distributions("industry") is None
    full = publish(town)
    assert found().run == full.pk


def test_the_newest_release_counts(publish: Publish) -> None:
    town = Town().add(40, "B", industry="A")
    publish(town)
    assert found().overall == 0
    for row in town.rows:
        row["grade"] = "D"
    publish(town)
    assert found().overall == 1


def test_grades_that_are_not_public_are_not_told_by_group(publish: Publish, people: Any) -> None:
    dump = FLAGSHIP.dump()
    dump["visibility"]["grade"] = "internal"
    hidden = rulebook_services.propose_rulebook(Rulebook.model_validate(dump), people["city"])
    hidden = rulebook_services.approve_rulebook(hidden, people["approver"])
    publish(Town().add(40, industry="A"), release=hidden)
    assert group_distributions("industry") is None
    assert "还没有可以公开的评价结果" in Browser().get("/fairness?by=industry").content.decode()


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_page_tells_groups_and_burdens_in_words(publish: Publish) -> None:
    publish(Town().add(60, "C", (MARK,), industry="C").add(240, industry="F").add(17, industry="A").add(16, industry="B"))
    page = Browser().get("/fairness?by=industry").content.decode()
    for words in ("制造", "批发", "其余各组", FLAGSHIP.indicator[MARK].title.zh, "100.0%", "有差异"):
        assert words in page, words
    browser = Browser()
    browser.cookies["django_language"] = "en"
    answer = browser.get("/fairness?by=industry")
    assert answer.status_code == 200
    assert FLAGSHIP.indicator[MARK].title.en in answer.content.decode()


def test_an_unknown_group_falls_back_on_districts(publish: Publish) -> None:
    publish(Town().add(40, district="410105"))
    for by in ("", "name", "code", "district'; DROP TABLE member; --"):
        answer = Browser().get("/fairness", {"by": by})
        assert (answer.status_code, "金水区" in answer.content.decode()) == (200, True), by


def test_a_run_through_the_whole_pipeline_is_told_by_group(subjects: Any, release: Any, people: Any) -> None:
    run = services.execute(services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(run, people["city"])
    run = release_run(run, people["approver"])
    graded = sum(count for grade, count in run.summary["grades"].items() if grade in FLAGSHIP.grade_rank)
    for by in fairness.latest_groups():
        result = found(by)
        assert (result.run, result.subjects) == (run.pk, graded)
        assert not {name for name in sizes(result) if name != OTHERS}, "twelve subjects are never told apart"
    assert set(fairness.latest_groups()) == {"district", "industry", "ownership", "scale", "age"}
