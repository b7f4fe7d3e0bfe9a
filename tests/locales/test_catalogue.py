"""Every sentence, filled with the longest values it may meet, in both languages and both digit scripts."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from importlib.resources import files
from io import BytesIO
from string import Formatter

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from locales import Digits, Money, Texts, Value, utf16_length

PREFIX_LIMITS = {"button.": 20, "row.": 24, "description.": 72, "command.": 256}
"""WhatsApp's reply button, list row title and description (the narrowest channels); Telegram's command description."""
TOASTS = {"not_mine", "already_done", "calendar.unavailable_day"}
"""Answers to a Telegram callback: 200."""
BODY = 1024
"""WhatsApp's body and Telegram's caption. What goes to operators goes to Telegram alone: 4096."""
PARTS = (
    *("row.", "description.", "noun.", "search.part.", "results.relax.", "hotel.terms.", "booking.price_"),
    *(
        "time.",
        "deadline.",
        "date.",
        "rating.",
        "money.",
        "price.",
        "status.",
        "board.",
        "amenity.",
        "human.reason.",
    ),
    *(
        "button.",
        "terminal.",
        "webchat.",
        "channel.",
        "landing.",
        "share.words.",
        "share.bot_words",
        "proof.few",
        "reviews.aspect",
    ),
)
"""Never a message by itself: labels, lines and pieces of a sentence."""


def entries(language: str) -> dict[str, Message]:
    raw = files("locales").joinpath(language, "LC_MESSAGES", "bot.po").read_bytes()
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message
        for message in read_po(BytesIO(raw), locale=language)
        if message.id
    }


ENTRIES = {language: entries(language) for language in ("ar", "en")}
KEYS = sorted(ENTRIES["ar"])
SENTENCES = [key for key in KEYS if isinstance(ENTRIES["ar"][key].id, str)]
NOUNS = [key for key in KEYS if key not in SENTENCES]
VOICES: list[tuple[str, Digits]] = [
    ("ar-EG", "latn"),
    ("ar-EG", "arab"),
    ("ar-MA", "latn"),
    ("ar-LB", "latn"),
    ("en-GB", "latn"),
]


def forms(message: Message) -> list[str]:
    return (
        [message.string] if isinstance(message.string, str) else [str(form) for form in message.string or ()]
    )


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def samples(texts: Texts) -> dict[str, Value]:
    """The longest value each placeholder may reasonably meet."""
    hotel = (
        "منتجع وشقق قصر الواحة الذهبية الكبير على الكورنيش"
        if texts.rtl
        else "Golden Oasis Palace Grand Resort and Residences"
    )
    city, area = (
        ("مدينة السادس من أكتوبر", "كورنيش النيل الشرقي")
        if texts.rtl
        else ("6th of October City", "Nile Corniche East")
    )
    start, end = dt.date(2027, 12, 29), dt.date(2028, 1, 26)
    price = Money(1_234_567_890, "EGP")
    known: dict[str, Value] = {
        "hotel": hotel, "city": city, "destination": city, "country": city, "area": area, "place": city[:20],
        "landmark": area, "nearby": [city] * 5, "region": city, "room": hotel[:40], "name": "Mohammed Abdulrahman Al Ghamdi",
        "suggestion": "Mohammed Abdulrahman Al Ghamdi", "contact": "mohammed.alghamdi.1990@example.com",
        "amounts": [price] * 3, "joined": texts.count("friend", 1234),
        "channels": [texts.say(f"channel.{name}") for name in ("telegram", "whatsapp", "webchat")],
        "code": "RH-48213-ABCDEF", "reference": "c_8f3b2a91d7e64f0b", "channel": "whatsapp", "label": "x" * 64,
        "requests": "س" * 200, "text": "س" * 2000, "alt": hotel, "percent": texts.percent(0.123),
        "check_in": start, "check_out": end, "until": end, "date": start, "last_date": end, "day_before": texts.weekday(start),
        "dates": texts.date_range(start, end), "start": texts.date(start), "end": texts.date(end), "month": texts.month(12),
        "deadline": texts.deadline(dt.datetime(2027, 12, 29, tzinfo=dt.UTC), city), "until_time": dt.time(23, 59),
        "time": "12:59",
        "check_in_time": dt.time(14), "check_out_time": dt.time(12),
        "nights": texts.count("night", 30), "adults": texts.count("adult", 30), "guests": texts.count("guest", 30),
        "children": texts.count("child", 11), "rooms": texts.count("room", 9), "reviews": texts.count("review", 123_456),
        "hotels": texts.count("hotel", 1234), "remaining": texts.count("hotel", 1234), "bookings": texts.count("booking", 123),
        "stars": texts.count("star", 5), "max_guests": texts.count("guest", 30), "max_nights": texts.count("night", 30),
        "max_rooms": texts.count("room", 9), "max_length": 10_000, "n": 99, "page": 99, "pages": 99, "value": 9.9,
        "ages": [2, 6, 11, 12, 15, 17], "people": [texts.count("adult", 30), texts.count("child", 11)],
        "rating": texts.rating(9.9), "distance": 12.5, "one": Money(100, "USD"), "rate": Money(5025, "EGP"),
        "amenities": [
            texts.say(f"amenity.{name}")
            for name in ("air_conditioning", "airport_transfer", "reception_24h", "family_friendly", "pets")
        ],
        "board": texts.say("board.AI"), "status": texts.say("status.pending"), "reason": texts.say("human.reason.cancel_failed"),
    }  # fmt: skip
    known |= dict.fromkeys(
        ("price", "total", "fee", "budget", "budget_min", "budget_max", "taxes", "due_at_hotel", "local_fees",
         "grand_total", "difference", "old", "new", "amount", "reward", "bonus", "theirs", "mine"), price,
    )  # fmt: skip

    def say(key: str) -> Value:
        return texts.say(
            key, **{name: known[name] for name in placeholders(forms(ENTRIES[texts.language][key])[0])}
        )

    known |= {
        "summary": texts.clauses(
            [
                known["destination"],
                *map(say, ("search.part.dates", "search.part.people_with_children", "search.part.budget_range_night",
                           "search.part.stars", "search.part.amenities", "search.part.free_cancellation")),
            ]
        ),
        "suggestions": texts.join(
            map(say, ("results.relax.budget", "results.relax.dates_to", "results.relax.stars")), last="or"
        ),
        "class_line": say("hotel.line.stars"),
        "rooms_line": say("results.line.rooms_left"),
        "payment": texts.say("status.pay_at_hotel"),
        "approximate": price,
        "low": price,
        "high": price,
        "season": texts.say("season.mid_year"),
        "cancellation_line": say("booking.line.cancel_free"),
        "cancellation": say("hotel.terms.free_until"),
        "change": say("booking.price_up"),
        "question": say("search.ask_dates"),
        "lines": texts.lines(
            map(say, ("booking.line.hotel", "booking.line.room", "booking.line.dates", "booking.line.people",
                      "booking.line.name", "booking.line.total", "booking.line.local_fees",
                      "booking.line.cancel_free", "booking.line.cancel_then_all"))
        ),
    }  # fmt: skip
    known |= {
        "persona": say("proof.persona.luxury"), "stays": texts.count("verified_stay", 123_456), "yes": 98_765,
        "answers": 123_456, "note": "س" * 300, "aspect": say("aspect.value"),
        "words": [say(f"pain_point.{code}") for code in ("weak_air_conditioning", "uncomfortable_beds", "unfriendly_staff")],
        "aspects": [say(f"aspect.{name}") for name in ("cleanliness", "comfort", "location", "staff", "food", "value")],
    }  # fmt: skip
    known["reasons"] = texts.clauses(
        map(say, (f"prediction.reason.{each}" for each in ("city_season", "popular", "spend")))
    )
    known["offers"] = texts.lines([say("hotel.room_offer")] * 3)
    return known


def filled(texts: Texts) -> dict[str, str]:
    values = samples(texts)
    without_weekdays = texts.date_range(dt.date(2027, 12, 29), dt.date(2028, 1, 26), weekday=False)

    def fill(key: str) -> str:
        own = values | {"dates": without_weekdays} if key == "description.trip" else values
        return texts.say(
            key, **{name: own[name] for name in placeholders(forms(ENTRIES[texts.language][key])[0])}
        )

    return {key: fill(key) for key in SENTENCES}


def voice(tag: str, digits: Digits) -> Texts:
    return Texts.for_locale(tag, digits=digits, today=dt.date(2026, 11, 21))


FILLED = {(tag, digits): filled(voice(tag, digits)) for tag, digits in VOICES}
ARABIC = {key: text for (tag, _), texts in FILLED.items() if tag == "ar-EG" for key, text in texts.items()}


def written_limit(key: str) -> int:
    comment = " ".join(ENTRIES["ar"][key].auto_comments)
    found = re.search(r"Limit: (\d+)\.$", comment)
    assert found, f"{key}: the comment must say where it appears and end on «Limit: N.»"
    return int(found[1])


def test_both_languages_have_the_same_keys() -> None:
    assert set(ENTRIES["ar"]) == set(ENTRIES["en"])


def test_the_files_name_no_key_twice() -> None:
    for language in ("ar", "en"):
        raw = files("locales").joinpath(language, "LC_MESSAGES", "bot.po").read_text(encoding="utf-8")
        keys = re.findall(r'^msgid "(.+)"$', raw, re.MULTILINE)
        assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("key", KEYS)
def test_languages_agree_on_placeholders_and_comments(key: str) -> None:
    arabic, english = ENTRIES["ar"][key], ENTRIES["en"][key]
    assert arabic.auto_comments == english.auto_comments
    assert all(form.strip() == form and form for form in forms(arabic) + forms(english))
    assert set.union(*map(placeholders, forms(arabic))) == set.union(*map(placeholders, forms(english)))


@pytest.mark.parametrize("key", KEYS)
def test_the_comment_states_a_limit_the_channels_allow(key: str) -> None:
    limit = written_limit(key)
    most = 4096 if key == "human.operator_notice" else 200 if key in TOASTS else BODY
    for prefix, narrow in PREFIX_LIMITS.items():
        if key.startswith(prefix):
            most = narrow
    assert limit <= most


@pytest.mark.parametrize("key", [key for key in SENTENCES if not key.startswith("row.")])
def test_no_text_passes_its_limit(key: str) -> None:
    for spoken in FILLED.values():
        assert utf16_length(spoken[key]) <= written_limit(key), spoken[key]


@pytest.mark.parametrize("key", [key for key in SENTENCES if key.startswith("row.")])
def test_a_row_adds_nothing_to_the_name_it_shortens(key: str) -> None:
    text = forms(ENTRIES["ar"][key])[0]
    assert re.fullmatch(r"\{\w+\}", text) or utf16_length(text) <= written_limit(key)


@pytest.mark.parametrize("key", [key for key in SENTENCES if not key.startswith(PARTS)])
def test_an_arabic_message_begins_with_an_arabic_letter(key: str) -> None:
    template = forms(ENTRIES["ar"][key])[0]
    for text in (template, ARABIC[key]):
        assert unicodedata.bidirectional(text[0]) == "AL", text


@pytest.mark.parametrize("key", [key for key in SENTENCES if not key.startswith(("row.", "noun."))])
def test_an_arabic_piece_does_not_begin_with_an_emoji(key: str) -> None:
    first = forms(ENTRIES["ar"][key])[0][0]
    assert unicodedata.category(first) != "So"


@pytest.mark.parametrize("key", SENTENCES)
def test_no_sentence_ends_on_a_currency_abbreviation(key: str) -> None:
    text = ARABIC[key]
    assert not re.search(r"ج\.م\s*[.؟!…]", text), text
    if not key.startswith(PARTS):
        assert not text.endswith("ج.م"), text


SECOND_PERSON = re.compile(
    r"(?<!\w)[وفل]?(?:اختر|اختاري|اختاروا|اضغط|اضغطي|انقر|انقري|اكتب|اكتبي|حدد|حدّد|حددي|أدخل|أدخلي|جرّب|جرب|جربي|ابحث|ابحثي|"
    r"احجز|احجزي|ادفع|ادفعي|راجع|راجعي|انتظر|انتظري|تأكد|تأكّد|تأكدي|تحقق|تحقّق|ابدأ|ابدئي|شارك|شاركي|عدّل|اختصر|"
    r"تريد|تريدين|ترغب|ترغبين|تودّ|تود|تودين|تحب|تحبين|تحتاج|تحتاجين|تستطيع|تستطيعين|تفضل|تفضّل|تفضلين|تفضلي|تختار|"
    r"تختارين|تكتب|تكتبين|تبحث|تبحثين|تسافر|تسافرين|تدفع|ستدفع|تدفعين|تجد|تجدين|ستجد|تقصد|تقصدين|تشاء|تشائين|عزيزي|عزيزتي)(?!\w)"
)
"""Imperatives and second-person verbs, which would take the traveler for a man or a woman."""


@pytest.mark.parametrize("key", KEYS)
def test_arabic_copy_is_gender_neutral_and_well_spelled(key: str) -> None:
    for text in forms(ENTRIES["ar"][key]):
        assert not SECOND_PERSON.search(text), text
        assert "اً" not in text, "tanwin stands before the alef: شهرًا"
        assert not re.search(r"\d\s*[-‐‑–—]\s*\d|\}\s*[-–—]\s*\{", re.sub("⁨[^⁩]*⁩", "", text)), (
            "ranges are words: من 20 إلى 23"
        )
        assert "—" not in text and "–" not in text
        assert "الإثنين" not in text and "اللذي" not in text and "إنشاء الله" not in text
        assert not re.search(r"[,;?]", re.sub(r"\d,\d|⁨[^⁩]*⁩", "", text)), "Arabic has its own ، ؛ ؟"
        assert "  " not in text and " ،" not in text and " ." not in text and " ؟" not in text


def test_the_blacklist_finds_what_it_is_for() -> None:
    assert SECOND_PERSON.search("اختر التاريخ") and SECOND_PERSON.search("هل تريد المتابعة؟")
    assert not SECOND_PERSON.search("يمكنك الكتابة") and not SECOND_PERSON.search("تُدفع في الفندق")


@pytest.mark.parametrize("key", KEYS)
def test_latin_and_numbers_with_signs_are_isolated_in_arabic(key: str) -> None:
    for text in forms(ENTRIES["ar"][key]):
        bare = re.sub(r"⁨[^⁩]*⁩|\{\w+\}", "", text)
        if key not in {"button.language_en", "webchat.language"}:
            assert not re.search(r"[A-Za-z%+]", bare), text


@pytest.mark.parametrize("key", NOUNS)
def test_a_noun_has_every_plural_form_and_a_dual_after_prepositions(key: str) -> None:
    arabic = forms(ENTRIES["ar"][key])
    assert len(arabic) == 6
    assert len(forms(ENTRIES["en"][key])) == 2
    assert "{n}" not in arabic[1]
    assert all("{n}" in form for form in arabic[3:])
    assert f"{key}.two_after_preposition" in SENTENCES
    oblique = forms(ENTRIES["ar"][f"{key}.two_after_preposition"])[0]
    assert "ين" in oblique.replace("\u064e", "") or oblique.endswith("ي عمل") or oblique == "{n} يورو"


def test_buttons_of_one_message_are_told_apart() -> None:
    together = (
        ("button.agree", "button.disagree"),
        ("button.search_now", "button.edit", "button.leave"),
        ("button.confirm_booking", "button.edit", "button.leave"),
        ("button.cancel_yes", "button.cancel_no"),
        ("button.edit_dates", "button.edit_destination", "button.edit_guests", "button.edit_budget"),
        ("button.sort_price", "button.sort_stars"),
    )
    for spoken in FILLED.values():
        for group in together:
            labels = [spoken[key] for key in group]
            assert len(set(labels)) == len(labels)
