"""Why a message was understood as it was: which rule found what. For people; see `rahhal understand --explain`."""

from collections.abc import Iterator
from datetime import datetime

from bot.understanding import Heard, hear
from bot.understanding.confidence import calibrated, evidence
from bot.understanding.destination import Destination
from bot.understanding.grammar import Context, Node
from bot.understanding.slots import fill


def explain(text: str, *, now: datetime, timezone: str, locale: str, asked: str | None) -> list[str]:
    """Every word and value found with its rule, every slot with what it comes from, and who decided the intent."""
    heard = hear(text, now=now, timezone=timezone, locale=locale, asked=asked)
    return [*_found(text, heard.nodes, 0), *_slots(text, heard), *_intent(heard)]


def _found(text: str, nodes: list[Node], depth: int) -> Iterator[str]:
    for node in nodes:
        said = text[node.start : node.end]
        value = "" if node.value is None or node.kind in ("word", "place", "area") else f" = {node.value}"
        yield f"{'  ' * depth}{node.kind} «{said}» [{node.start}:{node.end}]{value} by {node.rule}"
        yield from _found(text, list(node.parts), depth + 1)


def _slots(text: str, heard: Heard) -> Iterator[str]:
    """A slot comes from the node that alone yields the same value; otherwise from the message as a whole."""
    context = heard.context
    alone = Context(context.today, context.country, context.asked, context.places)
    for name, value in heard.filling.slots.items():
        source = "the message as a whole"
        if name == "destination":
            source = "the place named"
        else:
            for node in heard.nodes:
                if fill(text, [node], Destination(), alone, price_asked=False).slots.get(name) == value:
                    source = f"«{text[node.start : node.end]}» by {node.rule}"
                    break
        yield f"slot {name} = {value} from {source}"


def _intent(heard: Heard) -> Iterator[str]:
    intent = heard.intent
    cues = [f"{node.kind}:{node.value}" if node.kind == "cue" else node.kind for node in heard.nodes]
    seen = evidence(intent, [node.kind for node in heard.nodes])
    signs = " ".join(f"{name} {value:.2g}" for name, value in seen._asdict().items() if value)
    yield (
        f"intent {intent.name} by {intent.judge}, seeing {' '.join(cues) or 'nothing'};"
        f" sure {calibrated(seen):.2f}, for {signs or 'all is known'}"
    )
