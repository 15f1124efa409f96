"""A check-in desk for a browser: a site that runs, an event of today, codes to pair with, and a camera that sees a code."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask_migrate import upgrade
from PIL import Image

from benchmarks.site import register
from consult_app import create_app, qr
from consult_app.attendance import devices
from consult_app.attendance.models import DeviceKind
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories
from tests.conftest import SETTINGS
from tests.journeys.conftest import Site, serve

CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@dataclass
class Desk:
    """A running site with an event of today, its guests, and codes to pair with."""

    site: Site
    slug: str
    codes: list[str]
    names: list[str]
    pairings: list[str]

    def rows(self, words: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.site.database()) as database:
            return database.execute(words).fetchall()


@contextlib.contextmanager
def filled(var: Path, guests: int) -> Iterator[tuple[Event, list[Registration]]]:
    """A site that does not run yet, with an event of today and its guests."""
    settings = {key: value for key, value in SETTINGS.items() if not key.endswith("_KEY")}
    app = create_app({**settings, "VAR": var, "DATABASE_URL": f"sqlite:///{var / 'consult.db'}"})
    with app.app_context():
        upgrade()
        today = dt.datetime.now(ZoneInfo("Asia/Jakarta")).date()
        event = factories.make_event(starts_on=today, ends_on=today + dt.timedelta(days=1))
        yield event, register(event, guests)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@contextlib.contextmanager
def desk_of(var: Path, guests: int, kind: DeviceKind = DeviceKind.DESK, *, asks_signature: bool = False) -> Iterator[Desk]:
    with filled(var, guests) as (event, people):
        pairings = [devices.invite(event, f"Desk {n}", kind, by=factories.BY, asks_signature=asks_signature)[1] for n in (1, 2)]
        slug, codes, names = event.slug, [ticket_code(p.seed) for p in people], [p.name for p in people]
    with serve(var, demo=False) as site:
        yield Desk(site, slug, codes, names, pairings)


def _seen(code: str | None) -> Image.Image:
    """A code on white paper, or only the paper."""
    picture = Image.new("L", (640, 480), 235)
    if code:
        cells = qr.matrix(code)
        image = Image.new("L", (len(cells), len(cells)))
        image.putdata([0 if dark else 255 for row in cells for dark in row])
        side = 320
        picture.paste(255, (160 - 40, 80 - 40, 160 + side + 40, 80 + side + 40))
        picture.paste(image.resize((side, side)), (160, 80))
    return picture


def photo(path: Path, code: str | None) -> Path:
    """A photograph of a code."""
    _seen(code).save(path)
    return path


def video(path: Path, code: str | None) -> str:
    """What the camera sees, as a flag of Chromium."""
    gray = b"\x80" * (320 * 240)
    frame = b"FRAME\n" + _seen(code).tobytes() + gray + gray
    path.write_bytes(b"YUV4MPEG2 W640 H480 F15:1 Ip A1:1 C420jpeg\n" + frame * 15)
    return f"--use-file-for-fake-video-capture={path}"
