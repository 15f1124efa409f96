"""From people to a file: what the worker and the pages both call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import current_app

from consult_app.documents import queries
from consult_app.documents.badges import PAPERS, Badge, badges
from consult_app.documents.certificates import certificates
from consult_app.documents.models import Certificate
from consult_app.documents.tent_cards import tent_cards
from consult_app.errors import Conflict
from consult_app.events.models import Event
from consult_app.i18n import _, gettext, local, reading
from consult_app.registrations import labels
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code

BADGES, TENT_CARDS, CERTIFICATES = "badges", "tent-cards", "certificates"
SHORT = 100  # people whose papers are made while the page waits


def _badge(event_title: str, person: Registration) -> Badge:
    return Badge(
        event=event_title,
        name=person.full_name,
        institution=local(person.institution.name),
        role=str(labels.ROLE[person.role]),
        kind=local(person.stakeholder_type.name),
        tone=person.stakeholder_type.place + 1,
        code=ticket_code(person.seed),
    )


def make(kind: str, event: Event, people: Sequence[Registration], options: dict[str, Any]) -> bytes:
    """The PDF of badges, tent cards or certificates in the language that the options name."""
    with reading(options["language"]):
        title = local(event.title)
        if kind == CERTIFICATES:
            issued = queries.certificates_for(people)
            if not issued:
                raise Conflict(_("None of them has a certificate that stands."))
            return certificates(issued, queries.letterhead_of(event), options["paper"])
        cards = [_badge(title, person) for person in people]
        if kind == TENT_CARDS:
            return tent_cards(cards, options["paper"], f"{gettext('Tent cards')} – {title}", gettext("fold here"), options["language"])
        name = f"{gettext('Badges')} – {title}"
        return badges(cards, options["paper"], options["per_sheet"], name, options["language"], options.get("start", 0))


def reprints(certificate: Certificate) -> Iterator[bytes]:
    """A certificate as it is handed out, in each language and on each paper."""
    for code in current_app.config["LANGUAGES"]:
        for paper in PAPERS:
            yield make(CERTIFICATES, certificate.event, [certificate.registration], {"paper": paper, "language": code})


def filename(event: Event, kind: str) -> str:
    return f"{event.slug}-{kind}.pdf"
