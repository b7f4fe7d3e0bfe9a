"""An operator's own hotels, prices and rooms from CSV files: good rows are kept, bad ones reported by line and column.

Every `import_…` runs within the caller's transaction, as rahhal_owner.
"""

from bot.domain.catalogue.allotments import import_allotments
from bot.domain.catalogue.columns import KINDS, template
from bot.domain.catalogue.hotels import City, FindCity, import_hotels
from bot.domain.catalogue.rates import import_rates
from bot.domain.catalogue.report import Problem, Report
from bot.domain.catalogue.table import Limits

__all__ = [
    "KINDS",
    "City",
    "FindCity",
    "Limits",
    "Problem",
    "Report",
    "import_allotments",
    "import_hotels",
    "import_rates",
    "template",
]
