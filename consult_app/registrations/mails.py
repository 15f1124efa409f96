"""Mails to participants: ticket, seat, approval, link again, cancelled, replaced, another institution."""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import joinedload

from consult_app import mail, qr, web
from consult_app.db import db
from consult_app.events.calendar import ics
from consult_app.events.models import Event
from consult_app.i18n import gettext, local
from consult_app.registrations.models import Registration, Source
from consult_app.registrations.openings import opened_so_far
from consult_app.registrations.ticket_pdf import ticket_pdf
from consult_app.registrations.tickets import personal_link, ticket_code


def _subjects(event: str) -> dict[str, str]:
    return {
        "ticket": gettext("Your registration: %(event)s", event=event),
        "seat": gettext("You have a seat: %(event)s", event=event),
        "pending": gettext("Your registration waits for approval: %(event)s", event=event),
        "approved": gettext("Your registration is approved: %(event)s", event=event),
        "refused": gettext("Your registration was not approved: %(event)s", event=event),
        "again": gettext("Your ticket and link: %(event)s", event=event),
        "cancelled": gettext("Cancelled: %(event)s", event=event),
        "another_phone": gettext("Was that you? %(event)s", event=event),
        "replaced": gettext("A colleague has your place: %(event)s", event=event),
        "moved": gettext("Your institution is changed: %(event)s", event=event),
        "not_moved": gettext("Your institution stays as it was: %(event)s", event=event),
    }


def has_answered(registration: Registration) -> bool:
    """Whether the words of a registration are known to be those of its address: anybody may type anything into the public form."""
    return registration.source is not Source.PUBLIC or registration.opened_at is not None


def _parts(about: str, registration_id: int) -> mail.Parts:
    registration = db.session.get_one(
        Registration, registration_id, options=[joinedload(Registration.event).joinedload(Event.consultation)]
    )
    event = registration.event
    is_known = has_answered(registration)
    names = {
        "registration": registration,
        "name": registration.full_name if is_known else "",
        "event": event,
        "about": about,
        "url": web.external_url("events.show", slug=event.slug),
    }
    files = []
    if registration.is_live:
        code = ticket_code(registration.seed)
        then = "/my/registration/link" if about == "another_phone" else ""
        names |= {"link": personal_link(registration.seed, then), "code": code}
        if registration.is_confirmed and about != "another_phone":
            files = [
                mail.Attachment("ticket.png", "image/png", qr.png(code), cid="ticket"),
                mail.Attachment(f"ticket-{event.slug}.pdf", "application/pdf", ticket_pdf(registration, named=is_known)),
                mail.Attachment(f"{event.slug}.ics", "text/calendar", ics(event)),
            ]
    if about == "another_phone":
        names["phones"], names["opened_at"] = opened_so_far(registration)
        if not names["phones"]:
            raise mail.NotNeeded(gettext("A new link was made since."))
    template = "another_phone" if about == "another_phone" else "registration"
    return mail.Parts(_subjects(local(event.title))[about], f"registrations/email/{template}", names, files)


@mail.builder("registrations.not_made")
def _not_made(event_id: int) -> mail.Parts:
    event = db.session.get_one(Event, event_id)
    names = {"event": event, "url": web.external_url("events.show", slug=event.slug)}
    return mail.Parts(gettext("You are not registered: %(event)s", event=local(event.title)), "registrations/email/not_made", names, [])


for _about in ("ticket", "seat", "pending", "approved", "refused", "again", "cancelled", "replaced", "another_phone", "moved", "not_moved"):
    mail.builder(f"registrations.{_about}")(partial(_parts, _about))
