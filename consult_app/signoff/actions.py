"""What is done with sign-offs: given and withdrawn. Each is a new record; nothing is overwritten (product.md rule 17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from consult_app import audit, mail
from consult_app.accounts.actions import use_second_factor
from consult_app.accounts.models import Membership, User
from consult_app.accounts.passkeys import use_passkey
from consult_app.consultations.actions import mark_signed, return_section, section_frozen
from consult_app.consultations.deputies import delegation_for
from consult_app.consultations.models import Delegation, FocalPoint, Revision, Section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.forms import clean
from consult_app.i18n import _, date_of, gettext, local
from consult_app.policy import Actor, Role
from consult_app.signoff import gate, labels
from consult_app.signoff.models import Decision, SignOff, Withdrawal
from consult_app.signoff.standing import is_validated, places


def statement(revision: Revision, point: FocalPoint, delegation: Delegation | None = None) -> str:
    """What a focal point or a deputy signs, in the reader's language; it claims no more than is recorded (rule 24)."""
    if delegation is None:
        who = gettext("As the focal point named for %(institution)s", institution=point.institution or "–")
    else:
        who = gettext(
            "As the deputy of %(name)s, the focal point named for %(institution)s, by the delegation of %(day)s,",
            name=point.user.name,
            institution=point.institution or "–",
            day=date_of(delegation.created_at.astimezone(ZoneInfo(delegation.consultation.timezone)).date()),
        )
    words: str = gettext(
        "%(who)s I give my decision on revision %(number)s of section %(section)s, “%(title)s”, "
        "which has the SHA-256 shown here. This is an uncertified electronic signature: what is recorded is that this account, "
        "with its second factor, gave this decision on this text at this time.",
        who=who,
        number=revision.number,
        section=revision.section.number,
        title=local(revision.content.get("title", {})),
    )
    return words


def _lock(section: Section, user: User) -> None:
    """Nobody freezes, reopens or signs this section, and no other request uses this second factor, until we commit."""
    audit.take_turn(section.consultation_id, section)
    audit.take_turn(None, user)


@dataclass(frozen=True)
class Seat:
    """The place that a signature fills, and by which delegation if it is not the signer's own."""

    point: FocalPoint
    delegation: Delegation | None = None


def seat_of(section: Section, user: User, point_id: str = "") -> Seat:
    """Where the user signs: in the place `point_id` (a public id), else in their own, else in that of whom they are the deputy.

    Raises Conflict where they may sign in none, or not in that one.
    """
    points = [point for point in section.focal_points if not point_id or point.public_id == point_id]
    for point in points:
        if point.user_id == user.id:
            return Seat(point)
    for point in points:
        if (delegation := delegation_for(point, user)) is not None:
            return Seat(point, delegation)
    raise Conflict(_("Only a focal point named for this section, or who is their deputy today, can sign it."))


def _require_turn(section: Section, point: FocalPoint) -> None:
    """Raise Conflict unless the place does not stand yet, and everybody who signs before it has signed."""
    place = next(found for found in places(section) if found.focal_point.id == point.id)
    if place.stands and place.sign_off is not None:
        if place.sign_off.user_id == point.user_id:
            raise Conflict(_("This signature stands on this revision already. Withdraw it first if you have changed your mind."))
        raise Conflict(_("%(name)s has signed in this place already.", name=place.sign_off.signer_name))
    if not place.is_turn:
        names = [gate.named(other) for other in place.waits_for]
        raise Conflict(_("This section is signed in order, and it is not your turn yet."), [_("Awaited: %(who)s", who=w) for w in names])


def purpose_of(section: Section, point_id: str, decision: str, shown_sha256: str, text: str) -> str:
    """What a passkey's answer to a challenge is good for: this decision on this text, in this place, and nothing else."""
    bound = {"sign": section.public_id, "place": point_id, "decision": decision, "sha256": shown_sha256, "text": clean(text)}
    return audit.canonical(bound)


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


def _use_factor(
    section: Section, decision: Decision, shown_sha256: str, text: str, code: str, passkey: str, point_id: str, by: User
) -> str:
    if not by.has_second_factor:
        raise Conflict(_("Your account has no second factor, so you cannot sign yet. Set one up in your account."))
    if passkey:
        return use_passkey(by, passkey, purpose_of(section, point_id, decision.value, shown_sha256, text))
    return use_second_factor(by, code)


@audit.in_turn
def sign_off(
    section: Section,
    decision: Decision,
    shown_sha256: str,
    text: str,
    second_factor_code: str,
    *,
    by: User,
    passkey: str = "",
    point_id: str = "",
) -> SignOff:
    """Record a named focal point's decision on the current revision, or their deputy's, after the second factor (rules 15-18).

    `shown_sha256` is that of the text they were shown; `passkey` a passkey's answer instead of a code; `point_id` in whose
    place they sign (see `seat_of`). Raises Conflict where the gate is closed (with what is missing), where the text has
    changed, where it is not their turn or the place is filled; Invalid where the words or the second factor are wrong.
    """
    _lock(section, by)
    if not by.is_enabled:
        raise Conflict(_("This account is switched off."))
    seat = seat_of(section, by, point_id)
    revision = _revision_to_sign(section, shown_sha256)
    _require_turn(section, seat.point)
    words = clean(text) if decision is not Decision.APPROVE else ""
    _check_text(decision, words)
    factor = _use_factor(section, decision, shown_sha256, text, second_factor_code, passkey, point_id, by)
    sign_off = SignOff(
        consultation_id=section.consultation_id,
        section=section,
        revision=revision,
        revision_sha256=revision.sha256,
        user=by,
        signer_name=by.name,
        signer_title=by.title,
        institution=seat.point.institution,
        decision=decision,
        text=words,
        statement=f"{statement(revision, seat.point, seat.delegation)} {gettext('My decision:')} {labels.DECISION[decision]}.",
        second_factor=factor,
        principal_id=seat.point.user_id if seat.delegation is not None else None,
        principal_name=seat.point.user.name if seat.delegation is not None else "",
        delegation=seat.delegation,
    )
    db.session.add(sign_off)
    entry = audit.record(by, "signoff.sign", sign_off)
    _send_checkpoint(sign_off, entry["number"])
    if decision is Decision.RETURN:
        return_section(section, by=by)
        _tell_organisers(sign_off)
    else:
        settle(section, by=by)
    return sign_off


def _send_checkpoint(sign_off: SignOff, number: int) -> None:
    """Write to everybody who signs this section, with where the log stands now.

    The worker makes the checkpoint: a key that cannot be read holds up these mails, which are tried again and then shown
    as failed, and never the sign-off itself.
    """
    people = {point.user.id: point.user for point in sign_off.section.focal_points} | {sign_off.user.id: sign_off.user}
    for user in people.values():
        if user.is_enabled:
            key = f"signoff.signed:{sign_off.public_id}:{user.public_id}"
            about = sign_off.consultation_id
            mail.queue("signoff.signed", user.email, user.language, key, about, sign_off_id=sign_off.id, number=number)


def _tell_organisers(sign_off: SignOff) -> None:
    """Write to everybody who can have a returned text changed."""
    organisers = (
        select(User).join(Membership).where(Membership.consultation_id == sign_off.consultation_id, Membership.role == Role.ORGANISER)
    )
    for user in db.session.scalars(organisers):
        key = f"signoff.returned:{sign_off.public_id}:{user.public_id}"
        mail.queue("signoff.returned", user.email, user.language, key, sign_off.consultation_id, sign_off_id=sign_off.id)


@audit.in_turn
def settle(section: Section, *, by: Actor) -> None:
    """Let the section's state say whether every required sign-off stands; it changes only where that changed."""
    if section.is_frozen:
        mark_signed(section, is_validated(section, places(section)), by=by)


@audit.in_turn
def withdraw(sign_off: SignOff, reason: str, *, by: User) -> Withdrawal:
    """Take a sign-off back by a new record with a reason; the sign-off itself stays as it was made (rule 17).

    Whoever signed may, and whoever they signed for. Raises Conflict where it is somebody else's or does not stand,
    Invalid without a reason.
    """
    _lock(sign_off.section, by)
    if by.id not in (sign_off.user_id, sign_off.place_of):
        raise Conflict(_("Only who signed, or in whose place it was signed, can withdraw a signature."))
    if not sign_off.stands_on(sign_off.section.revision):
        raise Conflict(_("This signature does not stand on the current revision, so there is nothing to withdraw."))
    words = clean(reason)
    if not words:
        raise Invalid(_("Say why you withdraw your signature."), field="reason")
    withdrawal = Withdrawal(consultation_id=sign_off.consultation_id, sign_off=sign_off, reason=words, user=by)
    db.session.add(withdrawal)
    audit.record(by, "signoff.withdraw", withdrawal)
    settle(sign_off.section, by=by)
    return withdrawal


def _frozen_again(section: Section, by: Any) -> None:
    """A text frozen again unchanged is still the revision that was signed."""
    db.session.expire(section, ["revision"])
    settle(section, by=by)


section_frozen.connect(_frozen_again, weak=False)
