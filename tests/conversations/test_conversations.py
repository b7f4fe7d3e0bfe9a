"""Every conversation file, word by word, and again through `rahhal chat --script`'s reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.terminal import read_script
from tests.conversations.chat import Chat
from tests.conversations.script import Answer, fits, read

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_the_conversation_goes_as_written(chat: Chat, path: Path) -> None:
    for step in read(path):
        answers = await chat.take(step)
        if answers is None:
            continue
        assert fits(step.expected, answers), (
            f"{path.name}:{step.line}: {step.words}\n\nanswered:\n{_shown(answers)}\n\nexpected:\n"
            + "\n".join(f"< {line}" for line in step.expected)
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_same_file_is_a_script_of_the_terminal(path: Path) -> None:
    """Notes are passed over there, so that what they would send is missing; every other line is read the same."""
    said = [(step.line, step.kind == "#", step.words) for step in read(path) if step.kind in ">#"]
    assert [(line.number, line.pressed, line.words) for line in read_script(path)] == said


def _shown(answers: list[Answer]) -> str:
    return "\n".join(f"< {line}" for answer in answers for line in (f"[{answer.key}]", *answer.lines))
