"""Pictures on request: painted once, then kept as files under the data directory."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from bot.suppliers.demo.hotels import PICTURES, DemoHotel, by_identifier
from bot.suppliers.demo.pictures.scene import paint

EDITION = 1
"""Part of the file names: raise it when the same picture should look different."""

_SOURCE = re.compile(r"hotel/(?P<identifier>[a-z0-9][a-z0-9-]{1,63})/(?P<n>[1-9])", re.ASCII)


class PictureStore:
    """A `PictureReader` for the sources «hotel/IDENTIFIER/N» of the demo."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "pictures"

    async def read(self, source: str) -> bytes:
        """The JPEG. Raises LookupError for whatever is not a picture of the demo, before any file is touched."""
        return await asyncio.to_thread(self._read, source)

    def _read(self, source: str) -> bytes:
        found = _SOURCE.fullmatch(source)
        hotel = by_identifier().get(found["identifier"]) if found else None
        if found is None or hotel is None or int(found["n"]) > PICTURES:
            raise LookupError(source)
        return self._painted(hotel, int(found["n"]))

    def _painted(self, hotel: DemoHotel, n: int) -> bytes:
        identifier = hotel.facts.identifier
        file = self._folder / f"{identifier}-{n}-{EDITION}.jpg"
        with suppress(OSError):
            return file.read_bytes()
        picture = paint(identifier, n, hotel.setting, hotel.theme)
        self._keep(file, picture)
        return picture

    def _keep(self, file: Path, picture: bytes) -> None:
        """Whole or not at all, also when several processes paint the same picture. A full disk only costs the cache."""
        draft = file.with_suffix(f".{uuid4().hex}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(picture)
            draft.replace(file)
        except OSError:
            with suppress(OSError):
                draft.unlink()
