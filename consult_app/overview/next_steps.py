"""Next for you: at most three sentences, each with one button, for whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import url_for

from consult_app.comments.answers import untold
from consult_app.comments.queries import section_counts
from consult_app.consultations.models import Consultation, SectionState
from consult_app.db import now
from consult_app.events.models import EventState
from consult_app.i18n import gettext, local, ngettext
from consult_app.overview.thread import Facts
from consult_app.policy import Actor, Role, can
from consult_app.signoff.gate import missing_of
from consult_app.signoff.standing import Standing, places_of, sections_of


@dataclass(frozen=True)
class Step:
    """What to do, and the button that does it."""

    sentence: str
    url: str
    label: str


def steps(consultation: Consultation, known: Facts, actor: Actor) -> list[Step]:
    """What this actor has to do in this consultation, the most urgent first."""
    roles = actor.roles_in(consultation.id)
    found: list[Step] = []
    if Role.FOCAL_POINT in roles:
        found += _for_focal_point(consultation, actor)
    if Role.CHECK_IN in roles or Role.ORGANISER in roles:
        found += _for_desk(known)
    if Role.ORGANISER in roles:
        found += _for_organiser(consultation, known, actor)
    if Role.RAPPORTEUR in roles:
        found += _for_rapporteur(consultation, known)
    if Role.FACILITATOR in roles and any(section.is_open for section in known.sections):
        words = gettext("Comments are open. What is said in the room can be recorded at each indicator.")
        found.append(Step(words, url_for("comments.indicators", slug=consultation.slug), gettext("To the indicators")))
    if Role.OBSERVER in roles and not found:
        words = gettext("Read the sections and what has been said of them.")
        found.append(Step(words, url_for("comments.indicators", slug=consultation.slug), gettext("Read")))
    return found[:3]


def _for_focal_point(consultation: Consultation, actor: Actor) -> Iterator[Step]:
    slug, sections = consultation.slug, [s for s in sections_of(consultation) if actor.is_named_for(s.id)]
    waiting, counts = places_of(sections), section_counts(consultation)
    gates = missing_of(sections)
    for section in sections:
        unsigned = any(
            p.focal_point.user is actor and p.standing is not Standing.APPROVED and p.standing is not Standing.RESERVATION
            for p in waiting[section.id]
        )
        if section.is_frozen and unsigned and not gates[section.id]:
            words = gettext(
                "Section %(number)s, %(title)s, is ready for your signature.", number=section.number, title=local(section.title)
            )
            yield Step(words, url_for("signoff.sign", slug=slug, number=section.number), gettext("Read and sign"))
    for section in sections:
        count = counts.get(section.id)
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


def _for_desk(known: Facts) -> Iterator[Step]:
    for event in known.events:
        if event.state is EventState.PUBLISHED and event.day_of(now()) in event.days:
            words = gettext("“%(event)s” is today.", event=local(event.title))
            yield Step(words, url_for("attendance.scan", slug=event.slug), gettext("Open the check-in desk"))


def _for_organiser(consultation: Consultation, known: Facts, actor: Actor) -> Iterator[Step]:
    slug = consultation.slug
    if not known.indicators:
        words = gettext("The framework is not there yet: import its spreadsheet, and every dimension gets its section.")
        yield Step(words, url_for("consultations.import_framework", slug=slug), gettext("Import the framework"))
        return
    if not known.events:
        yield Step(gettext("No event is planned yet."), url_for("events.create", slug=slug), gettext("Plan an event"))
    for event in known.events:
        if event.state is EventState.DRAFT:
            words = gettext("“%(event)s” is still a draft, and nobody can register.", event=local(event.title))
            yield Step(words, url_for("events.show", slug=event.slug), gettext("Look and publish"))
    waiting = len(untold(consultation)) if can(actor, "comment.review", consultation) else 0
    if waiting:
        words = ngettext("%(num)s answer has not been sent to its author.", "%(num)s answers have not been sent to their authors.", waiting)
        yield Step(words, url_for("desk.review", slug=slug), gettext("Look and send"))
    unnamed = [section for section in known.sections if not section.focal_points]
    if unnamed:
        words = ngettext(
            "%(num)s section has no focal point who could sign it.",
            "%(num)s sections have no focal point who could sign them.",
            len(unnamed),
        )
        yield Step(words, url_for("consultations.team", slug=slug), gettext("Name focal points"))
    drafts = [section for section in known.sections if section.state is SectionState.DRAFT]
    if drafts:
        words = ngettext("%(num)s section is not open for comments yet.", "%(num)s sections are not open for comments yet.", len(drafts))
        yield Step(words, url_for("consultations.sections", slug=slug), gettext("To the sections"))
    if known.signed == len(known.sections) and known.report is None:
        yield Step(
            gettext("Every section is signed. The report can be sealed."), url_for("reports.index", slug=slug), gettext("Seal the report")
        )


def _for_rapporteur(consultation: Consultation, known: Facts) -> Iterator[Step]:
    slug = consultation.slug
    if known.waiting_for_revision:
        words = ngettext(
            "%(num)s accepted comment waits for the revision that carries it.",
            "%(num)s accepted comments wait for the revision that carries them.",
            known.waiting_for_revision,
        )
        yield Step(words, url_for("desk.review", slug=slug, state="revision"), gettext("To the comments"))
    for section in known.sections:
        if section.state is SectionState.RETURNED:
            words = gettext("Section %(number)s was returned by a focal point.", number=section.number)
            yield Step(words, url_for("consultations.section", slug=slug, number=section.number), gettext("Read why"))
        if section.state is SectionState.DRAFT:
            words = gettext("Section %(number)s is a draft.", number=section.number)
            yield Step(words, url_for("consultations.edit_section", slug=slug, number=section.number), gettext("Write"))
