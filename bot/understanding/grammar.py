"""The engine of the rules: patterns over kinds of nodes, the longest match first, then the more specific one.

A message is a sequence of nodes, each of one kind (a number, a month, «من» …). A rule is a pattern over kinds and
a function that turns the nodes matched into a value, or refuses them with None. A stage holds the rules that
see the same sequence; its result, with found values in place of the nodes they cover, is the next stage's input.

Pattern language: kind names separated by spaces, `(a | b)`, `?`, `*`, `!kind` and `!(a | b)` (not followed by). Every kind is one
character to the regular expression engine, and the rules of a stage that start with one kind are one expression, each
rule a lookahead of its own: matching once tells how far each of them reaches.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, NamedTuple

_CODES: dict[str, str] = {}
_IN_PATTERNS: set[str] = set()


def code_of(kind: str) -> str:
    """The character that stands for a kind in compiled patterns."""
    return _CODES.setdefault(kind, chr(0x4E00 + len(_CODES)))


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
        self.code = _CODES.get(kind) or code_of(kind)
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


class Rule(NamedTuple):
    name: str
    kind: str
    expression: str
    build: Build


class Opening(NamedTuple):
    """The rules that can start with one kind, in the order of their registration."""

    rules: list[Rule]
    reach: Callable[[str, int], "re.Match[str] | None"]
    """Matches always; group i ends where rule i does, and is missing where it does not apply."""


class Stage:
    """Rules that look at the same sequence of nodes."""

    _made: ClassVar[set[str]] = set()

    @classmethod
    def made_kinds(cls) -> frozenset[str]:
        """The kinds that some rule makes."""
        return frozenset(cls._made)

    def __init__(self) -> None:
        self._by_first: dict[str, list[Rule]] = {}
        self._openings: dict[str, Opening] = {}

    def rule(self, kind: str, pattern: str) -> Callable[[Build], Build]:
        """Register a function for `pattern`; what it returns becomes a node of `kind`."""

        def register(build: Build) -> Build:
            expression, first = _compile(pattern)
            made = Rule(build.__name__.strip("_"), kind, expression, build)
            Stage._made.add(kind)
            for code in first:
                self._by_first.setdefault(code, []).append(made)
            return build

        return register

    def _opening(self, code: str) -> Opening:
        """Compiled when a message first has this kind."""
        found = self._openings.get(code)
        if found is None:
            rules = self._by_first[code]
            expression = "".join(f"(?=({rule.expression})|)" for rule in rules)
            found = self._openings[code] = Opening(rules, re.compile(expression).match)
        return found

    def run(self, nodes: list[Node], kinds: str, context: Context) -> tuple[list[Node], str]:
        """The nodes with what was found in place of what it covers, and their kinds as codes; `kinds` are those before."""
        by_first = self._by_first
        if by_first.keys().isdisjoint(kinds):
            return nodes, kinds
        result: list[Node] = []
        said = ""
        position = 0
        for start, code in enumerate(kinds):
            if start < position or code not in by_first:
                continue
            opening = self._openings.get(code) or self._opening(code)
            reached = opening.reach(kinds, start)
            if reached is None or reached.lastindex is None:
                continue
            matches = [(end, -order) for order, (_, end) in enumerate(reached.regs) if end > start]
            if len(matches) > 1:
                matches.sort(reverse=True)
            for end, order in matches:
                rule = opening.rules[-order - 1]
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


def _compile(pattern: str) -> tuple[str, set[str]]:
    """A regular expression over kind codes, and the codes it can start with."""
    pieces = _PIECES.findall(pattern)
    _IN_PATTERNS.update(piece for piece in pieces if piece not in "()|?*!")
    position = 0

    def alternatives() -> tuple[str, set[str], bool]:
        nonlocal position
        expressions, first, empty = [], set(), False
        while True:
            expression, starts, nullable = concatenation()
            expressions.append(expression)
            first |= starts
            empty |= nullable
            if position < len(pieces) and pieces[position] == "|":
                position += 1
            else:
                return "|".join(expressions), first, empty

    def concatenation() -> tuple[str, set[str], bool]:
        nonlocal position
        expression, first, empty = "", set(), True
        while position < len(pieces) and pieces[position] not in "|)":
            piece = pieces[position]
            position += 1
            if piece == "!":
                group = pieces[position] == "("
                position += group
                inner, _, _ = alternatives() if group else (code_of(pieces[position]), set(), False)
                expression += f"(?!{inner})"
                position += 1
                continue
            if piece == "(":
                inner, starts, nullable = alternatives()
                inner = f"(?:{inner})"
                position += 1
            else:
                inner = code_of(piece)
                starts, nullable = {inner}, False
            if position < len(pieces) and pieces[position] in "?*":
                inner += pieces[position]
                nullable = True
                position += 1
            expression += inner
            if empty:
                first |= starts
            empty &= nullable
        return expression, first, empty

    expression, first, empty = alternatives()
    assert not empty, f"the pattern {pattern!r} matches nothing at all"
    return expression, first
