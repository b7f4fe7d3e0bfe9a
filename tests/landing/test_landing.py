"""The page behind a link: which ways it offers, whom it counts, and that it leads nowhere else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from html import unescape
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.channels.webchat import identity
from bot.domain.links import Addresses, code_in
from bot.errors import DatabaseUnavailable
from bot.landing import Landing, routes
from bot.web import build
from db import sharing
from db.pool import Role, as_role
from tests.db.referral_world import World

NOBODY_S = "ABCDEFGHJK2345"
BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36"}
ADDRESSES = Addresses(public="https://rahhal.example", telegram="rahhal_bot", whatsapp="201001234567")


class Page:
    """A server with the page alone, and what it noted."""

    def __init__(self, pool: asyncpg.Pool, addresses: Addresses) -> None:
        self.pool = pool
        self.clicks: list[tuple[bytes | None, str | None, str | None]] = []

        async def backlog() -> Mapping[str, int]:
            return {}

        app = build(backlog=backlog)
        Landing(
            pool=pool,
            addresses=addresses,
            locale="ar-EG",
            assets="/chat/static/1",
            secure=False,
            clicked=lambda *click: self.clicks.append(click),
        ).register(app)
        self.client = TestClient(TestServer(app))

    async def links(self) -> tuple[str, str]:
        """Somebody's invitation, and a hotel she shared."""
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            world = World(conn, None)  # type: ignore[arg-type]  # nobody books here
            sara = await world.person()
            code = await world.link(sara)
            await world.speaks(sara)
            shared = await sharing.share(
                conn, content_type="hotel", content_id="h", content_data={}, platform="telegram"
            )
        return code, shared

    async def counted(self) -> list[int]:
        async with self.pool.acquire() as conn, as_role(conn, Role.WORKER):
            await sharing.count_links(conn)
        async with self.pool.acquire() as conn, as_role(conn, Role.OWNER):
            rows = await conn.fetch(
                "SELECT clicks FROM referrals UNION ALL SELECT click_count FROM shared_content"
            )
        return [row["clicks"] for row in rows]

    async def open(self, path: str, **headers: str) -> tuple[int, str]:
        response = await self.client.get(path, headers={**BROWSER, **headers}, allow_redirects=False)
        return response.status, await response.text()


@pytest.fixture
async def page(pool: asyncpg.Pool) -> AsyncIterator[Page]:
    made = Page(pool, ADDRESSES)
    async with made.client:
        yield made


def ways(text: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'<a href="([^"]*)"', text)]


async def test_an_invitation_offers_every_channel_with_the_code(page: Page) -> None:
    code, _ = await page.links()
    status, text = await page.open(f"/r/{code}")
    assert status == 200
    assert "وصلتك دعوة إلى رحّال" in text
    assert "You are invited to Rahhal" in text
    assert "10\u00a0دولارات" in text
    arabic, english = ways(text)[:3], ways(text)[3:]
    for telegram, whatsapp, here in (arabic, english):
        assert telegram == f"https://t.me/rahhal_bot?start={code}"
        assert whatsapp.startswith("https://wa.me/201001234567?text=")
        assert code_in(parse_qs(urlsplit(whatsapp).query)["text"][0]) == code
        assert here == f"/chat?start={code}"


async def test_only_channels_that_are_there_are_offered(pool: asyncpg.Pool) -> None:
    page = Page(pool, Addresses())
    async with page.client:
        _, shared = await page.links()
        status, text = await page.open(f"/r/{shared}")
    assert status == 200
    assert "شاركك أحد أصدقائك فندقًا" in text
    assert ways(text) == [f"/chat?start={shared}"] * 2


@pytest.mark.parametrize(
    "code",
    [NOBODY_S, "x", "https:%2F%2Fevil.example", "AMRIK-WELCOME-2025", "A" * 5000, "%00", "م" * 30],
)
async def test_a_code_that_is_none_leads_to_the_web_chat_alone(page: Page, code: str) -> None:
    status, text = await page.open(f"/r/{code}")
    assert status == 404
    assert "لم يعد هذا الرابط صالحًا" in text
    assert ways(text) == ["/chat"] * 2
    assert "evil" not in text
    assert page.clicks == []


async def test_the_page_tells_nothing_of_who_made_the_link_and_loads_nothing_from_elsewhere(
    page: Page,
) -> None:
    code, _ = await page.links()
    async with page.pool.acquire() as conn, as_role(conn, Role.OWNER):
        await conn.execute("UPDATE users SET full_name = 'Sara Ali', phone = '+201001234567'")
    response = await page.client.get(f"/r/{code}", headers=BROWSER)
    text = await response.text()
    assert "Sara" not in text
    assert "<script" not in text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert not [link for link in re.findall(r'(?:src|href)="([^"]*)"', text) if "//" in link and "<a" not in link
                and not link.startswith(("https://t.me/", "https://wa.me/"))]  # fmt: skip


async def test_a_visitor_is_counted_once_for_each_link(page: Page) -> None:
    code, shared = await page.links()
    for _ in range(3):
        await page.open(f"/r/{code}")
    await page.open(f"/r/{shared}", Referer="https://news.example/page?q=1")
    assert [(content, referrer) for _, content, referrer in page.clicks] == [
        (None, None),
        ("hotel", "news.example"),
    ]
    assert await page.counted() == [1, 1]
    page.client.session.cookie_jar.clear()
    await page.open(f"/r/{code}")
    assert await page.counted() == [2, 1]


async def test_a_known_browser_is_noted_by_its_cookie_s_hash(page: Page) -> None:
    code, _ = await page.links()
    token = identity.new_token()
    await page.open(f"/r/{code}", Cookie=f"{identity.COOKIE}={token}")
    assert page.clicks == [(identity.hash_of(token), None, None)]


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "WhatsApp/2.23.20.0"},
        {"User-Agent": "TelegramBot (like TwitterBot)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"Sec-Purpose": "prefetch;prerender"},
    ],
)
async def test_a_preview_is_shown_and_counts_nothing(page: Page, headers: dict[str, str]) -> None:
    code, _ = await page.links()
    status, text = await page.open(f"/r/{code}", **headers)
    assert status == 200
    assert '<meta property="og:title"' in text
    assert (await page.client.head(f"/r/{code}", headers=BROWSER)).status == 200
    assert await page.counted() == [0, 0]
    assert page.clicks == []


async def test_a_forged_cookie_is_replaced(page: Page) -> None:
    code, _ = await page.links()
    response = await page.client.get(
        f"/r/{code}", headers={**BROWSER, "Cookie": f"{routes.COOKIE}=" + "x" * 5000}
    )
    given = response.cookies[routes.COOKIE]
    assert len(given.value) == 22
    assert (given["path"], given["httponly"], given["samesite"]) == ("/r", True, "Lax")


async def test_codes_cannot_be_tried_out_fast(page: Page) -> None:
    statuses = [(await page.open(f"/r/{NOBODY_S}"))[0] for _ in range(70)]
    assert statuses[:60] == [404] * 60
    assert 429 in statuses
    response = await page.client.get(f"/r/{NOBODY_S}")
    assert int(response.headers["Retry-After"]) >= 1


async def test_without_a_database_the_page_says_so(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(routes, "visit", away)
    status, text = await page.open(f"/r/{NOBODY_S}")
    assert status == 503
    assert "الخدمة متوقفة للحظات" in text
