"""The conversation flows, one file each. Order matters only where a bare value could begin several: the first takes it."""

from handlers.booking import BOOKING
from handlers.help import HELP
from handlers.hotel import HOTEL
from handlers.human import HUMAN
from handlers.language import LANGUAGE
from handlers.logins import LOGINS
from handlers.opinions import OPINIONS
from handlers.outcome import OUTCOME
from handlers.places import PLACES
from handlers.referral import REFERRAL
from handlers.results import RESULTS
from handlers.search import SEARCH
from handlers.share import SHARE
from handlers.start import START
from handlers.trips import CANCELLATION, TRIPS

FLOWS = (
    START,
    SEARCH,
    RESULTS,
    HOTEL,
    OPINIONS,
    BOOKING,
    TRIPS,
    CANCELLATION,
    OUTCOME,
    PLACES,
    SHARE,
    REFERRAL,
    LANGUAGE,
    LOGINS,
    HELP,
    HUMAN,
)
