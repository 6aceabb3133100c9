"""The main job on screen: real inspections in Chicago, then a fictional Zhengzhou of 100,000 enterprises."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from zhixin.cli.screen import Screen
from zhixin.dataset.acceptance import accept
from zhixin.evaluation.archive import RunFolder
from zhixin.evaluation.run import evaluate
from zhixin.explanation.explanation import explain_run
from zhixin.fiction.chicago import ChicagoResult
from zhixin.fiction.chicago import evaluate as evaluate_chicago
from zhixin.fiction.city import City
from zhixin.fiction.dirt import write_dirty
from zhixin.law.loading import load_rulebook

AS_OF = date(2026, 11, 1)


def chicago(screen: Screen, out: Path) -> ChicagoResult:
    """Evaluate Chicago month by month, print the shares, write the scores."""
    screen.say(
        "一、真实数据：芝加哥餐饮检查，逐月评价（2011-10 至 2014-04）",
        "1. Real data: Chicago's food inspections, month by month (2011-10 to 2014-04)",
    )
    rulebook = load_rulebook("chicago-food")
    with screen.progress() as progress:
        task = progress.add_task("", total=31)
        result = evaluate_chicago(rulebook, lambda first: progress.update(task, advance=1, description=f"{first:%Y-%m}"))
    out.mkdir(parents=True, exist_ok=True)
    result.inspections.write_parquet(out / "chicago_inspections.parquet")
    screen.validity(result.validity)
    for line in chicago_lines(result, screen.language):
        screen.out.print(line, markup=False)
    return result


def chicago_lines(result: ChicagoResult, language: str) -> list[str]:
    """Shares of 2014's critical findings in the first half of its inspections, with intervals."""
    names = {
        "zh": ("2014年前一半检查中发现的严重问题占比：", "按本规则排序", "随机排序", "按实际先后"),
        "en": (
            "Share of 2014's critical findings in the first half of its inspections:",
            "by our order",
            "by chance",
            "as it happened",
        ),
    }["zh" if language.startswith("zh") else "en"]
    rows = (
        (names[1], result.validity.first_half, result.validity.first_half_interval),
        (names[2], 0.5, result.chance_interval),
        (names[3], result.as_it_happened, result.as_it_happened_interval),
    )
    return [names[0]] + [f"  {name}: {share:.1%}  ({low:.1%} – {high:.1%})" for name, share, (low, high) in rows]


def zhengzhou(screen: Screen, out: Path, subjects: int) -> RunFolder:
    """Make a fictional city with dirt, accept it, evaluate it, explain one enterprise in Chinese."""
    screen.say(
        f"二、演示数据：虚构的郑州，{subjects:,} 户（均为虚构企业）",
        f"2. Demonstration data: a fictional Zhengzhou of {subjects:,} enterprises (all invented)",
    )
    rulebook = load_rulebook("zhengzhou-ip")
    with screen.progress() as progress:
        task = progress.add_task(screen.word("生成原始文件", "making the files"), total=None)
        write_dirty(City(subjects, 7, AS_OF), out / "raw")
        progress.update(task, description=screen.word("核对接收", "accepting"))
        report = accept(rulebook, out / "raw", out / "dataset", AS_OF)
        progress.update(task, description=screen.word("评价", "evaluating"))
        run = evaluate(rulebook, out / "dataset", out / "run", AS_OF)
    screen.report(report)
    screen.grades(rulebook, run.info["counts"]["grades"])
    subject = interesting_subject(run)
    screen.say("三、说明其中一户", "3. One enterprise explained (in Chinese)")
    for line in explain_run(run, subject)["text"]["zh"]:
        screen.out.print(f"  {line}", markup=False)
    return run


def interesting_subject(run: RunFolder) -> str:
    """A subject of grade C with few but telling contributions: the first with three to six of them."""
    grades = pq.read_table(run.path / "grades.parquet", columns=["subject_id"], filters=[("grade", "==", "C")])
    wanted = set(grades["subject_id"].to_pylist())
    counts: dict[str, int] = {}
    rows = pq.read_table(
        run.path / "contributions.parquet", columns=["subject_id"], filters=[("subject_id", "in", sorted(wanted))]
    )
    for subject in rows["subject_id"].to_pylist():
        counts[subject] = counts.get(subject, 0) + 1
    fitting = sorted(subject for subject, count in counts.items() if 3 <= count <= 6)
    return fitting[0] if fitting else min(wanted)
