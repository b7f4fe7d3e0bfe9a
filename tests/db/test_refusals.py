"""What the schema refuses becomes an error of ours that names the rule and quotes nobody."""

from __future__ import annotations

import asyncpg
import pytest

from db.pool import refusal


@pytest.mark.parametrize(
    ("statement", "table", "constraint"),
    [
        ("INSERT INTO users (email) VALUES ('sara')", "users", "users_email_check"),
        ("INSERT INTO users (id, timezone) VALUES (gen_random_uuid(), NULL)", "users", None),
        (
            "INSERT INTO user_identities (channel, external_id, user_id) VALUES ('telegram', '7', gen_random_uuid())",
            "user_identities",
            "user_identities_user_id_fkey",
        ),
    ],
)
async def test_a_refusal_names_the_rule_and_no_value(
    conn: asyncpg.Connection, statement: str, table: str, constraint: str | None
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await conn.execute(statement)
    ours = refusal(caught.value)
    assert (ours.table, ours.constraint) == (table, constraint)
    assert table in str(ours)
    assert "sara" not in str(ours) and "\n" not in str(ours)
    assert not ours.retryable
