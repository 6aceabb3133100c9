"""A record whose source writes the name of its subject otherwise shows both, inside and to the public."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from zhixin_web.records.models import CreditRecord, Subject

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_other", [True, False])
def test_the_name_as_reported_stands_where_it_differs(
    take: Any, penalty: Any, subjects: list[Subject], browser_of: Any, is_other: bool
) -> None:
    subject = subjects[0]
    written = subject.name.translate(str.maketrans("（）", "()")) if is_other else subject.name
    take("penalties", penalty((subject.code, written, "（虚构）罚1号")))
    record = CreditRecord.objects.get()
    pages = [
        browser_of("city").get(f"/c/records/{record.pk}").content.decode(),
        Browser().get(f"/e/{subject.code}/r/{record.pk}").content.decode(),
    ]
    assert written != subject.name or not is_other
    for page in pages:
        assert ("来源报送的名称" in page) is is_other
        assert written in page
