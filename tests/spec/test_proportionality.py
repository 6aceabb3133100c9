"""过惩相当: a measure answers conduct that the catalogue names, of the grade and class a rule names, and ends.

国家知识产权局知识产权信用管理规定 第九条、第十条; 国办发〔2020〕49号; design of the law digest §7 and §12.2 rule 2.
"""

from __future__ import annotations

from datetime import date

import pytest

from shipped import shipped
from zhixin.law.calendar import shift_months
from zhixin.law.proportionality import Allowed, Conduct, Refused, judge, measures_against

FILING = "filing.abnormal_patent"
TODAY = date(2026, 11, 29)


def dishonest(*days: str, kind: str = FILING) -> list[Conduct]:
    return [Conduct(f"{kind}:{day}", kind, date.fromisoformat(day)) for day in days]


def judged(
    measure: str, conduct: list[Conduct], on: date = TODAY, grade: str = "D", classes: tuple[str, ...] = ()
) -> Allowed | Refused:
    return judge(shipped("zhengzhou-ip"), measure, grade=grade, classes=classes, conduct=conduct, on=on)


@pytest.mark.parametrize(
    ("on", "runs"),
    [("2027-03-09", True), ("2027-03-10", False), ("2027-03-11", False), ("2026-03-10", True), ("2026-03-09", False)],
)
def test_one_document_answers_for_a_year_from_its_day(on: str, runs: bool) -> None:
    found = judged("fund_scrutiny", dishonest("2026-03-10"), date.fromisoformat(on))
    assert isinstance(found, Allowed) is runs


def test_a_second_document_within_the_year_appends_its_year() -> None:
    found = judged("fund_scrutiny", dishonest("2026-03-10", "2026-10-01"))
    assert isinstance(found, Allowed)
    assert found.until == date(2028, 3, 10)
    assert found.keys == [f"{FILING}:2026-03-10", f"{FILING}:2026-10-01"]


@pytest.mark.parametrize("documents", [3, 4, 9])
def test_all_terms_together_are_at_most_three_years(documents: int) -> None:
    found = judged("fund_scrutiny", dishonest(*(["2026-03-10"] + ["2026-04-01"] * (documents - 1))))
    assert isinstance(found, Allowed)
    assert found.until == max(date(2029, 3, 10), shift_months(date(2026, 4, 1), min(12 * (documents - 1), 36)))


def test_a_document_after_the_first_term_begins_a_new_one_and_is_the_only_cause() -> None:
    found = judged("fund_scrutiny", dishonest("2022-01-01", "2026-06-01"))
    assert isinstance(found, Allowed)
    assert (found.until, found.keys) == (date(2027, 6, 1), [f"{FILING}:2026-06-01"])


@pytest.mark.parametrize(
    ("measure", "conduct", "grade", "reason"),
    [
        ("fund_scrutiny", [], "D", "no_conduct"),
        ("fund_scrutiny", dishonest("2026-03-10", kind="judgment.lost"), "D", "no_conduct"),
        ("fund_scrutiny", dishonest("2026-03-10", kind="list.serious"), "D", "no_conduct"),
        ("fund_scrutiny", dishonest("2025-11-29"), "D", "term_over"),
        ("fund_scrutiny", dishonest("2026-11-30"), "D", "no_conduct"),
        ("fund_scrutiny", dishonest("2026-03-10"), "B", "not_of_the_grade"),
        ("fund_scrutiny", dishonest("2026-03-10"), "", "not_of_the_grade"),
        ("random_inspection", dishonest("2026-03-10"), "D", "not_in_the_catalogue"),
        ("detention", dishonest("2026-03-10"), "D", "not_in_the_catalogue"),
    ],
)
def test_what_the_catalogue_does_not_allow_is_refused_with_its_reason(
    measure: str, conduct: list[Conduct], grade: str, reason: str
) -> None:
    found = judged(measure, conduct, grade=grade)
    assert isinstance(found, Refused)
    assert found.reason == reason


def test_a_listing_answers_for_three_years_by_its_own_article() -> None:
    found = judged("award_exclusion", dishonest("2026-03-10", kind="list.serious") + dishonest("2026-05-01"))
    assert isinstance(found, Allowed)
    assert [(answer.until, answer.basis[0].document) for answer in found.answers] == [
        (date(2027, 5, 1), "cnipa_2022"), (date(2029, 3, 10), "samr_44"),
    ]  # fmt: skip
    assert found.until == date(2029, 3, 10)


def test_a_grade_alone_brings_no_measure_against_a_subject() -> None:
    found = list(measures_against(shipped("zhengzhou-ip"), grade="D", classes=(), conduct=[], on=TODAY))
    assert found
    assert all(isinstance(item, Refused) and item.reason == "no_conduct" for item in found)


DATED = [
    ((12, 3), ["2026-05-31"], "2027-05-31", 1),
    ((12, 3), ["2026-06-01"], "2026-09-01", 1),
    ((12, 3), ["2026-05-31", "2026-06-01"], "2027-08-31", 2),
    ((3, 12), ["2026-05-31", "2026-06-01"], "2027-08-31", 2),
    ((12, 3), ["2025-05-01", "2026-07-01"], "2026-10-01", 1),
    ((12, 12), ["2025-09-10", "2026-06-10"], "2027-09-10", 2),
    ((12, 12), ["2025-05-10", "2026-06-10"], "2027-06-10", 1),
]
"""Months before and since 2026-06-01, documents, the first day without the measure, how many documents it answers."""


@pytest.mark.parametrize(("months", "documents", "until", "answered"), DATED)
def test_each_document_has_the_term_in_force_on_its_day(
    months: tuple[int, int], documents: list[str], until: str, answered: int
) -> None:
    raw = shipped("zhengzhou-ip").dump()
    line = next(item for item in raw["measure_catalogue"] if item["code"] == "fund_scrutiny")
    line["answers"][0]["months"] = {
        "values": {
            "2021-01-01": {"value": months[0], "document": "cnipa_2022", "verified": False},
            "2026-06-01": {"value": months[1], "document": "cnipa_2022", "verified": False},
        }
    }
    rulebook = type(shipped("zhengzhou-ip")).model_validate(raw)
    found = judge(rulebook, "fund_scrutiny", grade="D", classes=(), conduct=dishonest(*documents), on=date(2026, 7, 1))
    assert isinstance(found, Allowed)
    assert (found.until, len(found.keys)) == (date.fromisoformat(until), answered)


def test_a_document_of_a_time_without_a_term_stands_in_no_run() -> None:
    raw = shipped("zhengzhou-ip").dump()
    line = next(item for item in raw["measure_catalogue"] if item["code"] == "fund_scrutiny")
    line["answers"][0]["months"] = {
        "values": {
            "2021-01-01": {"value": 12, "document": "cnipa_2022", "verified": False},
            "2026-02-01": {"value": None, "document": "cnipa_2022", "verified": False},
            "2026-06-01": {"value": 12, "document": "cnipa_2022", "verified": False},
        }
    }
    rulebook = type(shipped("zhengzhou-ip")).model_validate(raw)
    days = ["2026-01-10", "2026-03-01", "2026-06-10"]
    found = judge(rulebook, "fund_scrutiny", grade="D", classes=(), conduct=dishonest(*days), on=date(2026, 7, 1))
    assert isinstance(found, Allowed)
    assert (found.until, found.keys) == (date(2028, 1, 10), [f"{FILING}:2026-01-10", f"{FILING}:2026-06-10"])


def test_a_rule_shortens_the_term_and_holds_for_its_classes_only() -> None:
    raw = shipped("zhengzhou-ip").dump()
    rule = next(item for item in raw["measures"] if item["measure"] == "fund_scrutiny")
    rule |= {"duration_months": 6, "classes": ["ip_agency"]}
    rulebook = type(shipped("zhengzhou-ip")).model_validate(raw)
    for classes, reason in ((("patent_owner",), "not_of_the_class"), (("ip_agency", "patent_owner"), None)):
        found = judge(rulebook, "fund_scrutiny", grade="D", classes=classes, conduct=dishonest("2026-06-01"), on=TODAY)
        assert getattr(found, "reason", None) == reason
        if reason is None:
            assert isinstance(found, Allowed)
            assert found.until == date(2026, 12, 1)
