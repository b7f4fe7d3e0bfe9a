"""Understanding a message, beside dateparser's search; finding a misspelt city, beside a scan with rapidfuzz."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from math import inf

from rapidfuzz import fuzz, process

from bot.bench import Measure, Sizes, bench
from bot.understanding import Understanding, understand
from bot.understanding.gazetteer import gazetteer, nearest_name

NOW = datetime(2026, 1, 14, 10, 0)  # noqa: DTZ001 - naive local time is what understand() takes
ROUNDS = 30
PEER_ROUNDS = 5
DAYS = frozenset({"date", "date_range"})
NAMES_OF_TARGET = 60_000
"""Names that the target of the city lookup speaks of; ours are fewer, measured as they are and scaled."""

MESSAGES = (
    "عايز فندق في شرم الشيخ أسبوع من ١٥ أبريل لاتنين",
    "ابي فندق بالرياض قريب من الحديقة من ٢٠ لين ٢٣ مارس حق ٤ انفار",
    "أريد حجز غرفتين في دبي لمدة أربع ليال ابتداء من الخميس القادم",
    "بدي أوتيل ببيروت حد البحر لتلات ليالي من بكرا",
    "بغيت أوطيل فأكادير نهار الجمعة لجوج د الناس",
    "اريد فندق بأربيل عقب باچر لثلاث ليالي بميزانية ٢٠٠ دولار",
    "من 20 إلى 23 مارس",
    "بعد أسبوعين",
    "نعم",
    "رتب حسب السعر",
    "كيف الطقس اليوم",
    "hotel in Dubai for 2 from 15 April",
)
MISSPELT = ("اسطنبل", "القاهره", "مراكس", "الاسكندرة", "الغردقا", "ابوظبى", "بيروتت", "الدوحا")

COLD = """
import re, time
before = time.perf_counter()
import bot.understanding
print(time.perf_counter() - before)
bot.understanding.understand("فندق في اسطنبل", now=__import__("datetime").datetime(2026, 1, 14))
status = open("/proc/self/status").read()  # not ru_maxrss, which remembers the parent that forked us
print(int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024)
"""


@bench("understanding")
def run(_sizes: Sizes) -> Iterator[Measure]:
    yield from _messages()
    yield from _cities()
    yield from _cold()


def _median(call: Callable[[str], object], texts: Sequence[str], rounds: int) -> float:
    """Seconds a call takes: the median text, each at its fastest round, which a busy machine disturbs least."""
    for text in texts:
        call(text)
    fastest = [inf] * len(texts)
    for _ in range(rounds):
        for index, text in enumerate(texts):
            start = time.perf_counter()
            call(text)
            fastest[index] = min(fastest[index], time.perf_counter() - start)
    return statistics.median(fastest)


def _messages() -> Iterator[Measure]:
    ours = _median(_ours, MESSAGES, ROUNDS)
    yield Measure(
        "understanding", "median time a message", ours * 1e6, "µs", target="<= 100 µs", ok=ours <= 100e-6
    )
    dated = [text for text in MESSAGES if any(each.type in DAYS for each in _ours(text).entities)]
    for what, texts in (
        ("a whole message, beside dates only", MESSAGES),
        ("the same, where days are named", dated),
    ):
        yield _beside_dateparser(what, texts)


def _ours(text: str) -> Understanding:
    return understand(text, now=NOW)


def _beside_dateparser(what: str, texts: Sequence[str]) -> Measure:
    ours = _median(_ours, texts, ROUNDS)
    try:
        from dateparser.search import search_dates
    except ImportError:
        missing = "dateparser.search is not installed (make environment-eval)"
        return Measure("understanding", what, ours * 1e6, "µs", missing, target=">= 50 x")
    theirs = _median(lambda text: search_dates(text, languages=["ar"]), texts, PEER_ROUNDS)
    ratio = theirs / ours
    peer = f"dateparser.search, {theirs * 1e6:,.0f} µs"
    return Measure("understanding", what, ours * 1e6, "µs", peer, ratio, ">= 50 x", ratio >= 50)


def _cities() -> Iterator[Measure]:
    cities = list(gazetteer().names)
    ours = _median(nearest_name, MISSPELT, ROUNDS)
    theirs = _median(
        lambda name: process.extractOne(name, cities, scorer=fuzz.ratio, score_cutoff=75),
        MISSPELT,
        PEER_ROUNDS,
    )
    theirs *= NAMES_OF_TARGET / len(cities)  # a scan is linear in the names
    ratio = theirs / ours
    peer = f"rapidfuzz over {NAMES_OF_TARGET:,} names"
    yield Measure(
        "understanding",
        "a city misspelt by one letter",
        ours * 1e6,
        "µs",
        peer,
        ratio,
        ">= 1000 x",
        ratio >= 1000,
    )


def _cold() -> Iterator[Measure]:
    """In processes of their own, where nothing is imported yet; the fastest of three, and its memory."""
    seconds, megabytes = min(_cold_start() for _ in range(3))
    yield Measure("understanding", "import", seconds, "s", target="<= 0.3 s", ok=seconds <= 0.3)
    yield Measure(
        "understanding",
        "memory after the first message",
        megabytes,
        "MB",
        target="<= 60 MB",
        ok=megabytes <= 60,
    )


def _cold_start() -> tuple[float, float]:
    said = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    seconds, megabytes = map(float, said.stdout.split())
    return seconds, megabytes
