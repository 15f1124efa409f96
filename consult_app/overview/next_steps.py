"""Next for you: at most three sentences, each with one button, for whoever looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import url_for
from sqlalchemy import select

from consult_app.accounts.models import User
from consult_app.comments.answers import count_untold
from consult_app.comments.queries import SectionCounts, section_counts
from consult_app.consultations.models import Consultation, Section, SectionState
from consult_app.db import db, now
from consult_app.events.models import Event, EventState
from consult_app.i18n import gettext, local, ngettext
from consult_app.outcomes.labels import STEP
from consult_app.outcomes.models import StepKind
from consult_app.outcomes.queries import standing_steps
from consult_app.overview.thread import Figures
from consult_app.policy import Actor, Role
from consult_app.signoff.gate import Missing, missing_of
from consult_app.signoff.standing import Place, awaited_from, places_of, sections_of


@dataclass(frozen=True)
class Step:
    """What to do, and the button that does it."""

    sentence: str
    url: str
    label: str


@dataclass(frozen=True)
class Known:
    """What the next steps are made from, read for several consultations at once: lists by consultation, the rest by section."""

    events: dict[int, list[Event]]
    sections: dict[int, list[Section]]
    places: dict[int, list[Place]]  # of the sections that stand for signature, as `gates`
    gates: dict[int, list[Missing]]
    counts: dict[int, SectionCounts]
    untold: dict[int, int]  # answers, by consultation


def known_of(consultations: Sequence[Consultation], actor: Actor) -> Known:
    """What stands in these consultations, as far as this actor's roles have something to do with it."""
    ids = [consultation.id for consultation in consultations]
    events = list(db.session.scalars(select(Event).where(Event.consultation_id.in_(ids)).order_by(Event.starts_on, Event.id)))
    sections = sections_of(*consultations, texts=False)
    answering = [one for one in consultations if Role.FOCAL_POINT in actor.roles_in(one.id)]
    telling = [one for one in consultations if Role.ORGANISER in actor.roles_in(one.id)]
    frozen = [section for section in sections if section.is_frozen and actor.is_named_for(section.id)]
    return Known(
        {one: [event for event in events if event.consultation_id == one] for one in ids},
        {one: [section for section in sections if section.consultation_id == one] for one in ids},
        places_of(frozen) if frozen else {},
        missing_of(frozen) if frozen else {},
        section_counts(*answering) if answering else {},
        count_untold(*telling) if telling else {},
    )


def steps(consultation: Consultation, figures: Figures, known: Known, actor: Actor) -> list[Step]:
    """What this actor has to do in this consultation, the most urgent first."""
    roles = actor.roles_in(consultation.id)
    found: list[Step] = []
    if Role.FOCAL_POINT in roles and isinstance(actor, User):
        found += _for_focal_point(consultation, known, actor)
    if Role.CHECK_IN in roles or Role.ORGANISER in roles:
        found += _for_desk(known.events[consultation.id])
    if Role.ORGANISER in roles:
        found += _for_organiser(consultation, figures, known)
    if Role.RAPPORTEUR in roles:
        found += _for_rapporteur(consultation, figures, known)
    if Role.FACILITATOR in roles and any(section.is_open for section in known.sections[consultation.id]):
        words = gettext("Comments are open. What is said in the room can be recorded at each indicator.")
        found.append(Step(words, url_for("comments.indicators", slug=consultation.slug), gettext("To the indicators")))
    if Role.OBSERVER in roles and not found:
        words = gettext("Read the sections and what has been said of them.")
        found.append(Step(words, url_for("comments.indicators", slug=consultation.slug), gettext("Read")))
    return found[:3]


def _for_focal_point(consultation: Consultation, known: Known, actor: User) -> Iterator[Step]:
    slug, sections = consultation.slug, [s for s in known.sections[consultation.id] if actor.is_named_for(s.id)]
    for section in sections:
        for place in awaited_from(known.places[section.id], actor) if section.is_frozen and not known.gates[section.id] else []:
            words = gettext(
                "Section %(number)s, %(title)s, is ready for your signature.", number=section.number, title=local(section.title)
            )
            if place.focal_point.user_id != actor.id:
                words += " " + gettext("You are the deputy of %(name)s.", name=place.focal_point.user.name)
            url = url_for("signoff.sign", slug=slug, number=section.number, place=place.focal_point.public_id)
            yield Step(words, url, gettext("Read and sign"))
    for section in sections:
        count = known.counts.get(section.id)
        if count and count.open and not section.is_frozen:
            words = ngettext(
                "%(num)s comment on section %(number)s waits for an answer.",
                "%(num)s comments on section %(number)s wait for an answer.",
                count.open,
                number=section.number,
            )
            yield Step(words, url_for("desk.review", slug=slug, section=section.number, state="open"), gettext("Answer"))
        if count and count.objections:
            words = ngettext(
                "%(num)s objection in section %(number)s is open.",
                "%(num)s objections in section %(number)s are open.",
                count.objections,
                number=section.number,
            )
            yield Step(words, url_for("desk.review", slug=slug, section=section.number, state="objection"), gettext("Resolve"))


def _for_desk(events: Sequence[Event]) -> Iterator[Step]:
    for event in events:
        if event.state is EventState.PUBLISHED and event.day_of(now()) in event.days:
            words = gettext("“%(event)s” is today.", event=local(event.title))
            yield Step(words, url_for("attendance.scan", slug=event.slug), gettext("Open the check-in desk"))


def _for_organiser(consultation: Consultation, figures: Figures, known: Known) -> Iterator[Step]:
    slug, sections, events = consultation.slug, known.sections[consultation.id], known.events[consultation.id]
    if not figures.indicators:
        words = gettext("The framework is not there yet: import its spreadsheet, and every dimension gets its section.")
        yield Step(words, url_for("consultations.import_framework", slug=slug), gettext("Import the framework"))
        return
    if not events:
        yield Step(gettext("No event is planned yet."), url_for("events.create", slug=slug), gettext("Plan an event"))
    for event in events:
        if event.state is EventState.DRAFT:
            words = gettext("“%(event)s” is still a draft, and nobody can register.", event=local(event.title))
            yield Step(words, url_for("events.show", slug=event.slug), gettext("Look and publish"))
    if waiting := known.untold.get(consultation.id, 0):
        words = ngettext("%(num)s answer has not been sent to its author.", "%(num)s answers have not been sent to their authors.", waiting)
        yield Step(words, url_for("desk.review", slug=slug), gettext("Look and send"))
    unnamed = [section for section in sections if not section.focal_points]
    if unnamed:
        words = ngettext(
            "%(num)s section has no focal point who could sign it.",
            "%(num)s sections have no focal point who could sign them.",
            len(unnamed),
        )
        yield Step(words, url_for("consultations.team", slug=slug), gettext("Name focal points"))
    drafts = [section for section in sections if section.state is SectionState.DRAFT]
    if drafts:
        words = ngettext("%(num)s section is not open for comments yet.", "%(num)s sections are not open for comments yet.", len(drafts))
        yield Step(words, url_for("consultations.sections", slug=slug), gettext("To the sections"))
    if figures.is_sealed and StepKind.PUBLISHED not in (standing := standing_steps(consultation)):
        following = next(kind for kind in StepKind if kind not in standing)
        words = gettext("The report is sealed. What is recorded next: %(step)s.", step=STEP[following])
        yield Step(words, url_for("outcomes.index", slug=slug), gettext("Record it"))
    if figures.signed == figures.sections and not figures.is_sealed:
        yield Step(
            gettext("Every section is signed. The report can be sealed."), url_for("reports.index", slug=slug), gettext("Seal the report")
        )


def _for_rapporteur(consultation: Consultation, figures: Figures, known: Known) -> Iterator[Step]:
    slug = consultation.slug
    if figures.waiting_for_revision:
        words = ngettext(
            "%(num)s accepted comment waits for the revision that carries it.",
            "%(num)s accepted comments wait for the revision that carries them.",
            figures.waiting_for_revision,
        )
        yield Step(words, url_for("desk.review", slug=slug, state="revision"), gettext("To the comments"))
    for section in known.sections[consultation.id]:
        if section.state is SectionState.RETURNED:
            words = gettext("Section %(number)s was returned by a focal point.", number=section.number)
            yield Step(words, url_for("consultations.section", slug=slug, number=section.number), gettext("Read why"))
        if section.state is SectionState.DRAFT:
            words = gettext("Section %(number)s is a draft.", number=section.number)
            yield Step(words, url_for("consultations.edit_section", slug=slug, number=section.number), gettext("Write"))
