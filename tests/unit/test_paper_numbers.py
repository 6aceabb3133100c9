"""No file brings a number of the bureau's own papers, however it is spelled; those of other authorities pass."""

from __future__ import annotations

import pytest

from zhixin.law.paper_numbers import is_own_number
from zhixin.law.procedures import procedures

SERIES = [words for item in procedures().values() for words in (item.number.zh, item.number.en)]


@pytest.mark.parametrize("series", [*SERIES, "郑市监信督", "郑市监检", "郑市监信诺", "郑市监信诺改"])
@pytest.mark.parametrize(
    "spelled",
    ["{}〔2026〕1号", "{}[2026]001号", "{}（2026）第1号", "{}字〔2026〕1号", "{}第1号", "{}2026-1", "{}〔二〇二六〕一号"],
)
def test_a_number_of_an_own_series_is_one(series: str, spelled: str) -> None:
    assert is_own_number(spelled.format(series))


@pytest.mark.parametrize(
    "text",
    [
        "郑市监严列\ufe0f〔2026〕1号", "郑市监·严列〔2026〕1号", "【郑市监严列】〔2026〕1号", "《郑市监严列》2026年1号", "\u202e郑市监严列〔2026〕1号",
        "郑 市 监 严 列 〔2026〕1号", "根据郑市监严列〔2026〕1号", "文号：郑市监严列〔2026〕1号", "决定书文号 郑市监严列〔2026〕1号",
        "关于列入的决定（郑市监严列〔2026〕1号）", "鄭市監嚴列〔2026〕1號",         "郑市监罚〔2026〕1号、郑市监严列〔2026〕1号", "郑市监罚〔2026〕1号 郑市监严列〔2026〕1号", "郑\u3164市监严列〔2026〕1号", "郑\u115f市监严列〔2026〕1号",
        "鄭市監檢〔2026〕1號", "鄭市監信諾〔2026〕1號", "郑巿监严列〔2026〕1号", "1.郑市监严列〔2026〕1号", "a郑市监严列〔2026〕1号", "详见郑市监严列〔2026〕1号",
        "河南省郑市监严列〔2026〕1号", "2026郑市监严列1号", "〔2026〕郑市监严列1号", "郑市监字严列〔2026〕1号", "郑州市市监严列〔2026〕1号", "zz-listing〔2026〕1号", "ＺＺ－ＬＩＳＴＩＮＧ〔２０２６〕１号",
        "郑市监严列〔贰零贰陆〕壹号",
    ],
)  # fmt: skip
def test_no_way_of_writing_it_makes_it_another(text: str) -> None:
    assert is_own_number(text)


@pytest.mark.parametrize(
    "text",
    [
                "新郑市市监严列〔2026〕1号", "郑市监罚〔2026〕1号、新郑市监严列〔2026〕1号", "新郑市监严列〔2026〕1号", "郑市监罚〔2026〕1号", "郑市监信修复〔2026〕1号", "郑市监信认罚〔2026〕1号", "郑市监严列罚〔2026〕1号", "豫市监严列〔2026〕1号",
        "郑市监处罚〔2026〕1号", "（2026）豫01民初1号", "郑市监严列", "国知办函〔2026〕1号", "依据不足〔2026〕1号",
    ],
)  # fmt: skip
def test_the_numbers_of_others_pass(text: str) -> None:
    assert not is_own_number(text)
