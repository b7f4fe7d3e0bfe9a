"""Every SQL statement of `db/` is a literal, and PostgreSQL accepts it against the migrated schema."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

import db

FOLDER = Path(db.__file__).parent
GROUND = {"__init__.py", "embedded.py", "server_files.py", "migrate.py", "pool.py"}  # no query modules
CALLS = {"fetch", "fetchrow", "fetchval", "execute", "executemany", "fetchmany", "cursor", "prepare"}
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE")


@dataclass(frozen=True)
class Statement:
    """`sql` is None where the argument is no literal."""

    place: str
    sql: str | None


def constants(tree: ast.Module) -> dict[str, str]:
    """Module-level names in capitals (with or without a leading underscore) that hold a text."""
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if (
                name.isupper()
            ):
                found[name] = text
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))) if (
                name.isupper()
            ):
                found[name] = text
    return found


def statements(source: str, name: str) -> Iterator[Statement]:
    tree = ast.parse(source)
    known = constants(tree)
    for constant, text in known.items():
        if text.lstrip().upper().startswith(VERBS):
            yield Statement(f"{name}:{constant}", text)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr), args=[first, *_]) if attr in CALLS:
                place = f"{name}:{node.lineno}"
                match first:
                    case ast.Constant(value=str(text)):
                        yield Statement(place, text)
                    case ast.Name(id=constant) if constant in known:
                        if not known[constant].lstrip().upper().startswith(VERBS):
                            yield Statement(place, known[constant])
                    case _:
                        yield Statement(place, None)


def everything() -> list[Statement]:
    modules = sorted(path for path in FOLDER.rglob("*.py") if path.name not in GROUND)
    return [
        statement
        for path in modules
        for statement in statements(path.read_text(), path.relative_to(FOLDER.parent).as_posix())
    ]


@pytest.mark.parametrize("statement", everything(), ids=lambda statement: statement.place)
async def test_statement_is_prepared(conn: asyncpg.Connection, statement: Statement) -> None:
    assert statement.sql is not None, "SQL is a literal, with $n for what varies"
    await conn.prepare(statement.sql)


def test_the_walk_finds_literals_constants_and_offenders() -> None:
    source = (
        "_ALL = 'SELECT 1'\nNOTE = 'not sql'\n"
        "async def f(conn, x):\n"
        "    await conn.fetch('SELECT 2', x)\n    await conn.execute(_ALL)\n    await conn.fetchval(f'SELECT {x}')\n"
    )
    found = list(statements(source, "m.py"))
    assert [(one.place, one.sql) for one in found] == [
        ("m.py:_ALL", "SELECT 1"),
        ("m.py:4", "SELECT 2"),
        ("m.py:6", None),
    ]
    assert everything(), "the folder holds query modules"
