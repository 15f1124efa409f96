"""An event as iCalendar (RFC 5545)."""

from __future__ import annotations

import datetime as dt

from icalendar import Calendar
from icalendar import Event as Entry

from consult_app import web
from consult_app.events.models import Event
from consult_app.i18n import local


def ics(event: Event) -> bytes:
    """One entry per day of the event, each from its first to its last hour, in the reader's language."""
    calendar = Calendar()
    calendar.add("prodid", "-//Consult//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    url = web.external_url("events.show", slug=event.slug)
    for number, day in enumerate(event.days, start=1):
        entry = Entry()
        entry.add("uid", f"{event.public_id}-{number}@consult")
        entry.add("summary", local(event.title))
        # UTC needs no zone definition beside it, and every calendar shows it in the reader's own zone
        entry.add("dtstart", dt.datetime.combine(day, event.starts_at, event.zone).astimezone(dt.UTC))
        entry.add("dtend", dt.datetime.combine(day, event.ends_at, event.zone).astimezone(dt.UTC))
        entry.add("dtstamp", event.created_at)
        entry.add("location", ", ".join(part for part in (event.venue, event.address) if part))
        entry.add("description", f"{local(event.description)}\n{url}".strip())
        entry.add("url", url)
        entry.add("status", "CANCELLED" if event.is_cancelled else "CONFIRMED")
        calendar.add_component(entry)
    return bytes(calendar.to_ical())
