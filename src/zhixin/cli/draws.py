"""``zhixin draw`` and ``zhixin verify draw``: a verifiable random draw from files, and an outsider's check of one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from zhixin.cli.screen import Screen
from zhixin.cli.words import words
from zhixin.errors import DrawRefused, Message, UsageError

Document = dict[str, Any]
File = Annotated[Path, typer.Argument(help=words("抽取文件（JSON）", "the draw, a JSON file"))]
Out = Annotated[Path, typer.Option(help=words("写入的文件（不覆盖）", "file to write; nothing is overwritten"))]
Reason = Annotated[str, typer.Option(help=words("理由，一行", "the reason, one line"))]
Unit = Annotated[str, typer.Option(help=words("企业的统一社会信用代码", "credit code of the enterprise"))]


def commit(
    plan: Annotated[Path, typer.Argument(help=words("抽取计划（JSON，见文档）", "the plan (JSON, see the docs)"))],
    out: Out,
    frame: Annotated[Path, typer.Option(help=words("抽样框：代码,层", "the frame: code,stratum (CSV or TSV)"))],
    inspectors: Annotated[
        Path, typer.Option(help=words("检查人员：编号,单位,执法证到期日", "inspectors: id,unit,valid until"))
    ],
    conflicts: Annotated[Path | None, typer.Option(help=words("回避：编号,代码", "conflicts: id,code"))] = None,
) -> None:
    """Freeze a draw: check everything, write the lists with their roots and the commitment."""
    from zhixin.dataset.identity import has_valid_check_character
    from zhixin.trust.draw import Inspector, commit
    from zhixin.trust.draw.plan_file import read_proposal

    people = [Inspector(person, unit, _day(day, inspectors)) for person, unit, day in _rows(inspectors, 3)]
    proposal = read_proposal(
        _read(plan),
        frame=[(unit, stratum) for unit, stratum in _rows(frame, 2)],
        inspectors=people,
        conflicts=[] if conflicts is None else [(person, unit) for person, unit in _rows(conflicts, 2)],
    )
    document = commit(proposal, has_valid_check_character)
    _write(document, out)
    if abs((proposal.frozen_at - datetime.now(UTC)).total_seconds()) > 86_400:
        Screen().say(
            f"注意：冻结时间 {proposal.frozen_at} 与现在相差一天以上，只有账本能证明它",
            f"note: the freeze of {proposal.frozen_at} is more than a day from now; only the ledger can prove it",
        )
    Screen().say(
        f"已冻结 {len(document['frame'])} 户，承诺值 {document['commitment']}；现在公布它，等待公共号码",
        f"{len(document['frame'])} units are frozen, commitment {document['commitment']}; publish it now and wait for the numbers",
    )


def run(
    file: File,
    out: Out,
    numbers: Annotated[
        list[str],
        typer.Option(
            help=words("第一人录入的号码，每个来源一次", "numbers entered by the first person, once for each source")
        ),
    ],
    again: Annotated[
        list[str], typer.Option(help=words("第二人独立录入的号码", "the same, entered by a second person on their own"))
    ],
) -> None:
    """Draw with the public numbers, entered by two persons."""
    from zhixin.trust.draw import draw
    from zhixin.trust.draw.public_numbers import agreed, read_numbers

    document = draw(_read(file), agreed([read_numbers(text) for text in numbers], [read_numbers(text) for text in again]))
    _write(document, out)
    screen = Screen()
    for name, stratum in document["strata"].items():
        screen.say(f"{name} 层：{stratum['N']} 户抽 {stratum['n']} 户", f"stratum {name}: {stratum['n']} of {stratum['N']}")
    short = [unit for unit, team in document["assignment"].items() if len(team) < document["plan"]["k"]]
    if short:
        screen.say(f"人员不足：{'、'.join(short)}", f"too few inspectors: {', '.join(short)}")


def recuse(
    file: File,
    out: Out,
    unit: Unit,
    inspector: Annotated[str, typer.Option(help=words("回避的检查人员", "the inspector who steps back"))],
    reason: Reason,
) -> None:
    """Replace one inspector after the draw by the next in that unit's own order."""
    from zhixin.trust import draw

    document = draw.recuse(_read(file), unit, inspector, reason)
    _write(document, out)
    following = document["late_recusal"][-1]["next"]
    Screen().say(f"{unit}：{inspector} 回避，{following} 接替", f"{unit}: {following} replaces {inspector}")


def substitute(file: File, out: Out, unit: Unit, reason: Reason) -> None:
    """Replace a drawn unit by the next of its stratum's reserve list."""
    from zhixin.trust import draw

    document = draw.substitute(_read(file), unit, reason)
    _write(document, out)
    following = document["substitution"][-1]["next"]
    Screen().say(f"{unit} 由候补 {following} 替换", f"{following} replaces {unit}")


def verify(
    file: File,
    commitment: Annotated[
        str | None,
        typer.Option(help=words("从账本或检查点得到的承诺值，一并核对", "the commitment as the ledger has it, to compare")),
    ] = None,
) -> None:
    """Compute a published draw again, from what was committed and the public numbers."""
    from zhixin.trust.draw import verify

    document = _read(file)
    found = verify(document)
    if commitment is not None and commitment.strip().lower() != document["commitment"]:
        found.append(Message("承诺值不是账本中的那个", "the commitment is not the one of the ledger"))
    if found:
        raise DrawRefused(found)
    screen, plan = Screen(), document["plan"]
    picked = sum(stratum["n"] for stratum in document["strata"].values())
    screen.say(
        f"抽取属实：{len(document['frame'])} 户抽 {picked} 户，候补、人员与替换全部由承诺和号码得出",
        f"the draw holds: {picked} of {len(document['frame'])} units, reserves, inspectors and changes all follow from commitment and numbers",
    )
    if commitment is None:
        screen.say(
            f"未核对：承诺值 {document['commitment']} 是否在开奖前已写入账本（加 --commitment 核对）",
            f"not checked: whether {document['commitment']} was in the ledger before the drawing (give --commitment)",
        )
    sources = "、".join(f"{item['game']} {item['issue']}（{item['date']}）" for item in plan["sources"])
    screen.say(
        f"请对照公告：{sources} → {document['sources']}", f"compare with the announcement: {sources} → {document['sources']}"
    )


def _read(path: Path) -> Document:
    try:
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise UsageError(f"打不开 {path}：{error.strerror}", f"cannot open {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} 不是 JSON：{error}", f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} 不是 JSON 对象", f"{path} is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Document:
    """An object whose keys each stand there once: two readers of a doubled key could read two things."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _write(document: Document, out: Path) -> None:
    """Write a document whole; a file that exists is evidence and stays."""
    part = out.with_name(out.name + ".part")
    try:
        if out.exists():
            raise UsageError(f"{out} 已存在；换一个文件名", f"{out} exists: give another name")
        part.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise UsageError(f"不能写入 {out}：{error.strerror}", f"cannot write {out}: {error.strerror}") from error


def _rows(path: Path, width: int) -> list[Sequence[str]]:
    """Rows of a CSV or TSV file without a header, each of ``width`` fields."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"打不开 {path}：{error.strerror}", f"cannot open {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} 不是 UTF-8 文本", f"{path} is no UTF-8 text") from error
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text else ",", strict=True))
    except csv.Error as error:
        raise UsageError(f"{path} 不是 CSV：{error}", f"{path} is no CSV: {error}") from error
    rows = [row for row in rows if row]
    if any(not cell.isprintable() for row in rows for cell in row):
        raise UsageError(f"{path} 的单元格中有换行或控制字符", f"a cell of {path} holds a line break or control character")
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise UsageError(
                f"{path} 第 {number} 行有 {len(row)} 列，应为 {width} 列",
                f"{path}, line {number}: {len(row)} fields, {width} are needed",
            )
    return [[cell.strip() for cell in row] for row in rows]


def _day(text: str, path: Path) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{path}：「{text}」不是日期（2027-12-31）", f"{path}: {text!r} is no date (2027-12-31)") from error
