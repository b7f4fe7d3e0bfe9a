"""The engine of the rules: patterns over kinds of nodes, the longest match first, then the more specific one.

A message is a sequence of nodes, each of one kind (a number, a month, «من» …). A rule is a pattern over kinds and
a function that turns the nodes matched into a value, or refuses them with None. A stage holds the rules that
see the same sequence; its result, with found values in place of the nodes they cover, is the next stage's input.

Pattern language: kind names separated by spaces, `(a | b)`, `?`, `*`, `!kind` and `!(a | b)` (not followed by). Every kind is one
character to the regular expression engine, and only the rules that can start with the two kinds at hand are tried.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, ClassVar


class _Codes(dict[str, str]):
    def __missing__(self, kind: str) -> str:
        return self.setdefault(kind, chr(0x4E00 + len(self)))


_CODES = _Codes()
_IN_PATTERNS: set[str] = set()


def code_of(kind: str) -> str:
    """The character that stands for a kind in compiled patterns."""
    return _CODES[kind]


def kinds_in_patterns() -> frozenset[str]:
    """Every kind that the pattern of some rule looks for."""
    return frozenset(_IN_PATTERNS)


class Node:
    """Something found: `value` of `kind` between two code points of the message, and the rule that found it."""

    __slots__ = ("code", "end", "kind", "parts", "rule", "start", "value")

    def __init__(
        self,
        kind: str,
        start: int,
        end: int,
        value: Any = None,
        rule: str = "word",
        parts: Sequence["Node"] = (),
    ) -> None:
        self.kind = kind
        self.code = _CODES[kind]
        self.start = start
        self.end = end
        self.value = value
        self.rule = rule
        self.parts = parts

    def __repr__(self) -> str:
        return f"{self.kind}[{self.start}:{self.end}]={self.value!r}"


@dataclass(slots=True)
class Context:
    """What a rule may know besides the nodes: the day, the traveler's country, what was asked; and what it found.

    `places` are the countries of the places named, which decide a currency name that the traveler's country leaves open.
    """

    today: date
    country: str
    asked: str | None
    places: tuple[str, ...] = ()
    found: list[Node] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


Build = Callable[[Sequence[Node], Context], Any]


@dataclass(frozen=True)
class Rule:
    name: str
    kind: str
    expression: str
    openings: "Openings"
    build: Build

    @cached_property
    def match(self) -> Callable[[str, int], "re.Match[str] | None"]:
        """Compiled when a message first has two kinds that the rule starts with."""
        return re.compile(self.expression).match


class Stage:
    """Rules that look at the same sequence of nodes."""

    _made: ClassVar[set[str]] = set()

    @classmethod
    def made_kinds(cls) -> frozenset[str]:
        """The kinds that some rule makes."""
        return frozenset(cls._made)

    def __init__(self) -> None:
        self._by_first: dict[str, list[Rule]] = {}
        self._openings: dict[str, dict[str, tuple[Rule, ...]]] = {}  # first kind, second kind or ENDS

    def rule(self, kind: str, pattern: str) -> Callable[[Build], Build]:
        """Register a function for `pattern`; what it returns becomes a node of `kind`."""

        def register(build: Build) -> Build:
            expression, openings = _compile(pattern)
            made = Rule(build.__name__.strip("_"), kind, expression, openings, build)
            Stage._made.add(kind)
            for code in openings:
                self._by_first.setdefault(code, []).append(made)
                self._openings[code] = {}
            return build

        return register

    def _opening(self, first: str, second: str) -> tuple[Rule, ...]:
        """The rules that can start with two kinds, or with the last one of a message; mostly none or one."""
        rules = tuple(
            rule for rule in self._by_first[first] if not rule.openings[first].isdisjoint((ENDS, second))
        )
        self._openings[first][second] = rules
        return rules

    def run(self, nodes: list[Node], kinds: str, context: Context) -> tuple[list[Node], str]:
        """The nodes with what was found in place of what it covers, and their kinds as codes; `kinds` are those before."""
        openings = self._openings
        result: list[Node] = []
        said = ""
        position = 0
        for start, node in enumerate(nodes):
            opening = openings.get(node.code)
            if opening is None or start < position:
                continue
            second = nodes[start + 1].code if start + 1 < len(nodes) else ENDS
            rules = opening.get(second)
            if rules is None:
                rules = self._opening(node.code, second)
            if not rules:
                continue
            matches = [(found.end(), rule) for rule in rules if (found := rule.match(kinds, start))]
            if len(matches) > 1:
                matches.sort(key=_reach, reverse=True)
            for end, rule in matches:
                covered = nodes[start:end]
                value = rule.build(covered, context)
                if value is not None:
                    made = Node(rule.kind, covered[0].start, covered[-1].end, value, rule.name, covered)
                    context.found.append(made)
                    result += nodes[position:start]
                    result.append(made)
                    said += kinds[position:start] + made.code
                    position = end
                    break
        if not position:
            return nodes, kinds
        return result + nodes[position:], said + kinds[position:]


def _reach(match: tuple[int, Rule]) -> int:
    return match[0]


def parse(nodes: list[Node], stages: Sequence[Stage], context: Context) -> list[Node]:
    """What the stages make of a message, one after the other."""
    kinds = "".join([node.code for node in nodes])
    for stage in stages:
        nodes, kinds = stage.run(nodes, kinds, context)
    return nodes


def values(nodes: Sequence[Node], *kinds: str) -> list[Any]:
    """Values of the nodes of these kinds, in order."""
    return [node.value for node in nodes if node.kind in kinds]


def has(nodes: Sequence[Node], *kinds: str) -> bool:
    for node in nodes:  # noqa: SIM110 - any() with a generator costs three times as much, and every rule asks
        if node.kind in kinds:
            return True
    return False


_PIECES = re.compile(r"[a-z_0-9]+|[()|?*!]")

ENDS = ""
"""Among what can stand second: the pattern may end with the first, whatever follows."""

Openings = dict[str, set[str]]
"""The codes a pattern can start with, each with those that can stand second (exclusions such as `!kind` not counted)."""


def _compile(pattern: str) -> tuple[str, Openings]:
    """A regular expression over kind codes, and what it can start with."""
    pieces = _PIECES.findall(pattern)
    _IN_PATTERNS.update(piece for piece in pieces if piece not in "()|?*!")
    position = 0

    def alternatives() -> tuple[str, Openings, bool]:
        nonlocal position
        expressions: list[str] = []
        openings: Openings = {}
        empty = False
        while True:
            expression, starts, nullable = concatenation()
            expressions.append(expression)
            _merge(openings, starts)
            empty |= nullable
            if position < len(pieces) and pieces[position] == "|":
                position += 1
            else:
                return "|".join(expressions), openings, empty

    def concatenation() -> tuple[str, Openings, bool]:
        nonlocal position
        expression, empty = "", True
        openings: Openings = {}
        while position < len(pieces) and pieces[position] not in "|)":
            piece = pieces[position]
            position += 1
            if piece == "!":
                group = pieces[position] == "("
                position += group
                inner, _, _ = alternatives() if group else (code_of(pieces[position]), {}, False)
                expression += f"(?!{inner})"
                position += 1
                continue
            if piece == "(":
                inner, starts, nullable = alternatives()
                inner = f"(?:{inner})"
                position += 1
            else:
                inner = code_of(piece)
                starts, nullable = {inner: {ENDS}}, False
            if position < len(pieces) and pieces[position] in "?*":
                if pieces[position] == "*":
                    _follow(starts, starts, ends=True)
                inner += pieces[position]
                nullable = True
                position += 1
            expression += inner
            _follow(openings, starts, ends=nullable)
            if empty:
                _merge(openings, starts)
            empty &= nullable
        return expression, openings, empty

    expression, openings, empty = alternatives()
    assert not empty, f"the pattern {pattern!r} matches nothing at all"
    return expression, openings


def _merge(openings: Openings, others: Openings) -> None:
    for code, followers in others.items():
        openings.setdefault(code, set()).update(followers)


def _follow(openings: Openings, following: Openings, *, ends: bool) -> None:
    """What could end after one kind goes on with what follows; it can still end there if that may be left out."""
    for followers in openings.values():
        if ENDS in followers:
            followers.update(following)
            if not ends:
                followers.discard(ENDS)
