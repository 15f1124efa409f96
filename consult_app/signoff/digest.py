"""The digest: what waits for each person of a consultation, at most one mail a day, and none where nothing waits.

Signatures are reminded of from two days after the freeze on, for whose turn it is; comments once they are closed. Whoever
does not want the mails says so per consultation. Nobody is written to from a demonstration's accounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from consult_app import audit, jobs, mail, web
from consult_app.accounts.models import Membership, User
from consult_app.comments.queries import SectionCounts, section_counts
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db, now
from consult_app.i18n import gettext, local, ngettext
from consult_app.policy import Role
from consult_app.signoff.standing import Place, awaited_from, places_of, sections_of

FIRST_AFTER = dt.timedelta(days=2)  # from the freeze to the first reminder
FROM_HOUR = 7  # by the consultation's own clock; a machine that was off then sends later in the day
NOTHING = SectionCounts(0, 0, 0, 0)


@dataclass(frozen=True)
class Item:
    """One thing that waits for somebody, in the language in use, and where it is done."""

    sentence: str
    url: str


@dataclass(frozen=True)
class Facts:
    """What the digests of one consultation are made from, read once."""

    consultation: Consultation
    sections: list[Section]
    places: dict[int, list[Place]]
    counts: dict[int, SectionCounts]


def gather(consultation: Consultation) -> Facts:
    sections = sections_of(consultation, texts=False)
    return Facts(consultation, sections, places_of(sections), section_counts(consultation))


def items(facts: Facts, user: User) -> list[Item]:
    """What waits for this user, of the roles whose mails they want."""
    wanted = {m.role for m in user.memberships if m.consultation_id == facts.consultation.id and m.wants_digest}
    found: list[Item] = []
    for section in facts.sections:
        counts = facts.counts.get(section.id, NOTHING)
        if Role.FOCAL_POINT in wanted:
            found += [*_signatures(facts, section, counts, user), *_comments(section, counts, user)]
        if wanted & {Role.ORGANISER, Role.RAPPORTEUR} and section.is_returned:
            words = gettext("Section %(number)s, %(title)s, was returned and waits for another text.", **_named(section))
            found.append(Item(words, web.external_url("consultations.section", slug=facts.consultation.slug, number=section.number)))
    return found


def _named(section: Section) -> dict[str, object]:
    return {"number": section.number, "title": local(section.title)}


def _signatures(facts: Facts, section: Section, counts: SectionCounts, user: User) -> Iterator[Item]:
    frozen_at = section.frozen_at or (section.revision.created_at if section.revision else None)
    is_open = section.is_frozen and not (counts.open or counts.waiting_for_revision or counts.objections)
    if not is_open or frozen_at is None or now() - frozen_at < FIRST_AFTER:
        return
    for place in awaited_from(facts.places[section.id], user):
        days = (now() - frozen_at).days
        words = ngettext(
            "Section %(number)s, %(title)s, has waited for a signature for %(num)s day.",
            "Section %(number)s, %(title)s, has waited for a signature for %(num)s days.",
            days,
            **_named(section),
        )
        if place.focal_point.user_id != user.id:
            words += " " + gettext("You are the deputy of %(name)s.", name=place.focal_point.user.name)
        where = {"slug": facts.consultation.slug, "number": section.number, "place": place.focal_point.public_id}
        yield Item(words, web.external_url("signoff.sign", **where))


def _comments(section: Section, counts: SectionCounts, user: User) -> Iterator[Item]:
    if not user.is_named_for(section.id):
        return
    slug = section.consultation.slug
    if counts.open and (section.is_in_review or section.is_returned):
        words = ngettext(
            "%(num)s comment on section %(number)s waits for an answer.",
            "%(num)s comments on section %(number)s wait for an answer.",
            counts.open,
            number=section.number,
        )
        yield Item(words, web.external_url("desk.review", slug=slug, section=section.number, state="open"))
    if counts.objections:
        words = ngettext(
            "%(num)s objection in section %(number)s is open.",
            "%(num)s objections in section %(number)s are open.",
            counts.objections,
            number=section.number,
        )
        yield Item(words, web.external_url("desk.review", slug=slug, section=section.number, state="objection"))


def _members(consultation: Consultation) -> list[User]:
    rows = db.session.scalars(
        select(User)
        .join(Membership)
        .where(Membership.consultation_id == consultation.id, Membership.wants_digest, User.is_enabled, User.is_demo.is_(False))
        .order_by(User.id)
        .options(selectinload(User.delegations), selectinload(User.memberships), selectinload(User.focal_points))
    )
    return list(rows.unique())


def queue_digests(consultation: Consultation) -> int:
    """Queue today's digests of a consultation, once for each person and day. Returns for how many something waits."""
    facts, told = gather(consultation), 0
    today = now().astimezone(ZoneInfo(consultation.timezone)).date()
    for user in _members(consultation):
        if items(facts, user):
            key = f"digest:{consultation.public_id}:{user.public_id}:{today}"
            about = consultation.id
            mail.queue("signoff.digest", user.email, user.language, key, about, user_id=user.id, digest_of=consultation.id)
            told += 1
    return told


@jobs.hourly
def send_digests() -> None:
    """Each consultation in a transaction of its own, once its day has begun."""
    for consultation_id in list(db.session.scalars(select(Consultation.id).order_by(Consultation.id))):
        consultation = db.session.get_one(Consultation, consultation_id)
        if now().astimezone(ZoneInfo(consultation.timezone)).hour >= FROM_HOUR:
            queue_digests(consultation)
        db.session.commit()


@mail.builder("signoff.digest")
def digest_mail(user_id: int, digest_of: int) -> mail.Parts:
    """What waits at the moment of sending; nothing any more: no mail."""
    consultation = db.session.get_one(Consultation, digest_of)
    user = db.session.get_one(User, user_id)
    found = items(gather(consultation), user)
    if not found or not user.is_enabled:
        raise mail.NotNeeded("nothing waits any more")
    subject = ngettext(
        "%(num)s thing waits for you: %(title)s", "%(num)s things wait for you: %(title)s", len(found), title=local(consultation.title)
    )
    names = {
        "items": found,
        "consultation": consultation,
        "url": web.external_url("overview.consultation", slug=consultation.slug),
        "stop_url": web.external_url("signoff.digest", slug=consultation.slug),
    }
    return mail.Parts(subject, "signoff/email/digest", names)


# -- who wants it --


def own_memberships(consultation: Consultation, user: User) -> list[Membership]:
    return [membership for membership in user.memberships if membership.consultation_id == consultation.id]


@audit.in_turn
def choose(consultation: Consultation, wants: bool, *, by: User) -> None:
    """Whether the actor gets digests of this consultation, in whatever role."""
    for membership in own_memberships(consultation, by):
        if membership.wants_digest is not wants:
            membership.wants_digest = wants
            audit.record(by, "membership.digest", membership)


def choices(user: User) -> list[tuple[Consultation, bool]]:
    """The user's consultations, and whether digests of each are wanted."""
    ids = {membership.consultation_id for membership in user.memberships}
    wanted = {membership.consultation_id for membership in user.memberships if membership.wants_digest}
    rows = db.session.scalars(select(Consultation).where(Consultation.id.in_(ids)).order_by(Consultation.id.desc()))
    return [(consultation, consultation.id in wanted) for consultation in rows]
