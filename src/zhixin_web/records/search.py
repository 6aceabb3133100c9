"""Name search: two Chinese characters, pinyin initials, part of the code; brackets and width do not matter.

The usual tools fail on two characters (SQLite's trigram, pg_trgm), so one text per subject holds bigrams, single
characters, pinyin initials from every place on, and four-character runs of the code, under FTS5 or a tsvector.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice, product
from typing import Any

from django.db import connection, transaction

from zhixin.reference.place_readings import place_readings
from zhixin_web.audit.services.ledger import insert_rows

GRAM = 4
MOST_WORDS = 4
_CODE = re.compile(r"[0-9A-Za-z]{8,18}")
PROBED = 2_000
"""Rows looked at before the index is asked on PostgreSQL."""
_DROPPED = re.compile(r"[\s()\[\]〔〕【】《》“”\"'·•.,，。\-_/&]+")
_MEMO: dict[str, tuple[str, ...]] = {}
MOST_READINGS = 24
"""Ways to read one name that are indexed; the likeliest first."""


def name_key(text: str) -> str:
    """A name without width, case, brackets and blanks: 郑州（中原）A 公司 = 郑州中原a公司."""
    folded = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(char for char in folded if unicodedata.category(char) not in ("Cc", "Cs", "Cf", "Co", "Cn"))
    return _DROPPED.sub("", kept)[:200]


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


def _readings(choices: list[list[str]]) -> Iterator[str]:
    """The usual reading, then those in which one character is read otherwise, then two."""
    usual = [letters[0] for letters in choices]
    others = [(place, letter) for place, letters in enumerate(choices) for letter in letters[1:]]
    for changed in range(3):
        for changes in combinations(others, changed):
            if len({place for place, _letter in changes}) == changed:
                yield "".join(dict(changes).get(place, letter) for place, letter in enumerate(usual))


def _unread(chars: str) -> Any:
    """A place for each character that no dictionary reads."""
    return ["?"] * len(chars)


def _initials(han: str) -> tuple[str, ...]:
    """Every plausible reading of a run as pinyin initials.

    Words are read whole, so that 重庆 gives cq and not zq; a character outside a known word has all its readings (单: d, c, s);
    places are read as :mod:`zhixin.reference.place_readings` says (漯河 lh, 浚县 xx).
    """
    if han not in _MEMO:
        if len(_MEMO) > 200_000:
            _MEMO.clear()
        from pypinyin import Style, pinyin  # its dictionaries take half a second to load

        found = pinyin(han, style=Style.FIRST_LETTER, heteronym=True, errors=_unread)
        for place, initials in place_readings().items():
            for match in re.finditer(place, han):
                found[match.start() : match.end()] = [[letter] for letter in initials]
        choices = [list(dict.fromkeys(part[:1].lower().strip("?") for part in parts)) for parts in found]
        _MEMO[han] = tuple(islice(_readings(choices), MOST_READINGS))
    return _MEMO[han]


def _runs(key: str) -> list[str]:
    """Runs of Chinese characters and runs of anything else."""
    return re.findall(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[^\u3400-\u9fff\U00020000-\U0003ffff]+", key)


def search_text(code: str, name: str) -> str:
    """The indexed words of a subject."""
    words: list[str] = []
    readings = [""]
    for run in _runs("".join(char for char in name_key(name) if char.isalnum())):
        if _is_han(run[0]):
            words += [run[place : place + 2] for place in range(len(run) - 1)] + list(dict.fromkeys(run))
            readings = [before + after for before in readings for after in _initials(run)][:MOST_READINGS]
        else:
            words.append("w" + run)
            readings = [before + run for before in readings]
    words += ["p" + initials[place:] for initials in readings for place in range(max(len(initials) - 1, 1))]
    lowered = code.lower()
    words += ["k" + lowered[place : place + GRAM] for place in range(len(lowered) - GRAM + 1)]
    return " ".join(dict.fromkeys(words))


def _terms(query: str) -> list[list[str]]:
    """Alternatives, each a list of words that must all be there; a trailing ``*`` is a prefix.

    Words that blanks part must all be met, each in one of its own ways; a code may be typed in groups.
    """
    parts = query.split()
    if len(parts) < 2 or _CODE.fullmatch("".join(parts)):
        return _terms_of_word(query)
    each = [found for part in parts[:MOST_WORDS] if (found := _terms_of_word(part))]
    return [[word for words in choice for word in words] for choice in product(*each)] if each else []


def _terms_of_word(query: str) -> list[list[str]]:
    key = "".join(char for char in name_key(query) if char.isalnum())  # signs are no words: "*" must not find everybody
    if not key:
        return []
    if any(_is_han(char) for char in key):
        words: list[str] = []
        for run in _runs(key):
            if not _is_han(run[0]):
                words.append("w" + run + "*")
            elif len(run) == 1:
                words.append(run)
            else:
                words += [run[place : place + 2] for place in range(len(run) - 1)]
        return [words]
    alternatives = [["p" + key + "*"], ["w" + key + "*"]]
    if len(key) >= GRAM:
        alternatives.append(["k" + key[place : place + GRAM] for place in range(len(key) - GRAM + 1)])
    else:
        alternatives.append(["k" + key + "*"])
    return alternatives


def find(query: str, *, limit: int = 50) -> list[int]:
    """Primary keys of subjects that fit, at most ``limit``."""
    alternatives = [words for words in _terms(query[:100]) if words]
    if not alternatives:
        return []
    return _find_postgresql(alternatives, limit) if connection.vendor == "postgresql" else _find_sqlite(alternatives, limit)


def _find_postgresql(alternatives: list[list[str]], limit: int) -> list[int]:
    """With LIMIT the planner guesses that a scan will soon meet a rare word, and reads the whole table: forbid it."""
    expression = " | ".join("(" + " & ".join(_tsquery(word) for word in words) + ")" for words in alternatives)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(  # a word that many hold is met at once; only a rare one is worth the index
            "SELECT subject_id FROM (SELECT subject_id, words FROM records_search LIMIT %s) part "
            "WHERE words @@ to_tsquery('simple', %s) LIMIT %s",
            [PROBED, expression, limit],
        )
        common = [row[0] for row in cursor.fetchall()]
        if len(common) == limit:
            return common
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "SELECT subject_id FROM records_search WHERE words @@ to_tsquery('simple', %s) LIMIT %s", [expression, limit]
        )
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return found


def _find_sqlite(alternatives: list[list[str]], limit: int) -> list[int]:
    expression = " OR ".join("(" + " AND ".join(_fts(word) for word in words) + ")" for words in alternatives)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rowid FROM records_search WHERE records_search MATCH %s LIMIT %s", [expression, limit])
        return [row[0] for row in cursor.fetchall()]


def _fts(word: str) -> str:
    star = "*" if word.endswith("*") else ""
    return '"' + word.rstrip("*").replace('"', '""') + '"' + star


def _tsquery(word: str) -> str:
    star = ":*" if word.endswith("*") else ""
    return "'" + word.rstrip("*").replace("\\", "\\\\").replace("'", "''") + "'" + star


def index(rows: Iterable[tuple[int, str, str]]) -> None:
    """Index new subjects: (primary key, code, name)."""
    made = [(key, search_text(code, name)) for key, code, name in rows]
    if connection.vendor == "postgresql":
        vectors = [(key, " ".join(_lexeme(word) for word in text.split(" "))) for key, text in made]
        insert_rows("records_search", ("subject_id", "words"), vectors)
    else:
        insert_rows("records_search", ("rowid", "words"), made)


def _lexeme(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def forget(keys: Sequence[int]) -> None:
    """Take subjects out of the index, before they are indexed under another name."""
    if not keys:
        return
    column = "subject_id" if connection.vendor == "postgresql" else "rowid"
    with connection.cursor() as cursor:
        cursor.executemany(f"DELETE FROM records_search WHERE {column} = %s", [[key] for key in keys])
