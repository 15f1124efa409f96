"""What the check-in API takes and gives (OpenAPI is made from these)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from consult_app.attendance.models import CLOCK_TOLERANCE, Movement
from consult_app.registrations.models import Attendance, Sex

MOST_ITEMS = 500
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Nonce = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[Line, StringConstraints(min_length=1)]
# a moment with its zone; years that no event is held in are a mistake, and would not fit into a calendar
Moment = Annotated[AwareDatetime, Field(ge=dt.datetime(2000, 1, 1, tzinfo=dt.UTC), lt=dt.datetime(2200, 1, 1, tzinfo=dt.UTC))]


class Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", str_max_length=10_000)


class PairIn(Shape):
    secret: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    client_key: Annotated[str, StringConstraints(min_length=16, max_length=100)]
    app_version: Annotated[str, StringConstraints(max_length=40)] = ""


class DeviceOut(Shape):
    id: str
    name: str
    kind: Literal["desk", "kiosk", "app"]
    asks_signature: bool


class ListOut(Shape):
    """Something to check into: the day's entry (id "") or a session."""

    id: str
    name: str
    day: dt.date | None = None
    starts_at: str | None = None


class TypeOut(Shape):
    code: str
    name: str


class EventOut(Shape):
    slug: str
    title: str
    timezone: str
    days: list[dt.date]
    today: dt.date
    server_now: dt.datetime
    languages: list[str]
    lists: list[ListOut]
    stakeholder_types: list[TypeOut]
    institutions: list[str]
    registered: int
    arrived: int
    device: DeviceOut


class PairOut(Shape):
    token: str
    device: DeviceOut
    event: EventOut


class GuestsQuery(Shape):
    since: Annotated[str, StringConstraints(max_length=20)] = ""


class GuestsOut(Shape):
    cursor: str
    full: bool
    server_now: dt.datetime
    registered: int
    arrived: int
    guests: list[dict[str, Any]]


class Made(Shape):
    """What identifies something that was done at a desk, and when, by its clock."""

    nonce: Nonce
    scanned_at: Moment | None = None
    device_now: Moment | None = None

    def clock_offset(self, received: dt.datetime) -> float | None:
        return offset(received, self.device_now)


class CheckInIn(Made):
    code: Annotated[str, StringConstraints(max_length=1000)] = ""
    guest: Annotated[str, StringConstraints(max_length=40)] = Field("", description="the id of a guest, instead of a code")
    type: Movement = Movement.ENTRY
    list: Annotated[str, StringConstraints(max_length=40)] = Field("", description="the day's entry, or the id of a session")
    mode: Attendance = Attendance.IN_PERSON


class BatchIn(Shape):
    """In the order in which they were made. Without items it only says that the device is there."""

    device_now: Moment
    app_version: Annotated[str, StringConstraints(max_length=40)] = ""
    pending: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    items: list[CheckInIn] = Field(max_length=MOST_ITEMS)


class GuestOut(Shape):
    id: str
    name: str
    institution: str
    type: str


class ResultOut(Shape):
    """What rule 7 answers: who, when, where. The HTTP status is 200 for all of them."""

    nonce: str
    result: Literal["ok", "already", "cancelled", "waiting_list", "wrong_event", "wrong_day", "unknown", "revoked"]
    detail: str = Field("", description="replaced, pending, refused, out (already out), clock (off by more than two minutes) or nothing")
    message: str
    guest: GuestOut | None = None
    at: dt.datetime | None = None
    where: str | None = None
    event: str | None = None


class BatchOut(Shape):
    server_now: dt.datetime
    clock_offset: float
    revoked: bool
    results: list[ResultOut]


class WalkInIn(Made):
    name: Name
    institution: Name
    type: Annotated[str, StringConstraints(max_length=100)]
    sex: Sex
    email: EmailStr | Literal[""] = ""
    list: Annotated[str, StringConstraints(max_length=40)] = ""


class ReplaceIn(Made):
    name: Name
    sex: Sex
    email: EmailStr | Literal[""] = ""
    position: Line = ""


class SignatureIn(Shape):
    nonce: Nonce
    guest: Annotated[str, StringConstraints(max_length=40)]
    strokes: list[list[int]] = Field(max_length=500)


class UndoIn(Shape):
    reason: Name
    guest: Annotated[str, StringConstraints(max_length=40)]


class JoinOut(Shape):
    """A code that opens the guest's session once: its address, and the QR of it as size and path of an SVG."""

    address: str
    ends_at: dt.datetime
    size: int
    path: str


class DoneOut(Shape):
    ok: bool = True


def offset(received: dt.datetime, device_now: dt.datetime | None) -> float | None:
    """Seconds that the server is ahead of the device; differences that the way of the request explains are none."""
    if device_now is None:
        return None
    seconds = (received - device_now).total_seconds()
    return 0.0 if abs(seconds) < 2 else round(seconds, 1)


def is_off(seconds: float | None) -> bool:
    return seconds is not None and abs(seconds) > CLOCK_TOLERANCE.total_seconds()
