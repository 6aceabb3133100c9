"""Rulebook governance: drafts checked on every save, numbers by form, what-if, consultation, expert weights, monitoring."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client as Browser
from django.utils import timezone

from zhixin.law.loading import loads_rulebook
from zhixin_web.evaluations.models import CurrentGrade, Run
from zhixin_web.evaluations.services import runs as run_services
from zhixin_web.evaluations.services.release import propose_run, release_run
from zhixin_web.evaluations.snapshots import run_folder
from zhixin_web.governance.forms import editable_numbers, with_effective_date, with_numbers
from zhixin_web.governance.models import Consultation, Draft
from zhixin_web.governance.monitoring import note_of, watched
from zhixin_web.governance.services import drafts as services
from zhixin_web.governance.services.consultations import file_comment, open_consultation, publish_summary, reply_comment
from zhixin_web.governance.services.panels import open_panel, save_sheet
from zhixin_web.governance.weights import combined_weights
from zhixin_web.governance.what_if import do_what_if
from zhixin_web.records.models import Subject
from zhixin_web.rulebooks.deadlines import clock


@pytest.fixture
def draft(release: Any, people: Any) -> Draft:
    return services.open_draft(release, title="测试草案", by=people["city"])


@pytest.fixture
def run(subjects: list[Subject], take: Any, penalty: Any, release: Any, people: Any) -> Run:
    """Twelve subjects, two of them with penalties, evaluated and released."""
    take("penalties", penalty(*[(item.code, item.name, f"（虚构）罚{n}") for n, item in enumerate(subjects[:2])]))
    made = run_services.execute(run_services.start_run(release, as_of=timezone.localdate(), by=people["city"]))
    propose_run(made, people["city"])
    return release_run(made, people["approver"])


def save(draft: Draft, by: Any, **changes: str) -> Draft:
    values: dict[str, Any] = {"text": draft.text, "cases": draft.cases, "revision": draft.revision} | changes
    return services.save_draft(draft, by=by, **values)


# --- drafts ---------------------------------------------------------------------------------------------------------------


def test_a_draft_begins_as_the_version_with_its_cases_and_without_errors(draft: Draft, release: Any) -> None:
    assert loads_rulebook(draft.text).sha256 == release.sha256
    assert not [item for item in draft.faults if not item["is_warning"]]
    assert draft.results["cases"] > 400
    assert draft.results["disagreements"] == []


def test_a_fault_is_kept_with_its_line_and_shown_beside_it(draft: Draft, people: Any) -> None:
    spoilt = draft.text.replace("dimension: basic", "dimension: nowhere", 1)
    line = spoilt[: spoilt.index("dimension: nowhere")].count("\n") + 1
    found = save(draft, people["city"], text=spoilt)
    assert line in {item["line"] for item in found.faults if not item["is_warning"]}
    browser = Browser()
    browser.force_login(people["city"])
    page = browser.get(f"/c/drafts/{draft.pk}").content.decode()
    assert f'data-line="{line}"' in page
    assert "dimension: nowhere" in page


def test_a_change_that_breaks_a_case_is_told_and_cannot_be_put_forward(draft: Draft, people: Any) -> None:
    found = save(draft, people["city"], text=with_numbers(draft.text, {"score/start/otherwise": "70"}))
    assert found.results["disagreements"]
    with pytest.raises(ValidationError, match="用例未通过"):
        services.put_forward(found, by=people["city"], effective_from=timezone.localdate())


def test_a_save_over_somebody_elses_save_is_refused_and_nothing_is_lost(draft: Draft, people: Any) -> None:
    save(draft, people["city"], text=draft.text + "\n")
    with pytest.raises(ValidationError, match="修改过"):
        save(draft, people["city"], text="mine")
    draft.refresh_from_db()
    assert draft.text != "mine"
    assert draft.revision == 2


def test_only_those_who_draft_may_draft(release: Any, people: Any, draft: Draft) -> None:
    for name in ("approver", "district", "auditor", "department"):
        with pytest.raises(PermissionDenied):
            services.open_draft(release, title="x", by=people[name])
        with pytest.raises(PermissionDenied):
            save(draft, people[name])


@pytest.mark.parametrize(("days", "is_refused"), [(None, True), (-1, True), (0, False), (1, False)])
def test_the_day_of_entry_is_given_and_not_in_the_past(
    draft: Draft, people: Any, days: int | None, is_refused: bool
) -> None:
    changed = save(draft, people["city"], cases="", text=draft.text.replace("建议稿", "新稿"))
    day = None if days is None else timezone.localdate() + timedelta(days=days)
    if is_refused:
        with pytest.raises(ValidationError, match="施行日期"):
            services.put_forward(changed, by=people["city"], effective_from=day)
    else:
        assert services.put_forward(changed, by=people["city"], effective_from=day).status == "proposed"


@pytest.mark.parametrize(("closed", "answered"), [(False, True), (True, False), (True, True)])
def test_a_consultation_binds(draft: Draft, people: Any, closed: bool, answered: bool) -> None:
    changed = save(draft, people["city"], cases="", text=draft.text.replace("建议稿", "新稿"))
    today = timezone.localdate()
    consultation = open_consultation(
        changed,
        title="征求意见",
        explanation="起草说明：调整分值的理由如下。",
        closes_on=today + timedelta(days=60),
        by=people["city"],
    )
    comment = file_comment(consultation, about="", stance="change", text="建议调整分值")
    if answered:
        reply_comment(comment, reply="已采纳您的意见", is_adopted=True, by=people["city"])
    if closed:
        Consultation.objects.filter(pk=consultation.pk).update(
            opens_on=today - timedelta(days=40), closes_on=today - timedelta(days=1)
        )
    if closed and answered:
        assert services.put_forward(changed, by=people["city"], effective_from=today).status == "proposed"
    else:
        with pytest.raises(ValidationError, match=r"截止|未答复"):
            services.put_forward(changed, by=people["city"], effective_from=today)


def test_a_draft_is_put_forward_with_its_day_and_then_closed(draft: Draft, people: Any) -> None:
    day = timezone.localdate() + timedelta(days=40)
    changed = save(draft, people["city"], cases="", text=with_numbers(draft.text, {"ladder/0/at_least": "88"}))
    proposed = services.put_forward(changed, by=people["city"], effective_from=day)
    assert (proposed.status, proposed.effective_from) == ("proposed", day)
    draft.refresh_from_db()
    assert draft.is_closed
    with pytest.raises(ValidationError, match="不能再改"):
        save(draft, people["city"])


# --- the form -------------------------------------------------------------------------------------------------------------


def test_the_form_offers_every_number_of_indicators_grades_and_measures(draft: Draft) -> None:
    groups = editable_numbers(draft.text, "zh")
    paths = {field.path for group in groups for field in group.fields}
    assert {"ladder/0/at_least", "score/start/otherwise", "measures/1/inspect/ratio"} <= paths
    assert sum(group.section == "indicators" for group in groups) == len(loads_rulebook(draft.text).indicators)
    assert all(group.words for group in groups if group.section in ("indicators", "ladder", "measures"))


@pytest.mark.parametrize("typed", ["88", "88.5", "-0.125", "1000000"])
def test_a_number_of_the_form_changes_exactly_that_number(draft: Draft, typed: str) -> None:
    before, after = loads_rulebook(draft.text).dump(), None
    changed = with_numbers(draft.text, {"ladder/0/at_least": typed, "nonsense": "7"})
    found = [group for group in editable_numbers(changed, "zh") if group.section == "ladder"]
    assert found[0].fields[0].value == typed
    other = [
        (g.title, f.path, f.value)
        for g in editable_numbers(changed, "zh")
        for f in g.fields
        if f.path != "ladder/0/at_least"
    ]
    assert other == [
        (g.title, f.path, f.value)
        for g in editable_numbers(draft.text, "zh")
        for f in g.fields
        if f.path != "ladder/0/at_least"
    ]
    if typed == "88":
        after = loads_rulebook(changed).dump()
        before["ladder"][0]["at_least"] = 88
        assert after == before


@pytest.mark.parametrize("typed", ["", "八十", "1e400", "NaN", "1,000", "9" * 20])
def test_what_is_no_number_is_refused_by_name(draft: Draft, typed: str) -> None:
    with pytest.raises(ValidationError, match="ladder/0/at_least"):
        with_numbers(draft.text, {"ladder/0/at_least": typed})


def test_a_key_called_on_and_a_tiny_number_survive_form_and_date(draft: Draft) -> None:
    text = "score: {start: {otherwise: 0.00001}}\nindicators:\n- {id: a, measure: {of: {on: occurred_on, within: {months: 12}}}}\n"
    for changed in (
        with_numbers(text, {"indicators/0/measure/of/within/months": "6"}),
        with_effective_date(text, timezone.localdate()),
    ):
        assert "'on': occurred_on" in changed
        assert "0.00001" in changed


# --- what if --------------------------------------------------------------------------------------------------------------


def test_a_what_if_tells_who_moves_by_group_and_changes_nothing(draft: Draft, run: Run, people: Any) -> None:
    before = list(CurrentGrade.objects.order_by("pk").values_list("pk", "grade", "score_milli"))
    changed = save(
        draft,
        people["city"],
        cases="",
        text=with_numbers(draft.text, {"ladder/1/at_least": "95", "ladder/0/at_least": "96"}),
    )
    item = do_what_if(services.start_what_if(changed, run, by=people["city"]))
    assert (item.status, item.error) == ("done", "")
    result = item.result
    assert result["moved"] == len(result["movers"]) > 0
    assert sum(sum(row) for row in result["matrix"]) == result["subjects"] == Subject.objects.count()
    for rows in result["groups"].values():
        assert sum(row["subjects"] for row in rows) == result["subjects"]
        assert sum(row["better"] + row["worse"] for row in rows) == result["moved"]
    assert sum(row["after"] for row in result["workload"]) > sum(row["before"] for row in result["workload"])
    assert list(CurrentGrade.objects.order_by("pk").values_list("pk", "grade", "score_milli")) == before


def test_an_unchanged_draft_moves_nobody(draft: Draft, run: Run, people: Any) -> None:
    item = do_what_if(services.start_what_if(draft, run, by=people["city"]))
    assert item.result["moved"] == 0
    assert services.start_what_if(draft, run, by=people["city"]).pk == item.pk, "the same question has the same answer"


# --- consultation -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("extra", "is_open"), [(-1, False), (0, True), (1, True)])
def test_a_consultation_is_no_shorter_than_the_rule_says(draft: Draft, people: Any, extra: int, is_open: bool) -> None:
    closes = clock("consultation.shortest", timezone.localdate()).due_on + timedelta(days=extra)
    options: dict[str, Any] = {
        "title": "征求意见",
        "explanation": "起草说明：为便于测试而拟",
        "closes_on": closes,
        "by": people["city"],
    }
    if is_open:
        assert open_consultation(draft, **options).closes_on == closes
    else:
        with pytest.raises(ValidationError, match="不早于"):
            open_consultation(draft, **options)


def test_comments_are_answered_in_public_and_summed_up_after_the_term(draft: Draft, people: Any) -> None:
    today = timezone.localdate()
    item = open_consultation(
        draft,
        title="征求意见",
        explanation="起草说明：为便于测试而拟",
        closes_on=today + timedelta(days=60),
        by=people["city"],
    )
    comment = file_comment(item, about="ladder", stance="change", text="建议降低 A 级界限")
    with pytest.raises(ValidationError, match="截止"):
        publish_summary(item, summary="采纳情况：收到意见若干条", by=people["city"])
    type(item).objects.filter(pk=item.pk).update(opens_on=today - timedelta(days=60), closes_on=today - timedelta(days=1))
    item.refresh_from_db()
    with pytest.raises(ValidationError, match="征求意见已截止"):
        file_comment(item, about="", stance="support", text="迟到的意见")
    with pytest.raises(ValidationError, match="未答复"):
        publish_summary(item, summary="采纳情况：收到意见若干条", by=people["city"])
    reply_comment(comment, reply="已采纳，界限改为 88 分", is_adopted=True, by=people["city"])
    publish_summary(item, summary="收到意见一条，采纳一条。", by=people["city"])
    page = Browser().get(f"/consultations/{item.pk}").content.decode()
    assert all(words in page for words in ("建议降低 A 级界限", "已采纳，界限改为 88 分", "收到意见一条，采纳一条。"))


# --- expert weights ---------------------------------------------------------------------------------------------------------


def test_consistent_sheets_count_and_inconsistent_ones_say_which_three(draft: Draft, run: Run, people: Any) -> None:
    panel = open_panel(draft, run, title="第一轮", share_milli=1000, by=people["city"])
    size = len(panel.names)
    even = save_sheet(panel, expert="甲", judgements=["1"] * (size * (size - 1) // 2), by=people["city"])
    assert (even.is_consistent, even.ratio_milli) == (True, 0)
    cycle = ["9"] * (size * (size - 1) // 2)
    cycle[1] = "1/9"
    odd = save_sheet(panel, expert="乙", judgements=cycle, by=people["city"])
    assert not odd.is_consistent
    assert "最矛盾的三项" in odd.remark
    together = combined_weights(panel)
    assert together.sheets == 1
    assert together.experts is not None
    assert sum(together.experts.values()) == pytest.approx(1)
    assert list(together.experts.values()) == pytest.approx([1 / size] * size)


def test_every_pair_must_be_judged_on_the_scale(draft: Draft, run: Run, people: Any) -> None:
    panel = open_panel(draft, run, title="第一轮", share_milli=500, by=people["city"])
    pairs = len(panel.names) * (len(panel.names) - 1) // 2
    for wrong in (["1"] * (pairs - 1), ["1"] * (pairs - 1) + ["10"], ["1"] * (pairs - 1) + [""]):
        with pytest.raises(ValidationError, match="每一对"):
            save_sheet(panel, expert="甲", judgements=wrong, by=people["city"])


# --- monitoring -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("covered", "drift", "hit", "interval", "base", "note"),
    [
        (0, None, None, None, None, "silent"),
        (1, None, None, None, None, ""),
        (100, 0.1, None, None, None, ""),
        (100, 0.101, None, None, None, "drifts"),
        (100, 0.25, None, None, None, "drifts"),
        (100, 0.251, None, None, None, "drifted"),
        (100, 0.0, (9, 29), (0.2, 0.5), 0.4, ""),
        (100, 0.0, (12, 30), (0.25, 0.57), 0.4, "separates_no_more"),
        (100, 0.0, (13, 30), (0.27, 0.61), 0.4, ""),
        (100, 0.2, (3, 30), (0.03, 0.26), 0.4, "separates_no_more"),
    ],
)
def test_the_note_of_an_indicator(covered: int, drift: Any, hit: Any, interval: Any, base: Any, note: str) -> None:
    assert note_of(covered, drift, hit, interval, base) == note


def test_every_indicator_is_watched_and_coverage_is_counted(run: Run) -> None:
    rows = {row.indicator: row for row in watched(run, None)}
    assert len(rows) == len(loads_rulebook(run.release.text).indicators)
    assert rows["trademark_general"].subjects == 2
    assert rows["trademark_general"].coverage == pytest.approx(2 / 12)
    assert rows["madrid_registered"].note == "silent"


def test_the_page_stands_where_the_archive_of_a_run_is_missing(run: Run, people: Any) -> None:
    browser = Browser()
    browser.force_login(people["city"])
    assert "madrid" not in browser.get("/c/indicators").content.decode()
    assert "马德里国际注册" in browser.get("/c/indicators").content.decode()
    (run_folder(run) / "contributions.parquet").unlink()
    assert browser.get("/c/indicators").status_code == 200
