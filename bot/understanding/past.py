"""What the traveler tells of the past is no wish: «كنت في دهب الأسبوع اللي فات، ودلوقتي عايز شرم»."""

from bot.understanding.grammar import Node

TOLD_FROM = frozenset({"was"})
TOLD_UNTIL = ("want", "now", "but", "comma", "stop")
"""Where the story ends, the surest sign first; without any of them nothing is left out."""


def without_the_past(nodes: list[Node]) -> list[Node]:
    """The nodes without a story of a former stay; «كنت عايز» is a polite wish and stays."""
    start = next((index for index, node in enumerate(nodes) if node.kind in TOLD_FROM), None)
    if start is None:
        return nodes
    told = nodes[start:]
    for kind in TOLD_UNTIL:
        length = next((index for index, node in enumerate(told) if node.kind == kind), 0)
        if length > 1 and any(node.kind == "place" for node in told[:length]):
            before = [
                node
                for node in nodes[:start]
                if node.kind not in ("unit_week", "unit_month", "past", "place")
            ]
            return before + told[length:]
    return nodes
