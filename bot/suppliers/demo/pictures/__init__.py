"""Painted pictures of the demo's hotels: no photograph, no real place, none used twice."""

from bot.suppliers.demo.pictures.scene import HEIGHT, WIDTH, paint
from bot.suppliers.demo.pictures.store import PictureStore

__all__ = ["HEIGHT", "WIDTH", "PictureStore", "paint"]
