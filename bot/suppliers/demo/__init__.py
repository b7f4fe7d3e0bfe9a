"""The demo: fictional hotels in real cities («بيانات تجريبية»), so that the first conversation has something to book.

Everything is drawn from a seed: the same hotels, prices and pictures on every machine. Cities carry GeoNames ids
(geonames.org, CC BY 4.0). Levels of prices, taxes and fees are plausible, not researched.
"""

from bot.suppliers.demo.fill import Filled, extend_horizon, fill, fill_stays
from bot.suppliers.demo.pictures import PictureStore, paint

__all__ = ["Filled", "PictureStore", "extend_horizon", "fill", "fill_stays", "paint"]
