"""What the command line shows: tables, counts and progress, in the user's language."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from zhixin.errors import Fault, Message, user_language

if TYPE_CHECKING:
    from rich.progress import Progress

    from zhixin.analysis.comparison import Comparison
    from zhixin.analysis.validity_of_grades import Validity
    from zhixin.analysis.weighting import Weights
    from zhixin.dataset.acceptance import Report
    from zhixin.law.rulebook import Rulebook


class Screen:
    """Standard output for results, standard error for progress and complaints."""

    def __init__(self) -> None:
        self.language = user_language()
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, zh: str, en: str) -> None:
        self.out.print(Message(zh, en).in_language(self.language), markup=False)

    def warn(self, zh: str, en: str) -> None:
        self.err.print(Message(zh, en).in_language(self.language), markup=False)

    def word(self, zh: str, en: str) -> str:
        return Message(zh, en).in_language(self.language)

    def progress(self) -> Progress:
        """A progress line on standard error; silent where that is no terminal."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self.err,
            transient=True,
            disable=not self.err.is_terminal,
        )

    # --- tables ---

    def faults(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.out.print(fault.sentence(self.language), markup=False, style="yellow" if fault.is_warning else "red")

    def report(self, report: Report) -> None:
        table = self._table(
            "",
            ("表", "table"),
            ("行数", "rows"),
            ("接收", "accepted"),
            ("隔离", "quarantined"),
            ("重复", "said twice"),
            ("原因", "reasons"),
        )
        for name, part in report.tables.items():
            reasons = ", ".join(f"{rule} {count}" for rule, count in part.rules.most_common())
            table.add_row(
                name, f"{part.rows:,}", f"{part.accepted:,}", f"{part.quarantined:,}", f"{part.duplicates:,}", reasons
            )
        self.out.print(table)
        for name, part in report.tables.items():
            if part.ignored_columns:
                columns = ", ".join(part.ignored_columns)
                self.warn(
                    f"{name}：规则未声明、未读取的列：{columns}", f"{name}: columns not declared and not read: {columns}"
                )

    def grades(self, rulebook: Rulebook, counts: Mapping[str, int]) -> None:
        total = sum(counts.values()) or 1
        table = self._table("", ("等级", "grade"), ("名称", "title"), ("户数", "subjects"), ("占比", "share"))
        names = [grade.id for grade in rulebook.ladder] + [grade.id for grade in rulebook.side_grades]
        for name in names:
            count = counts.get(name, 0)
            table.add_row(name, rulebook.grade_title(name).in_language(self.language), f"{count:,}", f"{count / total:.2%}")
        self.out.print(table)

    def comparison(self, result: Comparison) -> None:
        from zhixin.analysis.comparison import transition_rows
        from zhixin.explanation.sentences import points_text

        table = self._table(
            self.word("等级迁移（行：之前，列：之后）", "transitions (rows before, columns after)"), ("", "")
        )
        for grade in result.grades_after:
            table.add_column(grade, justify="right")
        for grade, counts in transition_rows(result):
            table.add_row(grade, *[f"{count:,}" for count in counts])
        self.out.print(table)
        causes = self._table(
            self.word("变动原因", "what moved them"),
            ("指标", "indicator"),
            ("户数", "subjects"),
            ("分值变化合计", "points in all"),
        )
        for indicator, subjects, points in result.causes[:15]:
            causes.add_row(indicator, f"{subjects:,}", points_text(points))
        self.out.print(causes)
        load = self._table(
            self.word("年抽查工作量", "inspections a year"), ("等级", "grade"), ("之前", "before"), ("之后", "after")
        )
        before, after = result.workload_before, result.workload_after
        for grade in dict.fromkeys([*before.by_grade, *after.by_grade]):
            load.add_row(
                grade, f"{float(before.by_grade.get(grade, 0)):,.1f}", f"{float(after.by_grade.get(grade, 0)):,.1f}"
            )
        load.add_row(self.word("合计", "total"), f"{float(before.total):,.1f}", f"{float(after.total):,.1f}")
        self.out.print(load)
        for mover in result.movers[:20]:
            moved = ", ".join(f"{name} {points_text(change)}" for name, change in mover.indicators[:4]) or mover.step_after
            self.out.print(f"{mover.subject_id}  {mover.before} → {mover.after}  {moved}", markup=False)

    def validity(self, result: Validity) -> None:
        table = self._table(
            "",
            ("等级", "grade"),
            ("检查", "inspected"),
            ("发现", "found"),
            ("命中率", "hit rate"),
            ("95%区间", "95 % interval"),
            ("提升", "lift"),
        )
        for row in result.grades:
            low, high = row.interval
            table.add_row(
                row.grade,
                f"{row.inspected:,}",
                f"{row.found:,}",
                f"{row.rate:.1%}",
                f"{low:.1%} – {high:.1%}",
                f"{row.lift:.2f}",
            )
        self.out.print(table)
        self.say(
            f"AUC {result.auc:.3f}（{result.auc_interval[0]:.3f}–{result.auc_interval[1]:.3f}），KS {result.ks:.3f}，"
            f"前一半检查发现 {result.first_half:.1%}（{result.first_half_interval[0]:.1%}–{result.first_half_interval[1]:.1%}）",
            f"AUC {result.auc:.3f} ({result.auc_interval[0]:.3f}–{result.auc_interval[1]:.3f}), KS {result.ks:.3f}, "
            f"found in the first half {result.first_half:.1%} ({result.first_half_interval[0]:.1%}–{result.first_half_interval[1]:.1%})",
        )
        curve = self._table(self.word("捕获曲线", "capture curve"), ("检查份额", "inspected"), ("发现份额", "found"))
        for share, part in result.curve[1:]:
            curve.add_row(f"{share:.0%}", f"{part:.1%}")
        self.out.print(curve)

    def weights(self, columns: Mapping[str, Weights]) -> None:
        table = self._table("", ("指标", "item"))
        for name in columns:
            table.add_column(name, justify="right")
        first = next(iter(columns.values()))
        for place, item in enumerate(first.names):
            table.add_row(item, *[f"{weights.values[place]:.4f}" for weights in columns.values()])
        self.out.print(table)
        for name, weights in columns.items():
            if weights.consistency_ratio is not None:
                self.say(
                    f"{name} 一致性比率 {weights.consistency_ratio:.4f}",
                    f"{name} consistency ratio {weights.consistency_ratio:.4f}",
                )

    def _table(self, title: str, *columns: tuple[str, str]) -> Table:
        table = Table(title=title or None, title_justify="left")
        for number, (zh, en) in enumerate(columns):
            table.add_column(self.word(zh, en), justify="left" if number == 0 else "right", overflow="fold")
        return table


def as_json(value: Any) -> str:
    """JSON for people and programs: sorted as given, Chinese readable."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
