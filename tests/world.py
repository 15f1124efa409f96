"""A consultation in which everything has happened, and every address that it fills: for tests that read all of it."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from flask import Flask

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.attendance.actions import check_in
from consult_app.comments import actions, answers, evidence, replies
from consult_app.comments.models import CommentKind, DispositionKind, PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations import speakers
from consult_app.registrations.models import Registration
from consult_app.room import actions as room
from tests import factories
from tests.comments.files import PDF
from tests.signoff.steps import name


@dataclass
class World:
    """A consultation in which people have spoken, and the words that would tell who they are."""

    consultation: Consultation
    event: Event
    ids: dict[str, list[str]]  # by the part of an address that stands before them
    telling: list[str] = field(default_factory=list)


KINDS = ("government", "ngo", "cso", "un")


def speak(event: Event, number: int, rapporteur: User, facilitator: User) -> Registration:
    """Somebody says all there is to say on an indicator."""
    who = factories.make_registration(
        event, name=f"Zulkarnaen Pembicara{number}", institution=f"Kantor Rahasia{number}", email=f"rahasia{number}@pembicara.example",
        kind=KINDS[number % 4], phone=f"+62 811-5550-{number:04}", position=f"Kepala Bagian{number}",
    )  # fmt: skip
    check_in(event, who, by=factories.BY, nonce=f"n{number}")
    if number % 2:
        speakers.let_speak(who, by=factories.BY)
    for place, indicator in enumerate(event.consultation.dimensions[0].indicators):
        by: Any = rapporteur if number % 3 == 0 else who
        comment = actions.write_comment(
            indicator, who, CommentKind.WORDING, f"Comment {number} on {place}", by=by, client_key=f"k{number}{place}",
            proposed=f"Finding {place}, but {number}.", proposed_language="en", link="https://evidence.example/x",
        )  # fmt: skip
        file = PDF + str((number, place)).encode() + b"%%EOF"
        given = evidence.receive([Upload(f"Zulkarnaen{number}-lamaran.pdf", file)])
        evidence.attach(comment, given, by=who)
        for first in db.session.scalars(db.select(actions.Comment).where(actions.Comment.indicator_id == indicator.id).limit(2)):
            replies.reply_to(first, f"Reply of {number}", by=who, client_key=f"r{number}{place}{first.id}")
            replies.reply_to(first, f"Staff to {number}", by=facilitator, client_key=f"s{number}{place}{first.id}")
        value = list(PositionValue)[number % 4]
        actions.take_position(indicator, who, value, f"Reason of {number}", by=who)
    return who


class Upload(io.BytesIO):
    def __init__(self, filename: str, data: bytes) -> None:
        super().__init__(data)
        self.filename: str | None = filename


def make_world() -> World:
    """All of it, in a consultation under the Chatham House Rule."""
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    consultation = factories.make_consultation(indicators=4, attribution=Attribution.BY_STAKEHOLDER_TYPE)
    event = factories.make_event(consultation, starts_on=day, ends_on=day, starts_at=dt.time(0), ends_at=dt.time(23, 59))
    rapporteur = factories.make_user(Role.RAPPORTEUR, consultation, name="Rita Perekamsuara")
    facilitator = factories.make_user(Role.FACILITATOR, consultation, name="Fajar Pemandusidang")
    focal_point = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno Narahubung")
    for section in consultation.sections:
        consultations.open_section(section, by=factories.BY)
        name(section, focal_point)
    people = [speak(event, number, rapporteur, facilitator) for number in range(1, 5)]
    of_it = actions.Comment.consultation_id == consultation.id
    comments = list(db.session.scalars(db.select(actions.Comment).where(of_it).order_by(actions.Comment.id)))
    for comment, kind in zip(comments, [k for k in DispositionKind if k is not DispositionKind.DUPLICATE] * 9, strict=False):
        answers.decide(comment, kind, "Answered.", by=focal_point)
    answers.object_to(comments[-1], "I object to this.", by=comments[-1].registration)
    for other in people[1:]:
        actions.endorse(comments[0], other, by=other)
    session = Session(
        consultation_id=consultation.id, event=event, title={"en": "Group one"}, day=day, starts_at=dt.time(1), ends_at=dt.time(2)
    )
    db.session.add(session)
    audit.record(factories.BY, "session.add", session)
    held = room.open_room(session, by=factories.BY)
    room.start(held, by=factories.BY)
    room.show(held, comments[0].indicator, by=factories.BY)
    room.pin(held, comments[0], by=factories.BY)
    db.session.commit()
    replied = db.session.scalars(db.select(replies.Reply.public_id).where(replies.Reply.consultation_id == consultation.id)).all()
    ids = {
        "comments": [c.public_id for c in comments[:2]],
        "replies": list(replied[:1]),
        "registrations": [people[0].public_id],
        "guests": [p.public_id for p in people[:1]],
        "rooms": [held.public_id],
        "indicators": [i.code for i in consultation.dimensions[0].indicators],
    }
    telling = [words for p in people for words in (p.name, p.email, p.institution.name["en"], p.public_id, p.phone, p.position)]
    telling += [user.name for user in (rapporteur, facilitator)] + [f"Zulkarnaen{n}" for n in range(1, 5)] + ["lamaran"]
    return World(consultation, event, ids, telling)


def filled(app: Flask, world: World) -> Iterator[str]:
    """Every GET route with everything there is to fill it with."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "evidence_file"):
            continue
        parts = rule.rule.split("/")
        choices: list[list[tuple[str, str]]] = []
        for place, part in enumerate(parts):
            for converter, variable in re.findall(r"<(?:([^:<>]*):)?(\w+)>", part):
                if variable == "slug":
                    values = [world.event.slug if parts[place - 1] == "events" else world.consultation.slug]
                elif converter.startswith("any("):
                    values = [one.strip() for one in converter[4:-1].split(",")]
                elif converter == "int":
                    values = ["1", "2"]
                else:
                    values = world.ids.get(parts[place - 1], ["none"])
                choices.append([(f"<{converter}:{variable}>" if converter else f"<{variable}>", value) for value in values])
        for chosen in product(*choices):
            path = rule.rule
            for mark, value in chosen:
                path = path.replace(mark, value, 1)
            yield path
            if rule.endpoint in MORE:
                yield from (f"{path}?{query}" for query in MORE[rule.endpoint])


MORE = {
    "comments.heat_map": ["by=institution"],
    "room.now": ["view=hall", "view=console", "lang=id"],
    "room.events": ["view=hall&seen=0", "view=console"],
    "desk.review": ["state=objection"],
    "attendance.show": ["basis=registered"],
}
