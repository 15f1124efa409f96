"""The steps of a section as its page shows them: what is done, what is next, and what stands in the way, before any button.

One function answers for each step: `before_opening`, `before_closing`, `before_freezing`, and `gate.missing` before signing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from consult_app.accounts.models import User
from consult_app.comments.queries import SectionCounts, section_counts
from consult_app.consultations.models import SECTION_PARTS, FocalPoint, Section, SectionState
from consult_app.db import db, now
from consult_app.events.queries import events_of
from consult_app.i18n import _, local, ngettext
from consult_app.signoff import gate
from consult_app.signoff.gate import Missing
from consult_app.signoff.models import Decision, SignOff
from consult_app.signoff.standing import Place, awaited_from, places


class StepState(enum.StrEnum):
    DONE = "done"
    NOW = "now"
    LATER = "later"


@dataclass(frozen=True)
class Before:
    """What stands before a step: `blocks` forbid it, `warnings` do not. Each is in words, with where it is put right."""

    blocks: list[Missing] = field(default_factory=list)
    warnings: list[Missing] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return not self.blocks


@dataclass(frozen=True)
class Step:
    """One step of a section's way."""

    key: str
    state: StepState
    before: Before

    @property
    def is_now(self) -> bool:
        return self.state is StepState.NOW

    @property
    def is_done(self) -> bool:
        return self.state is StepState.DONE


@dataclass(frozen=True)
class Outlook:
    """All that a section's page says of the way to its signatures."""

    steps: list[Step]
    before_opening_again: Before
    places: list[Place]
    awaited: list[Place]  # of those, what the reader may sign now
    returns: list[SignOff]  # who sent the text back since it was last frozen

    @property
    def signed(self) -> int:
        return sum(place.stands for place in self.places)


def _here(section: Section) -> dict[str, Any]:
    return {"slug": section.consultation.slug, "number": section.number}


def _has_text(section: Section) -> bool:
    return any(words for part in SECTION_PARTS for words in getattr(section, part).values())


def before_opening(section: Section) -> Before:
    """Before participants may comment."""
    here = _here(section)
    if section.is_open:
        return Before([Missing(_("The section is open for comments already."), "consultations.section", here)])
    if section.is_frozen:
        return Before([Missing(_("The text stands for signature. Reopen the section first."), "consultations.section", here)])
    warnings = []
    if not _has_text(section):
        warnings.append(
            Missing(_("No text is written yet: participants would see only the indicators."), "consultations.edit_section", here)
        )
    return Before(warnings=warnings)


def before_closing(section: Section, counts: SectionCounts | None = None) -> Before:
    """Before comments are closed. An event that is still to come is a reason to wait."""
    here, slug = _here(section), section.consultation.slug
    if section.is_draft:
        return Before([Missing(_("The section was never open for comments."), "consultations.section", here)])
    if not section.is_open:
        return Before([Missing(_("Comments are closed already."), "consultations.section", here)])
    warnings = []
    if counts is None or not counts.comments:
        warnings.append(Missing(_("Nobody has commented on this section yet."), "comments.indicators", {"slug": slug}))
    for event in events_of(section.consultation):
        if event.is_public and not event.is_cancelled and event.ends > now():
            words = _("“%(event)s” is not over yet: once closed, nobody can comment there.", event=local(event.title))
            warnings.append(Missing(words, "events.show", {"slug": event.slug}))
    return Before(warnings=warnings)


def before_freezing(section: Section, counts: SectionCounts | None = None) -> Before:
    """Before the text stands for signature. What would block the signature afterwards is a warning here."""
    here = _here(section)
    if section.is_draft:
        return Before([Missing(_("The section was never open for comments. Open it first."), "consultations.section", here)])
    if section.is_open:
        return Before([Missing(_("Comments are still open. Close them first."), "consultations.section", here)])
    if section.is_frozen:
        return Before([Missing(_("The text is frozen already."), "consultations.section", here)])
    return Before(warnings=[*_undone(section, counts), *_signers(section)])


def _undone(section: Section, counts: SectionCounts | None) -> list[Missing]:
    if counts is None:
        return []
    told = (
        ("open", counts.open, ngettext("%(num)s comment has no answer yet.", "%(num)s comments have no answer yet.", counts.open)),
        (
            "revision",
            counts.waiting_for_revision,
            ngettext(
                "%(num)s accepted comment names no revision with the change.",
                "%(num)s accepted comments name no revision with the change.",
                counts.waiting_for_revision,
            ),
        ),
        ("objection", counts.objections, ngettext("%(num)s objection is open.", "%(num)s objections are open.", counts.objections)),
    )
    slug = section.consultation.slug
    return [
        Missing(words, "desk.review", {"slug": slug, "section": section.number, "state": state}) for state, number, words in told if number
    ]


def _signers(section: Section) -> list[Missing]:
    """Nobody is named, or somebody who is named could not sign."""
    team = {"slug": section.consultation.slug}
    if not section.focal_points:
        return [Missing(_("No focal point is named, so nobody could sign it."), "consultations.team", team)]
    found = []
    for point in section.focal_points:
        if not point.user.is_enabled:
            found.append(
                Missing(_("The account of %(name)s, who has to sign, is switched off.", name=point.user.name), "consultations.team", team)
            )
        elif not point.user.has_second_factor:
            words = _("%(name)s, who has to sign, has no second factor yet: ask them to sign in, it takes a minute.", name=point.user.name)
            found.append(Missing(words, "consultations.team", team))
    return found


def before_signing(section: Section) -> Before:
    """Before a signature: the gate, by name (rule 15); of a text that is not frozen only that, since the rest may change yet."""
    if section.is_frozen:
        return Before(gate.missing(section))
    return Before([Missing(_("The text is not frozen for signature yet."), "consultations.section", _here(section))])


# The first state in which each step is done.
_ORDER = {
    SectionState.DRAFT: 0,
    SectionState.OPEN: 1,
    SectionState.IN_REVIEW: 2,
    SectionState.RETURNED: 2,
    SectionState.FROZEN: 3,
    SectionState.SIGNED: 4,
}


def outlook(section: Section, actor: Any) -> Outlook:
    """The four steps of a section and what stands before each, for whoever looks."""
    _load_signers(section)
    counts = section_counts(section.consultation).get(section.id)
    opening = before_opening(section)
    before = [opening, before_closing(section, counts), before_freezing(section, counts), before_signing(section)]
    done, found = _ORDER[section.state], places(section)
    states = [StepState.DONE if n < done else StepState.NOW if n == done else StepState.LATER for n in range(4)]
    steps = [Step(key, state, known) for key, state, known in zip(("open", "close", "freeze", "sign"), states, before, strict=True)]
    awaited = awaited_from(found, actor) if isinstance(actor, User) else []
    return Outlook(steps, opening, found, awaited, [] if section.is_frozen else returns_of(section))


def _load_signers(section: Section) -> None:
    """Who signs, with all that is asked of them, in one statement."""
    query = select(FocalPoint).where(FocalPoint.section_id == section.id).order_by(FocalPoint.order_number, FocalPoint.id)
    found = db.session.scalars(query.options(joinedload(FocalPoint.user).joinedload(User.passkeys))).unique()
    set_committed_value(section, "focal_points", found.all())


def returns_of(section: Section) -> list[SignOff]:
    """The decisions that sent the text back since it was last frozen, the newest first."""
    query = select(SignOff).where(SignOff.section_id == section.id, SignOff.decision == Decision.RETURN)
    if section.frozen_at is not None:
        query = query.where(SignOff.created_at >= section.frozen_at)
    return list(db.session.scalars(query.order_by(SignOff.id.desc()).options(joinedload(SignOff.revision), joinedload(SignOff.delegation))))
