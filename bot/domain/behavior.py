"""The behavior log's vocabulary: what a traveler did, in the seeds' Arabic action types and those they lacked.

What she does in a conversation is a row of its turn (`Acted`); what belongs to no turn is an `Occurrence` for the group
commit, which counts it without her unless she consented to analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from db.behavior import Occurrence, new_id


class Action(StrEnum):
    """`user_behavior_log.action_type`; the table's CHECK lists the same values."""

    SEARCH_STARTED = "بدء_بحث"
    HOTEL_VIEWED = "عرض_فندق"
    HOTELS_COMPARED = "مقارنة_فنادق"
    FAVOURITE_SAVED = "حفظ_للمفضلة"
    REVIEWS_READ = "قراءة_تقييمات"
    BUDGET_CHANGED = "تغيير_ميزانية"
    DATES_CHANGED = "تغيير_تواريخ"
    BOOKING_COMPLETED = "إكمال_حجز"
    BOOKING_CANCELLED = "إلغاء_حجز"
    RESULTS_SHARED = "مشاركة_نتائج"
    CONVERSATION_STARTED = "بدء_محادثة"
    CONSENT_ANSWERED = "موافقة"
    LANGUAGE_CHANGED = "تغيير_لغة"
    DESTINATION_CHANGED = "تغيير_وجهة"
    GUESTS_CHANGED = "تغيير_نزلاء"
    RESULTS_SHOWN = "عرض_نتائج"
    RESULTS_SORTED = "ترتيب_نتائج"
    BOOKING_STARTED = "بدء_حجز"
    TRIPS_VIEWED = "عرض_رحلات"
    HELP_ASKED = "طلب_مساعدة"
    HUMAN_ASKED = "تحويل_لموظف"
    STOPPED = "إيقاف"
    PAYMENT = "دفع"
    REFERRAL = "إحالة"
    OUTCOME = "نتيجة_إقامة"
    PREDICTION_SHOWN = "عرض_توقع"
    PROOF_SHOWN = "عرض_دليل_اجتماعي"
    # Of no turn: these three may name nobody.
    PAGE_OPENED = "عرض_صفحة"
    LINK_OPENED = "فتح_رابط"
    PROOF_ASKED = "طلب_دليل_اجتماعي"


@dataclass(frozen=True, slots=True)
class Acted:
    """One row of the behavior log to be. `data` is JSON-ready and holds no personal data."""

    action: Action
    data: Mapping[str, Any] = field(default_factory=dict)

    def row(self, *, at: datetime, timezone: str, emotional_state: str | None) -> dict[str, Any]:
        """The row as `app.end_turn` takes it; hour and weekday are the traveler's own.

        `emotional_state` is None unless she consented to analysis.
        """
        local = at.astimezone(ZoneInfo(timezone))
        return {
            "action_type": self.action.value,
            "action_data": dict(self.data),
            "emotional_state": emotional_state,
            "at": at.isoformat(),
            "hour_of_day": local.hour,
            "day_of_week": local.isoweekday(),
        }


MOST_REFERRER = 255


def page_opened(*, at: datetime, visitor: bytes | None, page: str, referrer: str | None) -> Occurrence:
    """The web chat was opened. `visitor`: the SHA-256 of her cookie. `referrer`: the host of the page she came from."""
    return Occurrence(
        id=new_id(at),
        at=at,
        action=Action.PAGE_OPENED.value,
        data=orjson.dumps({"page": page}).decode(),
        visitor=visitor,
        device="webchat",
        referrer=referrer[:MOST_REFERRER] if referrer else None,
    )


def link_opened(
    *, at: datetime, visitor: bytes | None, content: str | None, referrer: str | None
) -> Occurrence:
    """Somebody opened an invitation (`content` None) or shared content for the first time. Its code, which tells whose it
    is, stays out.
    """
    return Occurrence(
        id=new_id(at),
        at=at,
        action=Action.LINK_OPENED.value,
        data=orjson.dumps({"content": content or "invitation"}).decode(),
        visitor=visitor,
        device="web",
        referrer=referrer[:MOST_REFERRER] if referrer else None,
    )
