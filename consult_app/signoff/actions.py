"""What is done with sign-offs: given and withdrawn. Each is a new record; nothing is overwritten (product.md rule 17)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from consult_app import audit, mail
from consult_app.accounts.actions import use_second_factor
from consult_app.accounts.models import Membership, User
from consult_app.consultations.actions import mark_signed, return_section, section_frozen
from consult_app.consultations.models import FocalPoint, Revision, Section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.forms import clean
from consult_app.i18n import _, gettext, local
from consult_app.policy import Actor, Role
from consult_app.signoff import gate, labels
from consult_app.signoff.models import Decision, SignOff, Withdrawal
from consult_app.signoff.standing import is_fully_signed, places


def statement(revision: Revision, institution: str) -> str:
    """What a focal point signs, in the reader's language; it claims no more than is recorded (rule 24)."""
    words: str = gettext(
        "As the focal point named for %(institution)s I give my decision on revision %(number)s of section %(section)s, “%(title)s”, "
        "which has the SHA-256 shown here. This is an uncertified electronic signature: what is recorded is that this account, "
        "with its second factor, gave this decision on this text at this time.",
        institution=institution or "–",
        number=revision.number,
        section=revision.section.number,
        title=local(revision.content.get("title", {})),
    )
    return words


def _lock(section: Section, user: User) -> None:
    """Nobody freezes, reopens or signs this section, and no other request uses this second factor, until we commit."""
    db.session.flush()
    fresh = {"populate_existing": True}
    db.session.execute(select(User).where(User.id == user.id).with_for_update().execution_options(**fresh))
    db.session.execute(select(Section).where(Section.id == section.id).with_for_update().execution_options(**fresh))


def _named(section: Section, user: User) -> FocalPoint:
    for point in section.focal_points:
        if point.user_id == user.id:
            return point
    raise Conflict(_("Only a focal point named for this section can sign it."))


def _revision_to_sign(section: Section, shown_sha256: str) -> Revision:
    reasons = gate.missing(section)
    revision = section.revision
    if reasons or revision is None:
        raise Conflict(_("This section cannot be signed yet."), [reason.words for reason in reasons])
    if shown_sha256 != revision.sha256:
        raise Conflict(_("The text has changed since this page was opened. Read the current revision before you sign."))
    if audit.sha256(audit.canonical(revision.content)) != revision.sha256:
        raise Conflict(_("The stored text does not fit its SHA-256 any more. Tell the administrator; nothing can be signed."))
    return revision


def _check_text(decision: Decision, text: str) -> None:
    if decision is Decision.RESERVATION and not text:
        raise Invalid(_("Write your reservation; it is printed beside your signature."), field="text")
    if decision is Decision.RETURN and not text:
        raise Invalid(_("Say why you return the text."), field="text")


def sign_off(section: Section, decision: Decision, shown_sha256: str, text: str, second_factor_code: str, *, by: User) -> SignOff:
    """Record a named focal point's decision on the current revision, after the second factor (rules 15-18).

    `shown_sha256` is that of the text they were shown. Raises Conflict where the gate is closed (with what is missing),
    where the text has changed, or where their signature stands already; Invalid where the words or the code are wrong.
    """
    _lock(section, by)
    point = _named(section, by)
    revision = _revision_to_sign(section, shown_sha256)
    if any(place.stands and place.focal_point.user_id == by.id for place in places(section)):
        raise Conflict(_("Your signature stands on this revision already. Withdraw it first if you have changed your mind."))
    words = clean(text) if decision is not Decision.APPROVE else ""
    _check_text(decision, words)
    factor = use_second_factor(by, second_factor_code)
    sign_off = SignOff(
        consultation_id=section.consultation_id,
        section=section,
        revision=revision,
        revision_sha256=revision.sha256,
        user=by,
        signer_name=by.name,
        signer_title=by.title,
        institution=point.institution,
        decision=decision,
        text=words,
        statement=f"{statement(revision, point.institution)} {gettext('My decision:')} {labels.DECISION[decision]}.",
        second_factor=factor,
    )
    db.session.add(sign_off)
    audit.record(by, "signoff.sign", sign_off)
    if decision is Decision.RETURN:
        return_section(section, by=by)
        _tell_organisers(sign_off)
    else:
        settle(section, by=by)
    return sign_off


def _tell_organisers(sign_off: SignOff) -> None:
    """Write to everybody who can have a returned text changed."""
    organisers = (
        select(User).join(Membership).where(Membership.consultation_id == sign_off.consultation_id, Membership.role == Role.ORGANISER)
    )
    for user in db.session.scalars(organisers):
        key = f"signoff.returned:{sign_off.public_id}:{user.public_id}"
        mail.queue("signoff.returned", user.email, user.language, key, sign_off.consultation_id, sign_off_id=sign_off.id)


def settle(section: Section, *, by: Actor) -> None:
    """Let the section's state say whether every required sign-off stands; it changes only where that changed."""
    if section.is_frozen:
        mark_signed(section, is_fully_signed(places(section)), by=by)


def withdraw(sign_off: SignOff, reason: str, *, by: User) -> Withdrawal:
    """Take a sign-off back by a new record with a reason; the sign-off itself stays as it was made (rule 17).

    Raises Conflict where it is somebody else's or does not stand, Invalid without a reason.
    """
    _lock(sign_off.section, by)
    db.session.refresh(sign_off, ["withdrawal"])
    if sign_off.user_id != by.id:
        raise Conflict(_("Only who signed can withdraw a signature."))
    if not sign_off.stands_on(sign_off.section.revision):
        raise Conflict(_("This signature does not stand on the current revision, so there is nothing to withdraw."))
    words = clean(reason)
    if not words:
        raise Invalid(_("Say why you withdraw your signature."), field="reason")
    withdrawal = Withdrawal(consultation_id=sign_off.consultation_id, sign_off=sign_off, reason=words)
    db.session.add(withdrawal)
    audit.record(by, "signoff.withdraw", withdrawal)
    settle(sign_off.section, by=by)
    return withdrawal


def _frozen_again(section: Section, by: Any) -> None:
    """A text frozen again unchanged is still the revision that was signed."""
    db.session.expire(section, ["revision"])
    settle(section, by=by)


section_frozen.connect(_frozen_again, weak=False)
