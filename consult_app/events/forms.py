"""Forms of events and agenda items."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import DateField, DateTimeLocalField, SelectField, TimeField
from wtforms.validators import InputRequired, NumberRange, Optional

from consult_app.consultations.queries import members
from consult_app.events import labels
from consult_app.events.models import Event, EventKind, EventMode, Session, SessionKind
from consult_app.forms import Form, Line, TextsField, WholeNumber, choices
from consult_app.i18n import _, day, local

ZONES = [("Asia/Jakarta", "WIB – Jakarta"), ("Asia/Makassar", "WITA – Makassar"), ("Asia/Jayapura", "WIT – Jayapura"), ("UTC", "UTC")]


class EventForm(Form):
    title = TextsField(_("Title"), required=True)
    kind = SelectField(_("Kind of meeting"), choices=choices(EventKind, labels.KIND))
    starts_on = DateField(_("First day"), [InputRequired()])
    ends_on = DateField(_("Last day"), [InputRequired()])
    starts_at = TimeField(_("Begins at"), [InputRequired()])
    ends_at = TimeField(_("Ends at"), [InputRequired()])
    timezone = SelectField(_("Time zone"), choices=ZONES)
    mode = SelectField(_("How people take part"), choices=choices(EventMode, labels.MODE))
    venue = Line(_("Venue"))
    address = Line(_("Address"))
    online_url = Line(_("Link to take part online"), description=_("Shown only to those who are registered."), most=500)
    capacity = WholeNumber(
        _("Seats"), [Optional(), NumberRange(0, 100_000)], description=_("Empty means no limit. Later ones wait in line.")
    )
    registration_closes_at = DateTimeLocalField(
        _("Registration closes"), [Optional()], description=_("Empty means at the end of the event.")
    )
    description = TextsField(_("What it is about"), long=True)

    def values(self) -> dict[str, Any]:
        """What was given, for the actions; the closing time is in the event's own zone."""
        data = {name: field.data for name, field in self._fields.items() if name != "csrf_token"}
        if "registration_closes_at" in data:
            closes: dt.datetime | None = data["registration_closes_at"]
            data["registration_closes_at"] = closes.replace(tzinfo=ZoneInfo(data["timezone"])) if closes else None
        return data | {"kind": EventKind(data["kind"]), "mode": EventMode(data["mode"])}

    @classmethod
    def of(cls, event: Event | None, **data: Any) -> EventForm:
        """The form, filled from an event when one is given.

        Seats and window are asked here once, when the event is planned; from then on they have a page of their own,
        with quotas and targets (`registrations.settings`), so that an older tab of this form cannot undo them.
        """
        if event is None:
            return cls(data=data)
        form = cls(obj=event)
        del form.capacity, form.registration_closes_at
        return form


class SessionForm(Form):
    title = TextsField(_("Item"), required=True)
    kind = SelectField(_("Kind"), choices=choices(SessionKind, labels.SESSION_KIND), default=SessionKind.PLENARY.value)
    day = SelectField(_("Day"))
    starts_at = TimeField(_("Begins at"), [InputRequired()])
    ends_at = TimeField(_("Ends at"), [InputRequired()])
    speaker = Line(_("Who speaks or leads"))
    dimension = SelectField(
        _("Dimension"), default="", description=_("What a group works on. The session then goes through its indicators.")
    )

    facilitator = SelectField(_("Facilitator"), default="")
    rapporteur = SelectField(_("Rapporteur"), default="")

    @classmethod
    def of(cls, event: Event, session: Session | None = None) -> SessionForm:
        """The form with its choices, filled from an item of the agenda when one is given."""
        form = cls() if session is None else cls(data=_values_of(session))
        form.dimension.choices = [("", _("All")), *((str(d.number), local(d.name)) for d in event.consultation.dimensions)]
        form.day.choices = [(value.isoformat(), day(value)) for value in event.days]
        team = [("", _("Nobody named yet")), *((one.user.public_id, one.user.name) for one in members(event.consultation))]
        form.facilitator.choices = form.rapporteur.choices = team
        return form

    def values(self, event: Event) -> dict[str, Any]:
        """What was given, for the actions."""
        ids = {one.user.public_id: one.user.id for one in members(event.consultation)}
        return {
            "title": self.title.data,
            "day": dt.date.fromisoformat(self.day.data),
            "starts_at": self.starts_at.data,
            "ends_at": self.ends_at.data,
            "kind": SessionKind(self.kind.data),
            "speaker": self.speaker.data or "",
            "dimension_id": next((d.id for d in event.consultation.dimensions if str(d.number) == self.dimension.data), None),
            "facilitator_id": ids.get(self.facilitator.data),
            "rapporteur_id": ids.get(self.rapporteur.data),
        }


def _values_of(session: Session) -> dict[str, Any]:
    return {
        **{name: getattr(session, name) for name in ("title", "starts_at", "ends_at", "speaker")},
        "kind": session.kind.value,
        "day": session.day.isoformat(),
        "dimension": str(session.dimension.number) if session.dimension else "",
        "facilitator": session.facilitator.public_id if session.facilitator else "",
        "rapporteur": session.rapporteur.public_id if session.rapporteur else "",
    }
