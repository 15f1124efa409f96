"""A check-in desk for a browser: a site that runs, an event of today, codes to pair with, and a camera that sees a code."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade
from PIL import Image

from benchmarks.site import register
from consult_app import create_app, qr
from consult_app.attendance import devices
from consult_app.attendance.models import Device, DeviceKind
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories
from tests.conftest import SETTINGS, empty_database
from tests.journeys.conftest import Site

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

    def revoke_first(self) -> None:
        """Revoke the device that was invited first, as another process of the site does."""
        with _app(self.site.var, f"sqlite:///{self.site.var / 'consult.db'}").app_context():
            devices.revoke(db.session.scalars(db.select(Device).order_by(Device.id)).all()[0], by=factories.BY)
            db.session.commit()
            db.session.remove()
            db.engine.dispose()


def _app(var: Path, url: str) -> Flask:
    settings = {key: value for key, value in SETTINGS.items() if not key.endswith("_KEY")}
    return create_app({**settings, "VAR": var, "DATABASE_URL": url})


@contextlib.contextmanager
def filled(var: Path, guests: int, url: str = "") -> Iterator[tuple[Event, list[Registration]]]:
    """A site with an event of today and its guests: a new one on SQLite, or at a database address."""
    with _app(var, url or empty_database(var)).app_context():
        upgrade()
        today = dt.datetime.now(ZoneInfo("Asia/Jakarta")).date()
        event = factories.make_event(starts_on=today, ends_on=today + dt.timedelta(days=1))
        yield event, register(event, guests)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def desk_of(site: Site, guests: int, kind: DeviceKind = DeviceKind.DESK, *, asks_signature: bool = False) -> Desk:
    """An event of today and nothing else on a site that runs: what was there before is gone."""
    with contextlib.closing(site.database()) as database, database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'").fetchall():
            database.execute(f"DELETE FROM {table}")
    with filled(site.var, guests, f"sqlite:///{site.var / 'consult.db'}") as (event, people):
        pairings = [devices.invite(event, f"Desk {n}", kind, by=factories.BY, asks_signature=asks_signature)[1] for n in (1, 2)]
        return Desk(site, event.slug, [ticket_code(p.seed) for p in people], [p.name for p in people], pairings)


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
