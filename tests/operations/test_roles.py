"""`rahhal admin`: granting by login or id, clear words for whoever is not there."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from bot.__main__ import main
from bot.errors import OperationFailed
from bot.events import Channel
from bot.operations import roles
from db.pool import Role, as_role


@pytest.fixture
async def sara(database: str) -> UUID:
    conn = await asyncpg.connect(database)
    async with as_role(conn, Role.OWNER):
        made: UUID = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
        await conn.execute(
            "INSERT INTO user_identities VALUES ('whatsapp', '201000000001', $1, 'سارة')", made
        )
    await conn.close()
    return made


async def test_a_role_comes_and_goes(database: str, sara: UUID) -> None:
    assert list(roles.lines(await roles.house(database))) == [
        "nobody: rahhal admin grant operator --telegram ID makes one"
    ]
    known, before = await roles.give(database, (Channel.WHATSAPP, "201000000001"), "operator")
    assert (known.id, known.role, before) == (sara, "operator", "user")
    known, before = await roles.give(database, sara, "admin")
    assert (known.role, before) == ("admin", "operator")
    [line] = roles.lines(await roles.house(database))
    assert line.startswith(f"admin    {sara}  سارة  (whatsapp 201000000001)  last seen 20")
    _, before = await roles.give(database, sara, "user")
    assert before == "admin"
    assert await roles.house(database) == []


async def test_nobody_unknown_gets_a_role(database: str, sara: UUID) -> None:
    for who, words in (
        ((Channel.TELEGRAM, "201000000001"), "nobody active is known as telegram 201000000001: one message"),
        (uuid4(), "no active person has the id"),
    ):
        with pytest.raises(OperationFailed, match=words):
            await roles.give(database, who, "admin")
    conn = await asyncpg.connect(database)
    async with as_role(conn, Role.OWNER):
        await conn.execute("UPDATE users SET account_status = 'suspended'")
    await conn.close()
    with pytest.raises(OperationFailed, match="no active person"):
        await roles.give(database, sara, "admin")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grant", "king", "--telegram", "1"], "invalid choice: 'king'"),
        (["grant", "admin"], "one of the arguments --user --telegram"),
        (["grant", "admin", "--telegram", "1", "--whatsapp", "2"], "not allowed with argument"),
        (["grant", "admin", "--telegram", " "], "an id has at least one character"),
        (["revoke", "--user", "1"], "not a UUID: 1"),
    ],
)
def test_a_wrong_command_says_so(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["admin", *arguments])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_the_command_line_grants_lists_and_revokes(
    database: str,
    sara: UUID,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database)
    assert main(["admin", "grant", "operator", "--whatsapp", "+201000000001"]) == 0
    assert capsys.readouterr().out.endswith("was user\n")
    assert main(["admin", "list", "--json"]) == 0
    assert f'"id": "{sara}"' in capsys.readouterr().out
    assert main(["admin", "revoke", "--user", str(sara)]) == 0
    assert main(["admin", "revoke", "--user", str(sara)]) == 0
    assert capsys.readouterr().out.endswith("unchanged\n")
    assert main(["admin", "grant", "admin", "--telegram", "7"]) == 1
    assert capsys.readouterr().err.startswith("rahhal: nobody active is known as telegram 7")
    assert main(["admin"]) == 2
