"""Other people's labelled Arabic, kept outside the repository and only pointed at.

`RAHHAL_EVAL_DATA` names the folder; without it `shared/data` beside the checkout is looked for.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.understanding import Understanding, understand
from tests.evaluation.scoring import Share, share

NOW = datetime(2026, 1, 14, 10, 0)  # noqa: DTZ001 - naive local time is what understand() takes
REFUSED = frozenset({"out_of_scope", "greet", "thanks", "affirm", "deny", "help", "unsure", "leave", "human"})
"""Answers to a sentence of another trade that start nothing: no search, no booking, no change."""

ASKS = (("night|ليل", "nights"), ("غرف", "rooms"), ("اسم", "name"), ("تسجيل", "check_in"), ("تاريخ", "check_in"),
        ("نجم|نجوم", "stars"), ("تقييم", "rating"), ("سعر|ميزاني", "budget"), ("وجه|موقع", "destination"),
        ("تأكيد|أكرر|صحيح", "confirm"))  # fmt: skip
SLOT_NAMES = {"rating": "rating_min", "number_of_nights": "nights", "number_of_rooms": "rooms",
              "user_name": "guest_name", "stars": "stars", "price_level": "price_level"}  # fmt: skip


def folder() -> Path | None:
    said = os.environ.get("RAHHAL_EVAL_DATA")
    places = [Path(said)] if said else [Path(__file__).parents[2].parent / "shared" / "data"]
    return next((place for place in places if place.is_dir()), None)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)


def figures(data: Path) -> Iterator[tuple[str, Share]]:
    hotel = [_hotel(turn) for turn in _rows(data / "arabictod_hotel_dev.jsonl")]
    yield "hotel dialogues: slots right", share(right for turn in hotel for right in turn)
    yield "hotel dialogues: turns wholly right", share(all(turn) for turn in hotel if turn)
    for name, what in (
        ("arabictod_otherdomain_dev.jsonl", "other trades"),
        ("arbanking_ood_dev.jsonl", "banking"),
        ("xsid_ar_dev.jsonl", "alarms, weather, music, tables"),
    ):
        said = [understand(row["text"], now=NOW) for row in _rows(data / name)]
        yield f"{what}: not taken for a stay", share(one.intent in REFUSED for one in said)
    spans = [(row["text"], slot["text"]) for row in _rows(data / "xsid_ar_dev.jsonl")
             for slot in row["slots"] if slot["slot"] == "datetime" and _is_a_day(slot["text"])]  # fmt: skip
    yield "days named in commands: found", share(_has_a_day(text, span) for text, span in spans)


def _hotel(turn: dict[str, Any]) -> list[bool]:
    before = turn["system_before"] or ""
    asked = [name for pattern, name in ASKS if re.search(pattern, before)]
    said = understand(turn["text"], now=NOW, asked=asked[0] if len(asked) == 1 else None)
    return [_act(act, said) for act in turn["acts"] if act["act"] in ("inform", "affirm", "negate")]


def _act(act: dict[str, Any], said: Understanding) -> bool:
    if act["act"] != "inform":
        return said.intent == {"affirm": "affirm", "negate": "deny"}[act["act"]]
    value, slot = act["value"][0], act["slot"]
    if value == "dontcare":
        return SLOT_NAMES.get(slot, "destination") not in said.slots
    arrival = said.slots.get("check_in", "0000-00-00")
    if slot == "start_day":
        return bool(arrival[8:] == f"{value:02}")
    if slot == "start_month":
        return bool(arrival[5:7] == f"{value:02}")
    if slot not in SLOT_NAMES:  # a district of one city, a hotel of one catalogue
        return True
    return bool(said.slots.get(SLOT_NAMES[slot]) == value)


def _is_a_day(span: str) -> bool:
    return bool(
        re.search(
            "غد|يوم|السبت|الأحد|الاثنين|الثلاثاء|الأربعاء|الخميس|الجمعة|الأسبوع|الشهر|مارس|أكتوبر|مايو|يونيو",
            span,
        )
    )


def _has_a_day(text: str, span: str) -> bool:
    start = text.find(span)
    return any(
        entity.type in ("date", "date_range") and entity.start < start + len(span) and entity.end > start
        for entity in understand(text, now=NOW).entities
    )
