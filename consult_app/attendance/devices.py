"""Devices: invited by a one-time QR, paired by a phone, revoked. Rules 7 and 8 of product.md."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from flask import current_app
from sqlalchemy import Row, Table, bindparam, select, update
from sqlalchemy.orm import joinedload

from consult_app import audit
from consult_app.attendance.models import Device, DeviceKind
from consult_app.db import alone, copy_of, db, now
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.tickets import new_seed, secret, token_hash
from consult_app.web import asset

PAIRING_TIME = dt.timedelta(minutes=10)


def device_token(device: Device) -> str:
    """What the device shows at each request."""
    return "D1" + secret("device", device.seed)


def pairing_secret(device: Device) -> str:
    """What the one-time QR carries behind the #."""
    return secret("pairing", device.seed)


def _new(event: Event, name: str, kind: DeviceKind, asks_signature: bool) -> Device:
    if not name.strip():
        raise Invalid(_("Give the device a name, so that you know it again."), field="name")
    device = Device(
        consultation_id=event.consultation_id,
        event=event,
        name=name.strip(),
        kind=kind,
        asks_signature=asks_signature,
        seed=new_seed(),
    )
    device.token_hash = token_hash(device_token(device))
    db.session.add(device)
    return device


@audit.in_turn
def invite(event: Event, name: str, kind: DeviceKind, *, by: Actor, asks_signature: bool = False) -> tuple[Device, str]:
    """Make a device that waits for its phone; returns it and the secret of its QR, which works once and for ten minutes."""
    device = _new(event, name, kind, asks_signature)
    device.pairing_hash, device.pairing_ends_at = token_hash(pairing_secret(device)), now() + PAIRING_TIME
    audit.record(by, "device.invite", device)
    return device, pairing_secret(device)


@audit.in_turn
def create_token(event: Event, name: str, *, by: Actor) -> tuple[Device, str]:
    """Make a token for another program; returns its device and the token, which is told only now."""
    device = _new(event, name, DeviceKind.APP, asks_signature=False)
    device.paired_at = now()
    audit.record(by, "device.create", device)
    return device, device_token(device)


def pair(pairing: str, client_key: str) -> tuple[Device, str]:
    """Give the phone that opened the QR its token. The same phone may ask again, when the answer was lost on its way.

    Raises Conflict where the code is unknown, too old, used by another phone, or withdrawn.
    """
    query = select(Device).where(Device.pairing_hash == token_hash(pairing)).options(joinedload(Device.event))
    device = db.session.scalar(query)
    if device is not None:
        audit.take_turn(device.consultation_id, device)
    if device is None or device.is_revoked:
        raise Conflict(_("This code is not valid. Ask the organiser to show a new one."))
    if device.paired_at is not None:
        if device.client_key_hash is None or not secrets.compare_digest(device.client_key_hash, token_hash(client_key)):
            raise Conflict(_("This code was used by another device. Ask the organiser to show a new one."))
        return device, device_token(device)
    if not device.is_waiting:
        raise Conflict(_("This code is too old. Ask the organiser to show a new one."))
    device.paired_at, device.client_key_hash = now(), token_hash(client_key)
    audit.record(device, "device.pair", device)
    return device, device_token(device)


@audit.in_turn
def revoke(device: Device, *, by: Actor) -> None:
    """Let the device check in nobody any more; at its next contact it wipes what it holds."""
    if device.is_revoked:
        raise Conflict(_("This device was revoked already."))
    device.revoked_at = now()
    audit.record(by, "device.revoke", device)


# what a request of a device needs to know; read at each of them
OF_DEVICE = ("id", "public_id", "consultation_id", "event_id", "name", "kind", "asks_signature", "paired_at", "revoked_at", "wiped_at")
OF_EVENT = ("id", "slug", "consultation_id", "state", "title", "starts_on", "ends_on", "timezone")
DEVICES, EVENTS = cast(Table, Device.__table__), cast(Table, Event.__table__)
_WITH_EVENT = select(*(DEVICES.c[name] for name in OF_DEVICE), *(EVENTS.c[name] for name in OF_EVENT)).join(
    EVENTS, EVENTS.c.id == DEVICES.c.event_id
)
_BY_TOKEN = _WITH_EVENT.where(DEVICES.c.token_hash == bindparam("token"))
_BY_ID = _WITH_EVENT.where(DEVICES.c.id.in_(bindparam("ids", expanding=True)))
REMEMBERED = 30.0  # seconds


def _copy(row: Row[Any]) -> Device:
    """A device with its event, to be read."""
    event = copy_of(Event, **dict(zip(OF_EVENT, row[len(OF_DEVICE) :], strict=True)))
    return copy_of(Device, **dict(zip(OF_DEVICE, row, strict=False)), event=event)


def by_token(token: str, *, for_scan: bool = False) -> Device | None:
    """The device of a token, also a revoked one, with its event: copies to be read, with the columns named above.

    A scan may have one that is up to half a minute old: who the token belongs to never changes, and whether it still counts is
    read again in the transaction of the scan (`as_they_are`).
    """
    known: dict[str, tuple[float, Device]] = current_app.extensions["devices"]
    wanted = token_hash(token)
    read_at, device = known.get(wanted, (0.0, None))
    if for_scan and device is not None and time.monotonic() - read_at < REMEMBERED:
        return device
    with alone() as connection:
        row = connection.execute(_BY_TOKEN, {"token": wanted}).first()
    if row is None:
        return None
    device = _copy(row)
    if len(known) > 1000:
        known.clear()
    known[wanted] = (time.monotonic(), device)
    return device


@dataclass
class Copies:
    """Devices of one consultation with their events, as they were when its log ended with a hash.

    Whatever changes a device or an event is recorded: while the log ends as it did, they are as they were.
    """

    as_of: str = ""
    known: dict[int, Device] = field(default_factory=dict)


def as_they_are(consultation_id: int, as_of: str, ids: set[int]) -> dict[int, Device]:
    """Devices with their events, as this transaction sees them, these and perhaps others; `as_of` is what `audit.lock` returned in it."""
    copies: Copies = current_app.extensions["device_copies"].setdefault(consultation_id, Copies())
    if copies.as_of != as_of:
        copies.as_of, copies.known = as_of, {}
    if missing := ids - copies.known.keys():
        copies.known |= {row[0]: _copy(row) for row in db.session.connection().execute(_BY_ID, {"ids": list(missing)})}
    return copies.known


def keep_until(consultation_id: int, before: str, end: str) -> None:
    """What `as_they_are` gave stands also where the log ends now: what was recorded since changed no device and no event."""
    copies: Copies = current_app.extensions["device_copies"][consultation_id]
    if copies.as_of == before:
        copies.as_of = end


def heard(device: Device, *, pending: int, app_version: str, clock_offset: float | None) -> None:
    """Remember what the device says of itself; the log leaves it out."""
    said = {"last_seen_at": now(), "pending": pending, "app_version": app_version[:40], "clock_offset": clock_offset}
    if device.is_revoked and device.wiped_at is None:
        said["wiped_at"] = now()
    db.session.execute(update(Device).where(Device.id == device.id).values(**said))


def app_version() -> str:
    """The version of the desk's page that is served now: it changes with its script."""
    return PurePosixPath(asset("desk.js")).stem.rpartition("-")[2][:6]


def devices_of(event: Event) -> list[Device]:
    """All devices of an event, the newest first."""
    return list(db.session.scalars(select(Device).where(Device.event_id == event.id).order_by(Device.id.desc())))
