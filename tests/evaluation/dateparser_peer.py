"""dateparser on the same sentences: how many of the days named does it find?"""

from collections.abc import Sequence

from tests.evaluation.corpus import Row
from tests.evaluation.scoring import Judged, Share, share

LANGUAGES = ["ar", "en", "fr"]


def days_labelled(row: Row) -> set[str]:
    return {row.slots[name] for name in ("check_in", "check_out") if name in row.slots}


def dated(judged: Sequence[Judged]) -> list[Judged]:
    return [one for one in judged if days_labelled(one.row)]


def ours(judged: Sequence[Judged]) -> Share:
    return share(
        {one.said.slots[name] for name in ("check_in", "check_out") if name in one.said.slots}
        == days_labelled(one.row)
        for one in dated(judged)
    )


def theirs(judged: Sequence[Judged]) -> Share | None:
    """The share of sentences in which dateparser's search finds exactly the days named; None when it is not installed."""
    try:
        from dateparser.search import search_dates
    except ImportError:
        return None
    right = []
    for one in dated(judged):
        settings = {"RELATIVE_BASE": one.row.now.replace(tzinfo=None), "PREFER_DATES_FROM": "future"}
        found = search_dates(one.row.text, languages=LANGUAGES, settings=settings) or []
        right.append({moment.date().isoformat() for _, moment in found} == days_labelled(one.row))
    return share(right)
