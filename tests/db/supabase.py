"""What Supabase puts into a database, as far as row level security meets it: two roles and auth.uid()."""

from __future__ import annotations

import json
from enum import StrEnum
from uuid import UUID

import asyncpg


class Outsider(StrEnum):
    """The roles of whoever comes through Supabase's API."""

    ANON = "anon"
    AUTHENTICATED = "authenticated"


async def stub(conn: asyncpg.Connection) -> None:
    """As the login, which stays the role: the roles and schema auth. Roles belong to the cluster and stay."""
    await conn.execute("RESET ROLE")
    for outsider in Outsider:
        await conn.execute(
            f"""
            DO $$ BEGIN
                IF to_regrole('{outsider.value}') IS NULL THEN
                    CREATE ROLE {outsider.value} NOLOGIN NOINHERIT;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- a test beside this one made it a moment ago
            END $$;
            GRANT {outsider.value} TO CURRENT_USER
            """
        )
    await conn.execute(
        """
        CREATE SCHEMA auth;
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
            SELECT coalesce(
                nullif(current_setting('request.jwt.claim.sub', true), ''),
                nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
        $$;
        GRANT USAGE ON SCHEMA auth, public TO anon, authenticated
        """
    )


async def as_outsider(
    conn: asyncpg.Connection, outsider: Outsider, claim: UUID | str | None, *, claims: str | None = None
) -> None:
    """What PostgREST does at the beginning of a request. `claims`: the raw document, in place of one with `claim` in it."""
    document = claims if claims is not None else json.dumps({"sub": str(claim)} if claim else {})
    await conn.execute(f"SET LOCAL ROLE {outsider.value}")
    await conn.execute(
        "SELECT set_config('request.jwt.claims', $1, true), set_config('app.user_id', '', true)", document
    )
