"""From text to nodes: every token is looked up as a word, a place or a numeral, behind its prefixes."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from bot.understanding import calendar
from bot.understanding.arabizi import arabic_of, place_of
from bot.understanding.gazetteer import ARAB_COUNTRIES, Area, Place, gazetteer, nearest_name, rank
from bot.understanding.grammar import Context, Node
from bot.understanding.lexicon import Entry, Form, Meaning, forms, lexicon, sound, sounds, ways_of_writing
from bot.understanding.misspelling import meant
from bot.understanding.normalize import offset_of
from bot.understanding.rules.days import Day
from bot.understanding.tokens import Token, parse_number, tokenize
from bot.understanding.verbs import bent

LEADS_TO_PLACE: Final = frozenset({"in", "bi", "to", "li", "travel", "hotel", "near", "stay_type", "on"})
NEVER_PREFIXED: Final = frozenset(
    {
        "yes",
        "no",
        "maybe",
        "filler",
        "from",
        "to",
        "in",
        "and",
        "or",
        "not",
        "comma",
        "but",
        "on",
        "li",
        "around",
    }
)
LEADING_PREFIXES: Final = frozenset({"bi", "in", "li", "on"})

SAFAR: Final = 2
"""The Hijri month whose name is also the word for zero."""

BEFORE_A_MONTH: Final = frozenset({
    "digits", "unit", "ten", "ordinal_word", "ordinal_ten", "month_word", "half", "part", "from", "in", "nth", "first",
})  # fmt: skip


def read(text: str, context: Context) -> tuple[list[Token], list[Node]]:
    """The tokens of a message, and its nodes in order; fillers and unknown marks are left out."""
    words = lexicon()
    tokens = tokenize(text)
    nodes: list[Node] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.kind == "word":
            index += _read_word(text, tokens, index, nodes, context)
            continue
        index += 1
        if token.kind == "number":
            nodes.append(_numeral(token))
        elif token.kind == "date":
            _written_date(text, token, nodes, context)
        elif token.kind == "mark" and _is_minus(text, tokens, index - 1):
            nodes.append(_numeral(tokens[index]))
            nodes[-1].value, nodes[-1].start = -nodes[-1].value, token.start
            index += 1
        elif token.kind == "mark":
            entry = words.get(token.key.rstrip("\ufe0f")) or words.get(token.key[0])
            if entry and entry.alone:
                nodes.append(Node(entry.alone.kind, token.start, token.end, entry.alone.value))
        else:
            nodes.append(Node("opaque", token.start, token.end, token.kind))
    return tokens, nodes


def _is_minus(text: str, tokens: list[Token], index: int) -> bool:
    """«-3 ليالي»: a dash that touches a small number and nothing before it."""
    if index + 1 == len(tokens) or tokens[index].key not in "-−–":
        return False
    following = tokens[index + 1]
    return (
        following.kind == "number"
        and following.start == tokens[index].end
        and len(following.key) <= SHORT_NUMBER
        and (index == 0 or (tokens[index - 1].kind != "number" and text[tokens[index].start - 1].isspace()))
    )


SHORT_NUMBER = 9
"""Digits of a number that is surely no telephone."""


def _numeral(token: Token) -> Node:
    value = parse_number(token.key)
    if value is None:
        return Node("opaque", token.start, token.end, "phone")
    kind = "digits"
    if token.end - token.start == 4 and isinstance(value, int):
        kind = "year" if 2000 <= value <= 2099 else "hijri_year" if 1400 <= value <= 1500 else "digits"
    return Node(kind, token.start, token.end, value)


def _written_date(text: str, token: Token, nodes: list[Node], context: Context) -> None:
    raw = text[token.start : token.end]
    parts = [int(part) for part in raw.replace("-", "/").replace(".", "/").split("/")]
    found: date | None
    year_said = len(parts) == 3
    if len(parts) == 2:
        found = calendar.next_day_of_year(context.today, parts[1], parts[0])
    elif parts[0] > 31:
        year, month, day = parts
        found = (
            calendar.hijri_to_gregorian(year, month, day) if year < 1700 else calendar.make(year, month, day)
        )
    else:
        day, month, year = parts
        year += 2000 * (year < 100)
        found = (
            calendar.hijri_to_gregorian(year, month, day) if year < 1700 else calendar.make(year, month, day)
        )
    if found is None:
        nodes.append(Node("opaque", token.start, token.end, "date"))
        if len(parts) == 3:
            context.problems.append("impossible_date")
        return
    made = Node("date", token.start, token.end, Day(found, year_said), "written_date")
    context.found.append(made)
    nodes.append(made)


class Reading(NamedTuple):
    """One form of a word that opens something known."""

    form: Form
    alone: Meaning | None  # what it means when nothing longer follows
    phrases: dict[str, tuple[Meaning, ...]]
    longest: int  # the most words of a place that it opens, 0 if it opens none


def _read_word(text: str, tokens: list[Token], index: int, nodes: list[Node], context: Context) -> int:
    """Append what the token at `index` means; how many tokens that took."""
    token = tokens[index]
    following = tokens[index + 1].key if index + 1 < len(tokens) else ""
    readings = _readings(token.key)
    if len(readings) > 1:
        readings = _phrases_first(readings, following, tokens, index)
    for form, alone, phrases, longest in readings:
        meaning = alone
        if following in phrases:
            meaning = _phrase(phrases[following], form, tokens, index) or alone
        taken = 1 + len(meaning.rest) if meaning else 0
        if longest:
            place, length = _place(form, longest, tokens, index, nodes, context)
            if place and (length > taken or (meaning and _place_wins(meaning, place, nodes, form, context))):
                kind = "area" if isinstance(place[0], Area) else "place"
                start = _prefixes(text, form, token, nodes) if form.cut else token.start
                made = Node(kind, start, tokens[index + length - 1].end, place, "gazetteer")
                context.found.append(made)
                nodes.append(made)
                return length
        if meaning:
            start = _prefixes(text, form, token, nodes) if form.cut else token.start
            if (
                meaning.kind == "hijri_month"
                and meaning.value == SAFAR
                and not _dated(meaning, tokens, index, nodes, context)
            ):
                nodes.append(Node("unit", start, token.end, 0))
            elif meaning.kind != "filler":
                nodes.append(Node(meaning.kind, start, tokens[index + taken - 1].end, meaning.value))
            return taken
    return _unknown(text, token, nodes, context)


def _dated(meaning: Meaning, tokens: list[Token], index: int, nodes: list[Node], context: Context) -> bool:
    """Whether «صفر» is the month: beside a day or a year of the calendar, or where a date was asked for; else it is zero."""
    following = tokens[index + 1].key if index + 1 < len(tokens) else ""
    return (
        bool(meaning.rest)
        or context.asked in ("check_in", "check_out", "dates")
        or (bool(nodes) and nodes[-1].kind in BEFORE_A_MONTH)
        or following.startswith(("14", "هجري"))
    )


def _phrases_first(
    readings: tuple[Reading, ...], following: str, tokens: list[Token], index: int
) -> tuple[Reading, ...]:
    """The readings, one that opens a phrase said here before the others: «التشيك اوت» is no Czechia."""
    for reading in readings:
        if following in reading.phrases and _phrase(reading.phrases[following], reading.form, tokens, index):
            return readings if reading is readings[0] else (reading, *readings)
    return readings


@lru_cache(maxsize=16_384)
def _readings(key: str) -> tuple[Reading, ...]:
    """The forms of a word that open something known, the whole word first.

    A Latin word that we do not know may be another spelling of one that we know.
    """
    words, longest = lexicon(), gazetteer().longest
    found = tuple(
        _reading(form, words, longest.get(form.stem, 0) if _may_open_a_place(form, key) else 0)
        for form in forms(key)
        if form.stem in words or form.stem in longest
    )
    if not found and key.isascii() and len(key) > 3 and (like := sounds().get(sound(key)) or arabic_of(key)):
        return (_reading(Form(like, (), 0), words, 0),)
    return found


def _may_open_a_place(form: Form, key: str) -> bool:
    """«عمان» is no «ع» before «مان»: a prefix is none where the whole word is a town travelers ask for."""
    if not form.prefixes:
        return True
    whole = gazetteer().names.get(key, ())
    return len(form.stem) > 2 and not any(isinstance(place, Place) and place.asked_for for place in whole)


def _reading(form: Form, words: Mapping[str, Entry], longest: int) -> Reading:
    alone, phrases = words.get(form.stem, _UNKNOWN_ENTRY)
    if alone and form.prefixes and not _may_be_prefixed(alone, form):
        alone = None
    return Reading(form, alone, phrases, longest)


_UNKNOWN_ENTRY = Entry(None, {})


def _phrase(opened: tuple[Meaning, ...], form: Form, tokens: list[Token], index: int) -> Meaning | None:
    for meaning in opened:
        if _follows(meaning, tokens, index) and (not form.prefixes or _may_be_prefixed(meaning, form)):
            return meaning
    return None


def _follows(meaning: Meaning, tokens: list[Token], index: int) -> bool:
    """Whether the rest of a phrase, of which the next word fits, follows."""
    if index + len(meaning.rest) >= len(tokens):
        return False
    return all(
        tokens[index + offset].key in ways_of_writing(word) for offset, word in enumerate(meaning.rest[1:], 2)
    )


def _may_be_prefixed(meaning: Meaning, form: Form) -> bool:
    """Two letters are a word behind «و» only («كنت» is no «نت»), except numerals: «لست ليالي»."""
    if form.prefixes == ("and",):
        return len(form.stem) > 1 and (
            meaning.kind not in NEVER_PREFIXED or meaning.kind in ("no", "yes", "from", "to", "in", "not")
        )
    return meaning.kind not in NEVER_PREFIXED and (
        len(form.stem) > 2 or meaning.kind in ("unit", "half", "quarter")
    )


def _place(
    form: Form, longest: int, tokens: list[Token], index: int, nodes: list[Node], context: Context
) -> tuple[tuple[Place | Area, ...], int]:
    for length in range(min(longest, len(tokens) - index), 0, -1):
        name = form.stem
        if length > 1:
            name = " ".join([name, *[token.key for token in tokens[index + 1 : index + length]]])
        named = _named(name, context.country)
        if named is None:
            continue
        if named.area:
            return (named.area,), length
        expected = (
            context.asked == "destination"
            or _leads_to_place(nodes)
            or (len(form.stem) > 2 and not LEADING_PREFIXES.isdisjoint(form.prefixes))
            or len(tokens) == length
        )
        if length == 1 and not expected and named.doubtful:
            continue
        if length == 1 and _names_a_hotel(tokens[index].key, named, nodes):
            continue
        hinted = "on" in form.prefixes and not named.known  # «عالواتس» is no journey to Vác
        if named.known or (expected and not hinted):
            return named.known or named.towns, length
    return (), 0


def _names_a_hotel(key: str, named: "Named", nodes: list[Node]) -> bool:
    """«فندق المرجان» is called so; «فندق القاهرة» is in a town that travelers ask for."""
    return (
        key.startswith("ال")
        and bool(nodes)
        and nodes[-1].kind == "hotel"
        and not any(town.asked_for or town.country in ARAB_COUNTRIES for town in named.towns)
    )


class Named(NamedTuple):
    """What has a name in the gazetteer, seen from a country: an area, or towns by rank."""

    area: Area | None
    towns: tuple[Place, ...]
    known: tuple[Place, ...]
    doubtful: bool  # in one word it is as likely no place at all


@lru_cache(maxsize=4_096)
def _named(name: str, country: str) -> Named | None:
    places = gazetteer()
    found = places.names.get(name)
    if not found:
        return None
    area = next((place for place in found if isinstance(place, Area)), None)
    towns = [place for place in found if isinstance(place, Place)]
    towns.sort(key=lambda place: -rank(place, country))
    known = tuple(place for place in towns if place.known)
    return Named(area, tuple(towns), known, name in places.common or _too_short_alone(name, found))


def _leads_to_place(nodes: list[Node]) -> bool:
    for before in reversed(nodes):
        if before.kind not in ("comma", "stop"):
            break
    else:
        return False
    if before.kind in LEADS_TO_PLACE:
        return before is nodes[-1]
    if before.kind in ("place", "rejected"):
        return before is not nodes[-1]  # «فاس، مراكش»
    return before.kind in ("or", "not", "swap", "yes_or_not") or (
        before.kind == "cue" and before.value == "change"
    )


def _too_short_alone(name: str, found: tuple[Place | Area, ...]) -> bool:
    """Short names, and Latin ones of lesser cities, are words or people's names more often than places."""
    shortest, inhabitants = (6, 1_000_000) if name.isascii() else (5, 3_000_000)
    return (len(name) < shortest or name.isascii()) and not any(
        isinstance(place, Place) and (place.asked_for or place.population > inhabitants) for place in found
    )


def _place_wins(
    meaning: Meaning, place: tuple[Place | Area, ...], nodes: list[Node], form: Form, context: Context
) -> bool:
    """A word that is also a town is the town after «in» or «to», if travelers go there."""
    if meaning.rest or meaning.kind in ("relative_day", "weekday", "month", "in", "to", "from"):
        return False
    if (
        meaning.kind == "generic" and isinstance(place[0], Place) and place[0].country != context.country
    ):  # «العاصمة» is Algiers for Algerians only
        return False
    leads = (
        context.asked == "destination"
        or form.prefixes in (("bi",), ("in",))
        or (nodes and nodes[-1].kind in ("in", "to", "travel"))
    )
    return bool(leads) and isinstance(place[0], Place) and place[0].asked_for > 0


def _prefixes(text: str, form: Form, token: Token, nodes: list[Node]) -> int:
    """Append the prefixes of a form; where in the message the rest of the word starts."""
    for position, kind in enumerate(form.prefixes, token.start):
        nodes.append(Node(kind, position, position + 1, None, "prefix"))
    return token.start + offset_of(text[token.start : token.end], form.cut)


def _unknown(text: str, token: Token, nodes: list[Node], context: Context) -> int:
    """A word we do not know: a verb in one of its forms, a misspelt place where a place was due, otherwise just a word."""
    verb = bent(token.key)
    if verb:
        if verb.denied:
            nodes.append(Node("neg", token.start, token.start + 1, None, "verb"))
        nodes.append(Node(verb.meaning.kind, token.start, token.end, verb.meaning.value, "verb"))
        return 1
    led = nodes and nodes[-1].kind in ("in", "bi", "to", "travel", "hotel")
    for form in forms(token.key):
        expected = led or context.asked == "destination" or bool({"bi", "in"} & set(form.prefixes))
        if not expected or len(form.stem) < (4 if form.stem.isascii() else 5 if form.cut else 4):
            continue
        if token.key.startswith("ال") and nodes and nodes[-1].kind == "hotel":
            break  # «فندق المرجان» is called so
        near = nearest_name(form.stem) if len(form.stem) > 5 or not form.stem.isascii() else None
        name = near or place_of(form.stem)
        if name:
            found = tuple(
                place for place in gazetteer().names[name] if isinstance(place, Place) and place.known
            )
            start = _prefixes(text, form, token, nodes) if form.cut else token.start
            made = Node("place", start, token.end, found, "misspelling")
            context.found.append(made)
            nodes.append(made)
            return 1
        if form.prefixes:
            break
    for form in forms(token.key):
        typed = meant(form.stem)
        alone = lexicon()[typed].alone if typed else None
        if alone and (not form.prefixes or _may_be_prefixed(alone, form)):
            start = _prefixes(text, form, token, nodes) if form.cut else token.start
            nodes.append(Node(alone.kind, start, token.end, alone.value, "misspelling"))
            return 1
    nodes.append(Node("word", token.start, token.end, token.key))
    return 1
