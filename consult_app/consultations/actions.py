"""What is done with consultations, and with the text of their sections.

A section goes draft -> open -> in review -> frozen -> signed; each step is one function here, and says in words why it
cannot be done now. Opening and freezing make a revision, which never changes afterwards (product.md rule 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from blinker import Namespace
from sqlalchemy import event, select

from consult_app import audit
from consult_app.accounts.actions import add_role
from consult_app.accounts.models import User
from consult_app.consultations.models import SECTION_PARTS, Attribution, Consultation, Indicator, Level, Revision, Section, SectionState
from consult_app.consultations.territory import GCM, SDG, check_territory, wrong_tags
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import Texts, _
from consult_app.policy import Actor, Role

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
RESERVED_SLUGS = frozenset({"new", "subdivisions"})
STRICTNESS = [Attribution.BY_NAME, Attribution.BY_INSTITUTION, Attribution.BY_STAKEHOLDER_TYPE]

# Sent with (section, by=actor) once a section is frozen: sign-offs of an unchanged revision still stand on it.
section_frozen = Namespace().signal("section-frozen")
# Sent with (section, by=actor, indicator=its own or None, answering=ids of comments) once a text is saved, in its transaction.
text_saved = Namespace().signal("text-saved")
# Sent with (section, revision=the new one, by=actor) within the transaction that makes it: accepted comments are carried by it.
revision_made = Namespace().signal("revision-made")
# Sent with (consultation, by=actor) within the transaction that makes it: registrations give it its stakeholder types.
consultation_created = Namespace().signal("consultation-created")
# Sent with (consultation) within the transaction that gives it another rule of attribution.
attribution_changed = Namespace().signal("attribution-changed")


class Stale(Conflict):
    """Somebody else saved the text since it was opened for editing."""


# -- consultations --


def full(texts: Texts) -> Texts:
    """The texts without the languages that have no words."""
    return {language: words for language, words in texts.items() if words}


def _check(
    level: Level, territory: str, languages: Sequence[str], timezone: str, title: Texts, sdgs: Iterable[str], objectives: Iterable[str]
) -> None:
    if not full(title):
        raise Invalid(_("Give the title in at least one language."), field="title")
    check_territory(level, territory)
    if not languages:
        raise Invalid(_("Choose at least one language."), field="languages")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise Invalid(_("This time zone is unknown."), field="timezone") from problem
    if wrong := wrong_tags(list(sdgs), SDG):
        raise Invalid(_("Not a Sustainable Development Goal or target: %(tags)s", tags=", ".join(wrong)), field="sdgs")
    if wrong := wrong_tags(list(objectives), GCM):
        raise Invalid(_("Not an objective (1 to 23) of the Global Compact: %(tags)s", tags=", ".join(wrong)), field="gcm_objectives")


def create_consultation(
    slug: str,
    title: Texts,
    *,
    by: Actor,
    level: Level,
    territory: str,
    languages: Sequence[str],
    attribution: Attribution,
    timezone: str = "Asia/Jakarta",
    summary: Texts | None = None,
    partners: Sequence[str] = (),
    sdgs: Sequence[str] = (),
    gcm_objectives: Sequence[str] = (),
    controller: str = "",
    is_illustrative: bool = False,
) -> Consultation:
    """Make a consultation; a user who makes it becomes its organiser. `territory` is an ISO 3166 code.

    Raises Invalid, naming the field, where something is not of its standard or the slug is taken.
    """
    audit.take_turn(None)
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        raise Invalid(_("Use small letters, digits and hyphens, at most 60."), field="slug")
    if db.session.scalar(select(Consultation.id).where(Consultation.slug == slug)) is not None:
        raise Invalid(_("Another consultation has this address."), field="slug")
    _check(level, territory, languages, timezone, title, sdgs, gcm_objectives)
    consultation = Consultation(
        slug=slug,
        title=full(title),
        summary=full(summary or {}),
        level=level,
        territory=territory,
        languages=list(languages),
        timezone=timezone,
        partners=list(partners),
        sdgs=list(sdgs),
        gcm_objectives=list(gcm_objectives),
        attribution=attribution,
        controller=controller,
        is_illustrative=is_illustrative,
    )
    db.session.add(consultation)
    audit.record(by, "consultation.create", consultation)
    if isinstance(by, User):
        add_role(by, consultation.id, Role.ORGANISER, by=by)
    consultation_created.send(consultation, by=by)
    return consultation


@audit.in_turn
def change_consultation(
    consultation: Consultation,
    *,
    by: Actor,
    title: Texts,
    level: Level,
    territory: str,
    languages: Sequence[str],
    attribution: Attribution,
    timezone: str,
    summary: Texts | None = None,
    partners: Sequence[str] = (),
    sdgs: Sequence[str] = (),
    gcm_objectives: Sequence[str] = (),
    controller: str = "",
) -> None:
    """Change everything but the address. Raises Invalid as `create_consultation`.

    Once a section was opened, people spoke under the attribution rule: it may only become stricter (Conflict).
    """
    _check(level, territory, languages, timezone, title, sdgs, gcm_objectives)
    looser = STRICTNESS.index(attribution) < STRICTNESS.index(consultation.attribution)
    if looser and any(section.revision_number for section in consultation.sections):
        raise Conflict(_("People have commented under the present rule of attribution, so it can only become stricter."))
    consultation.title, consultation.summary = full(title), full(summary or {})
    consultation.level, consultation.territory, consultation.timezone = level, territory, timezone
    consultation.languages, consultation.partners = list(languages), list(partners)
    consultation.sdgs, consultation.gcm_objectives = list(sdgs), list(gcm_objectives)
    is_other_rule = attribution is not consultation.attribution
    consultation.attribution, consultation.controller = attribution, controller
    audit.record(by, "consultation.change", consultation)
    if is_other_rule:
        attribution_changed.send(consultation)


# -- the text of a section --


def lock_section(section: Section) -> None:
    """Only one at a time changes a section; what another has saved meanwhile is seen here."""
    db.session.flush()
    audit.take_turn(section.consultation_id, section)


def lock_editable(section: Section) -> None:
    """Wait for the turn to change a section's text. Raises Conflict where it stands for signature."""
    lock_section(section)
    if not section.is_editable:
        raise Conflict(_("Section %(number)s is frozen for signature. Reopen it before changing its text.", number=section.number))


@audit.in_turn
def edit_section(section: Section, texts: dict[str, Texts], edit_number: int, *, by: Actor, answering: Sequence[str] = ()) -> None:
    """Save the working text. `texts` gives any of SECTION_PARTS; `edit_number` is that of the text they began from.

    `answering` names the accepted comments that the change answers. Raises Stale where somebody saved since, Conflict where
    the section is frozen or signed.
    """
    lock_editable(section)
    if edit_number != section.edit_number:
        raise Stale(_("Somebody else saved this section while you were writing. Compare both texts, then save yours."))
    changed = {part: full(words) for part, words in texts.items() if full(words) != getattr(section, part)}
    assert set(changed) <= set(SECTION_PARTS)
    if changed:
        for part, words in changed.items():
            setattr(section, part, words)
        section.edit_number += 1
        section.edited_at, section.edited_by = now(), by if isinstance(by, User) else None
        audit.record(by, "section.edit", section)
    text_saved.send(section, by=by, indicator=None, answering=answering)


def content_of(section: Section) -> dict[str, Any]:
    """What a revision holds: number, title, the four parts, and every indicator with its finding."""
    indicators = db.session.scalars(
        select(Indicator).where(Indicator.dimension_id == section.dimension_id).order_by(Indicator.place, Indicator.id)
    )
    return {
        "number": section.number,
        "title": full(section.title),
        **{part: full(getattr(section, part)) for part in SECTION_PARTS},
        "indicators": [
            {
                "code": row.code,
                "topic": full(row.topic),
                "question": full(row.question),
                "answer": row.answer,
                "finding": full(row.finding),
                "evidence": row.evidence,
                "link": row.link,
                "institution": row.institution,
            }
            for row in indicators
        ],
    }


@audit.in_turn
def make_revision(section: Section, *, by: Actor, note: str = "") -> Revision:
    """Freeze the working text into the next revision; where nothing changed, the current one is returned as it is.

    Raises Conflict where the current revision stands for signature.
    """
    lock_section(section)
    content = content_of(section)
    digest = audit.sha256(audit.canonical(content))
    current = db.session.scalar(select(Revision).where(Revision.section_id == section.id, Revision.number == section.revision_number))
    if current is not None and current.sha256 == digest:
        return current
    if section.is_frozen:
        raise Conflict(_("Section %(number)s is frozen for signature. Reopen it before making another revision.", number=section.number))
    revision = Revision(
        consultation_id=section.consultation_id,
        section=section,
        number=section.revision_number + 1,
        content=content,
        sha256=digest,
        note=note,
        created_by=by if isinstance(by, User) else None,
    )
    db.session.add(revision)
    section.revision_number = revision.number
    audit.record(by, "revision.make", revision)
    audit.record(by, "section.revise", section)
    db.session.expire(section, ["revision"])
    revision_made.send(section, revision=revision, by=by)
    return revision


@event.listens_for(Revision, "before_update")
def _refuse_change(_mapper: Any, _connection: Any, revision: Revision) -> None:
    if db.session.is_modified(revision):
        raise Conflict(_("A revision never changes. Make another one."))


# -- the steps of a section --


def _advance(
    section: Section, allowed: Sequence[SectionState], state: SectionState, refusal: Any, *, by: Actor, verb: str, note: str = ""
) -> None:
    lock_section(section)
    if section.state not in allowed:
        raise Conflict(refusal)
    section.state = state
    audit.record(by, verb, section, note)


@audit.in_turn
def open_section(section: Section, *, by: Actor) -> Revision:
    """Put the text before participants: it becomes a revision, and comments on it are open. Open again: another round."""
    allowed = (SectionState.DRAFT, SectionState.IN_REVIEW, SectionState.RETURNED)
    refusal = _("Section %(number)s is open already, or stands for signature. Reopen it first.", number=section.number)
    lock_section(section)
    if section.is_in_review or section.is_returned:
        section.round += 1
    _advance(section, allowed, SectionState.OPEN, refusal, by=by, verb="section.open")
    return make_revision(section, by=by)


@audit.in_turn
def start_review(section: Section, *, by: Actor) -> None:
    """Close the comments, so that they can be answered."""
    refusal = _("Section %(number)s is not open for comments, so they cannot be closed.", number=section.number)
    _advance(section, (SectionState.OPEN,), SectionState.IN_REVIEW, refusal, by=by, verb="section.review")


@audit.in_turn
def freeze_section(section: Section, *, by: Actor, note: str = "") -> Revision:
    """Let the text stand for signature: it becomes a revision, if it changed since the last one."""
    allowed = (SectionState.IN_REVIEW, SectionState.RETURNED)
    lock_section(section)
    if section.is_open:
        raise Conflict(_("Section %(number)s is still open for comments. Close the comments first.", number=section.number))
    if section.is_frozen:
        raise Conflict(_("Section %(number)s is frozen already.", number=section.number))
    if section.state not in allowed:
        raise Conflict(_("Section %(number)s was never open for comments. Open it first.", number=section.number))
    revision = make_revision(section, by=by, note=note)
    section.state, section.frozen_at = SectionState.FROZEN, now()
    audit.record(by, "section.freeze", section)
    section_frozen.send(section, by=by)
    return revision


@audit.in_turn
def reopen_section(section: Section, *, by: Actor, reason: str = "") -> None:
    """Take a frozen or signed section back into review; sign-offs stay with the revision they were made on."""
    refusal = _("Section %(number)s is not frozen, so there is nothing to reopen.", number=section.number)
    allowed = (SectionState.FROZEN, SectionState.SIGNED)
    _advance(section, allowed, SectionState.IN_REVIEW, refusal, by=by, verb="section.reopen", note=reason)


@audit.in_turn
def return_section(section: Section, *, by: Actor) -> None:
    """A focal point sends the frozen text back."""
    refusal = _("Section %(number)s does not stand for signature, so it cannot be returned.", number=section.number)
    _advance(section, (SectionState.FROZEN, SectionState.SIGNED), SectionState.RETURNED, refusal, by=by, verb="section.return")


@audit.in_turn
def mark_signed(section: Section, signed: bool, *, by: Actor) -> None:
    """Say whether every required sign-off stands on the current revision; what is said already is not recorded again."""
    wanted = SectionState.SIGNED if signed else SectionState.FROZEN
    if section.state is not wanted:
        refusal = _("Section %(number)s does not stand for signature.", number=section.number)
        verb = "section.signed" if signed else "section.unsigned"
        _advance(section, (SectionState.FROZEN, SectionState.SIGNED), wanted, refusal, by=by, verb=verb)
