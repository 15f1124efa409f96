"""What a data subject asked for, and what was done (UU 27/2022 articles 5-13; answered within 3 x 24 hours)."""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.audit import Audited
from consult_app.db import Model, Public, enum_type
from consult_app.registrations.models import Person


class RequestKind(enum.StrEnum):
    ERASE = "erase"
    CORRECT = "correct"
    RESTRICT = "restrict"
    OTHER = "other"


class RequestState(enum.StrEnum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class DataRequest(Public, Audited, Model):
    """One request about somebody's own data; the clock runs 72 hours from `created_at`."""

    __tablename__ = "data_requests"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[RequestKind] = mapped_column(enum_type(RequestKind))
    state: Mapped[RequestState] = mapped_column(enum_type(RequestState), default=RequestState.OPEN)
    words: Mapped[str] = mapped_column(default="")  # theirs; emptied by an erasure
    reply: Mapped[str] = mapped_column(default="")
    due_at: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]
    person: Mapped[Person] = relationship()
