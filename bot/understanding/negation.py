"""What is denied is not asked for: «لا تلغي الحجز» cancels nothing, «ما تأكدش» confirms nothing."""

from bot.understanding.grammar import Node

DENIALS = frozenset({"no", "neg", "not"})
JUSSIVE = ("ت", "ي", "t", "y")
BOUNDARIES = frozenset({"comma", "stop", "question", "but", "swap", "want", "correction"})

COMMANDS = frozenset({
    "book", "book_it", "go_ahead", "leave", "cancel_booking", "privacy_delete", "compare_hotels", "save_favourite",
    "change", "change_dates", "change_budget", "change_destination", "change_guests", "resume", "human",
})  # fmt: skip
VERBS = frozenset({"erase", "settle", "talk", "like"})
OBJECTS = frozenset({"book", "my_trips", "offer", "dates_noun"})
"""Cues that a denied verb takes with it: «لا تلغي *الحجز*»."""


def without_the_denied(text: str, nodes: list[Node]) -> list[Node]:
    """The nodes with «denied» in place of a negation, its verb, and what the verb was about."""
    if DENIALS.isdisjoint([node.kind for node in nodes]):
        return nodes
    result: list[Node] = []
    index = 0
    while index < len(nodes):
        node = nodes[index]
        verb = nodes[index + 1] if index + 1 < len(nodes) else None
        if node.kind not in DENIALS or verb is None or not _command(verb) or not _denies(text, node, verb):
            result.append(node)
            index += 1
            continue
        covered = [node, verb]
        index += 2
        kept: list[Node] = []
        while index < len(nodes) and nodes[index].kind not in BOUNDARIES:
            following = nodes[index]
            (covered if following.kind == "cue" and following.value in OBJECTS else kept).append(following)
            index += 1
        kind = "disliked" if verb.kind == "like" else "denied"
        result.append(Node(kind, node.start, covered[-1].end, verb.value, "denied"))
        result += kept
    return result


def _command(node: Node) -> bool:
    return node.kind in VERBS or (node.kind == "cue" and node.value in COMMANDS)


def _denies(text: str, denial: Node, verb: Node) -> bool:
    """«لا» alone may answer the question before («لا، احجز»): it denies a verb of the second or third person only."""
    said = text[denial.start : denial.end]
    if denial.kind != "no" or " " in said or not said.lower().startswith(("ل", "ك", "la", "no")):
        return True  # «مش عايز», «مابي», «don't»
    return text[verb.start : verb.end].lower().startswith(JUSSIVE)
