"""The code and the catalogue agree: no unknown key, no missing value, no sentence that nobody says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest

from locales.catalogue import catalogue

ROOT = Path(__file__).parents[2]
SOURCES = ("bot", "handlers")
SPEAKERS = {"say", "reply", "aside", "tell_operators", "button", "knows", "DomainError"}
"""Calls whose first argument is a key. The keywords of `button` that are not values are in NOT_VALUES."""
NOT_VALUES = {"button": {"slots", "args", "once", "move"}}
SAID_BY_TEXTS = {"date", "deadline", "money", "noun", "rating", "time"}
"""Prefixes that Texts itself says."""


@dataclass(frozen=True)
class Said:
    """One call: a whole key, or the beginning of one («status.» of an f-string)."""

    where: str
    speaker: str
    key: str
    whole: bool
    values: frozenset[str] | None


def spoken(tree: ast.AST, where: str) -> Iterator[Said]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in SPEAKERS:
            continue
        keywords = {keyword.arg for keyword in node.keywords}
        values = (
            None if None in keywords else frozenset(k for k in keywords if k) - NOT_VALUES.get(name, set())
        )
        for key, whole in keys(node.args[0]):
            yield Said(f"{where}:{node.lineno}", name, key, whole, values)


def keys(node: ast.expr) -> Iterator[tuple[str, bool]]:
    """The keys an expression may be, as far as they can be read off the source."""
    match node:
        case ast.Constant(value=str(key)):
            yield key, True
        case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
            yield beginning, False
        case ast.IfExp(body=body, orelse=orelse):
            yield from keys(body)
            yield from keys(orelse)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in SOURCES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def flows_exist() -> bool:
    tree = ast.parse((ROOT / "handlers" / "__init__.py").read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return "FLOWS" in names


def problems(said: Said, sentences: dict[str, str]) -> str | None:
    if not said.whole:
        return None if any(key.startswith(said.key) for key in sentences) else "no key begins like this"
    if said.key not in sentences:
        return "no such key"
    expected = {name for _, name, _, _ in Formatter().parse(sentences[said.key]) if name}
    if said.values is not None and said.speaker != "knows" and said.values != expected:
        return f"its placeholders are {sorted(expected)}, given {sorted(said.values)}"
    return None


def test_every_key_said_exists_and_gets_its_values() -> None:
    sentences = dict(catalogue("ar").sentences)
    wrong = [
        f"{said.where}: {said.key}: {problem}"
        for where, tree in modules()
        for said in spoken(tree, where)
        if (problem := problems(said, sentences))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_noun_counted_exists() -> None:
    nouns = catalogue("ar").nouns
    wrong = [
        f"{where}:{node.lineno}: {node.args[0].value}"
        for where, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "count"
        and ast.unparse(node.func.value).endswith("texts")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and f"noun.{node.args[0].value}" not in nouns
    ]
    assert not wrong, "\n".join(wrong)


def test_every_amenity_that_is_understood_has_a_name() -> None:
    """The second column of the lexicon is the name the whole product uses."""
    lexicon = (ROOT / "bot" / "understanding" / "words" / "wants.tsv").read_text(encoding="utf-8")
    amenities = {line.split("\t")[1] for line in lexicon.splitlines() if line.startswith("amenity\t")}
    assert amenities
    assert {name for name in amenities if f"amenity.{name}" not in catalogue("ar").sentences} == set()


def test_no_sentence_is_left_unsaid() -> None:
    """Of the families (`search`, `cancel` …) that the code speaks of at all; a key counts as said wherever it is written."""
    if not flows_exist():
        pytest.skip("no flows yet to say anything")
    sentences = catalogue("ar").sentences
    written: set[str] = set()
    beginnings: set[str] = set()
    for _, tree in modules():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)) if text in sentences:
                    written.add(text)
                case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]) if "." in text:
                    beginnings.add(text)
    used = {key for key in sentences if key in written or key.startswith(tuple(beginnings))}
    families = {key.partition(".")[0] for key in used} - SAID_BY_TEXTS
    unsaid = sorted(key for key in sentences if key.partition(".")[0] in families and key not in used)
    untouched = sorted({key.partition(".")[0] for key in sentences} - families - SAID_BY_TEXTS)
    if untouched:
        print("not spoken of yet:", ", ".join(untouched))
    assert not unsaid, "nobody says: " + ", ".join(unsaid)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('texts.say("search.no_guests")', None),
        ('turn.say("search.no_guest")', "no such key"),
        ('turn.say("search.past_date")', "its placeholders are ['date'], given []"),
        ('turn.say("search.past_date", date=day)', None),
        ('turn.say("search.past_date", **values)', None),
        ('turn.say(f"status.{status}")', None),
        ('turn.say(f"statsu.{status}")', "no key begins like this"),
        ('turn.button("button.more", "more", args={}, once=True)', None),
        ('turn.say("back" if x else "bakc", question=q)', "no such key"),
        ('raise DomainError("booking.sold_out", hotel=name)', None),
        ('raise DomainError("booking.sold_out")', "its placeholders are ['hotel'], given []"),
    ],
)
def test_the_reader_of_code_sees(source: str, problem: str | None) -> None:
    sentences = dict(catalogue("ar").sentences)
    found = list(spoken(ast.parse(source), "example"))
    assert found
    assert next((p for said in found if (p := problems(said, sentences))), None) == problem
