"""SQL that keeps tables append-only, for SQLite and PostgreSQL.

On SQLite ``INSERT OR REPLACE`` fires neither UPDATE nor DELETE triggers (recursive_triggers is off by default and per
connection), so a BEFORE INSERT trigger refuses a key that exists. Triggers are no shield against the database
administrator: checkpoints kept elsewhere are.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps


def append_only(
    table: str, key: str, *, gapless: bool = False, erasable: Sequence[str] = (), projected: Sequence[str] = ()
) -> RunPython:
    """A migration operation that makes ``table`` append-only.

    Args:
        table: its name in the database.
        key: the primary key.
        gapless: whether ``key`` must be the next number, from 0.
        erasable: columns that one update may empty, together with ``erased_at``; nothing else may change.
        projected: columns that follow from others and from the law in force: they alone may be written anew.
    """

    def forwards(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        build = _postgresql if editor.connection.vendor == "postgresql" else _sqlite
        columns = [
            column.name
            for column in editor.connection.introspection.get_table_description(editor.connection.cursor(), table)
        ]
        for statement in build(table, key, gapless, erasable, projected, columns):
            editor.execute(statement, params=None)  # a percent sign in a message is no placeholder

    return RunPython(forwards, RunPython.noop)


def _kept(columns: Sequence[str], erasable: Sequence[str]) -> list[str]:
    return [name for name in columns if name not in (*erasable, "erased_at")]


def _sqlite(
    table: str, key: str, gapless: bool, erasable: Sequence[str], projected: Sequence[str], columns: Sequence[str]
) -> list[str]:
    wrong = (
        f"NEW.{key} IS NOT (SELECT COALESCE(MAX({key}) + 1, 0) FROM {table})"
        if gapless
        else f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
    )
    allowed = "0"
    if erasable:
        same = " AND ".join(f'OLD."{name}" IS NEW."{name}"' for name in _kept(columns, erasable))
        emptied = " AND ".join(f"length(NEW.{name}) = 0" for name in erasable)
        allowed = f"(OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND {emptied} AND {same})"
    if projected:
        same = " AND ".join(f'OLD."{name}" IS NEW."{name}"' for name in columns if name not in projected)
        allowed = f"({allowed} OR ({same}))"
    return [
        f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN {wrong} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: key exists or leaves a gap'); END",
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} WHEN NOT {allowed} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: no update'); END",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: no delete'); END",
    ]


def _postgresql(
    table: str, key: str, gapless: bool, erasable: Sequence[str], projected: Sequence[str], columns: Sequence[str]
) -> list[str]:
    allowed = "false"
    if erasable:
        same = " AND ".join(f'OLD."{name}" IS NOT DISTINCT FROM NEW."{name}"' for name in _kept(columns, erasable))
        emptied = " AND ".join(f"length(NEW.{name}) = 0" for name in erasable)
        allowed = f"(OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND {emptied} AND {same})"
    if projected:
        same = " AND ".join(f'OLD."{name}" IS NOT DISTINCT FROM NEW."{name}"' for name in columns if name not in projected)
        allowed = f"({allowed} OR ({same}))"
    statements = [
        f"CREATE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'UPDATE' THEN IF {allowed} THEN RETURN NEW; END IF; END IF; "
        f"RAISE EXCEPTION '{table} is append-only: no %', lower(TG_OP); END $$",
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_kept()",
        f"CREATE FUNCTION {table}_whole() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{table} is append-only: no truncate'; END $$",
        f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_whole()",
    ]
    if gapless:
        statements += [
            f"CREATE FUNCTION {table}_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.{key} <> (SELECT COALESCE(MAX({key}) + 1, 0) FROM {table}) THEN "
            f"RAISE EXCEPTION '{table} is append-only: % leaves a gap', NEW.{key}; END IF; RETURN NEW; END $$",
            f"CREATE TRIGGER {table}_next BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_next()",
        ]
    return statements
