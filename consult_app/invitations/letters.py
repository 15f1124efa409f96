"""Invitations as printed letters: one page each, in the reader's language, with the QR of the answering link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from reportlab.platypus import Flowable, HRFlowable, PageBreak, Spacer, Table, TableStyle

from consult_app import pdf
from consult_app.db import now
from consult_app.events.models import Event
from consult_app.i18n import clock, day, days, gettext, language, local, moment, reading
from consult_app.invitations.links import invitation_link
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.pdf import mm, paragraph


def letters(event: Event, invitations: Sequence[EventInvitation]) -> bytes:
    """A PDF with a page for each invitation."""
    pdf.fonts()
    story: list[Flowable] = []
    for invitation in invitations:
        with reading(invitation.language):
            story += [*_heading(event), *_address(event, invitation), *_words(event, invitation), *_answer(event, invitation), PageBreak()]
    return pdf.build(story, gettext("Invitations: %(event)s", event=local(event.title)), lang=language())


def _heading(event: Event) -> list[Flowable]:
    partners = " · ".join(event.consultation.partners)
    return [
        paragraph(local(event.consultation.title)[:200], pdf.SERIF_BOLD, 15, alignment=pdf.TA_CENTER),
        *([paragraph(partners[:200], pdf.SANS, 10, alignment=pdf.TA_CENTER, textColor=pdf.MUTED)] if partners else []),
        Spacer(1, 3 * mm),
        HRFlowable(width="100%", thickness=1.2, color=pdf.ACCENT, spaceAfter=8 * mm),
    ]


def _address(event: Event, invitation: EventInvitation) -> list[Flowable]:
    """The date, and to whom: salutation, titles and position as on an envelope."""
    today: dt.date = event.day_of(now())
    who = " ".join(part for part in (invitation.salutation, invitation.full_name) if part)
    lines = [who, invitation.position if who else "", local(invitation.institution.name)]
    return [
        paragraph(day(today), pdf.SANS, 11, alignment=pdf.TA_RIGHT),
        Spacer(1, 5 * mm),
        paragraph(gettext("To"), pdf.SANS, 11, textColor=pdf.MUTED),
        *[paragraph(line, pdf.SANS_BOLD if number == 0 or not who else pdf.SANS, 11.5) for number, line in enumerate(lines) if line],
        Spacer(1, 8 * mm),
    ]


def _words(event: Event, invitation: EventInvitation) -> list[Flowable]:
    who = " ".join(part for part in (invitation.salutation, invitation.full_name) if part)
    title = local(event.title)
    if invitation.kind is InvitationKind.INSTITUTION:
        asked = gettext("We have the honour to invite your institution to “%(event)s”, and ask you to name your delegates.", event=title)
    else:
        asked = gettext("We have the honour to invite you to “%(event)s”.", event=title)
    facts = [
        (gettext("When"), f"{days(event.starts_on, event.ends_on)}, {clock(event.starts, event.timezone)}"),
        (gettext("Where"), ", ".join(part for part in (event.venue, event.address) if part)),
        (gettext("Seats"), str(invitation.seats) if invitation.seats else ""),
    ]
    rows = [[paragraph(term, pdf.SANS, 11, textColor=pdf.MUTED), paragraph(words, pdf.SANS, 11)] for term, words in facts if words]
    table = Table(rows, colWidths=[28 * mm, 138 * mm], hAlign="LEFT")
    table.setStyle(TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    greeting = gettext("Dear %(name)s,", name=who) if who else gettext("Dear Sir or Madam,")
    return [
        paragraph(greeting, pdf.SANS, 11.5),
        Spacer(1, 3 * mm),
        paragraph(asked, pdf.SANS, 11.5),
        Spacer(1, 4 * mm),
        table,
        Spacer(1, 6 * mm),
    ]


def _answer(event: Event, invitation: EventInvitation) -> list[Flowable]:
    link = invitation_link(invitation)
    closes = event.registration_closes_at or event.starts
    lines = [
        paragraph(gettext("How to answer"), pdf.SERIF_BOLD, 13),
        Spacer(1, 2 * mm),
        paragraph(gettext("Point your phone's camera at the code, or type the address below. No password is needed."), pdf.SANS, 11),
        Spacer(1, 2 * mm),
        paragraph(gettext("Please answer by %(when)s.", when=moment(closes, event.timezone)), pdf.SANS_BOLD, 11),
        Spacer(1, 2 * mm),
        paragraph(link, pdf.SANS, 8.5, textColor=pdf.MUTED),
    ]
    box = Table([[pdf.QR(link, 44 * mm), lines]], colWidths=[50 * mm, 116 * mm], hAlign="LEFT")
    box.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LEFTPADDING", (0, 0), (0, 0), 0)]))
    by = event.consultation.controller or gettext("The organisers")
    return [
        box,
        Spacer(1, 8 * mm),
        paragraph(gettext("With our regards,"), pdf.SANS, 11.5),
        Spacer(1, 14 * mm),
        paragraph(by, pdf.SANS_BOLD, 11.5),
    ]
