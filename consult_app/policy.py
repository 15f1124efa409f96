"""Who may do what: one table for the whole product, and the three functions that read it.

An actor is anyone who acts: an account, a participant (a registration opened by its personal link), a command, nobody.
It only has to look like `Actor`; this module imports no feature. *Whether it can be done now* is not decided here but
in the actions (a DomainError, 409).

A stranger to a consultation gets 404, so that nobody learns what exists; someone who belongs to it but lacks the role
gets 403.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from flask import abort, g

log = structlog.get_logger()


class Role(enum.StrEnum):
    """What somebody is to a consultation. The last five are not given by membership but follow from the object."""

    ORGANISER = "organiser"
    CHECK_IN = "check_in"
    FACILITATOR = "facilitator"
    RAPPORTEUR = "rapporteur"
    FOCAL_POINT = "focal_point"
    OBSERVER = "observer"
    PARTICIPANT = "participant"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"
    NAMED = "named"  # the focal point named for the object's section, or today's deputy of one
    OWNER = "owner"  # the participant whose own thing it is, or the device whose event
    ANYONE = "anyone"  # the object is public


MEMBER_ROLES = (Role.ORGANISER, Role.CHECK_IN, Role.FACILITATOR, Role.RAPPORTEUR, Role.FOCAL_POINT, Role.OBSERVER)

# Roles that are never held without a second factor (product.md, People).
SECOND_FACTOR_ROLES = frozenset({Role.FOCAL_POINT, Role.ADMINISTRATOR})


class Actor(Protocol):
    """Anyone who acts. `actor_key` is "user:PUBLIC_ID", "participant:PUBLIC_ID", "device:PUBLIC_ID", "system:cli" or "anonymous"."""

    is_user: bool
    is_participant: bool
    is_anonymous: bool

    @property
    def actor_key(self) -> str: ...

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        """The roles held in a consultation; with None, those on the site."""

    def is_named_for(self, section_id: int | None) -> bool:
        """Whether a focal point is named for the section."""

    def owns(self, thing: Any) -> bool:
        """Whether a participant's own thing is meant."""


class Nobody:
    """The public: not signed in."""

    is_user = False
    is_participant = False
    is_authenticated = False
    is_active = False
    is_anonymous = True
    name = ""
    email = ""
    actor_key = "anonymous"

    def get_id(self) -> None:
        return None

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        return frozenset()

    def is_named_for(self, section_id: int | None) -> bool:
        return False

    def owns(self, thing: Any) -> bool:
        return False


class System(Nobody):
    """A command or a job; may do everything, and its entries in the log say so."""

    def __init__(self, name: str = "cli") -> None:
        self.actor_key = f"system:{name}"

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        return frozenset({Role.SYSTEM, Role.ADMINISTRATOR, Role.ORGANISER})


O, C, F, R, P, V = MEMBER_ROLES
T, ADMIN, NAMED, OWNER, ANYONE = Role.PARTICIPANT, Role.ADMINISTRATOR, Role.NAMED, Role.OWNER, Role.ANYONE
STAFF = (O, F, R, P)
MEMBERS = (O, C, F, R, P, V)

# action -> the roles that may. Read a line as a sentence: "a comment may be decided by its section's focal point".
TABLE: Mapping[str, tuple[Role, ...]] = {
    # site
    "consultation.create": (ADMIN, O),
    # consultation
    "consultation.see": MEMBERS + (ADMIN, T),
    "consultation.work": STAFF + (ADMIN, V),  # the staff's side: dashboards, lists without personal data
    "consultation.edit": (O,),
    "consultation.team": (O, ADMIN),
    "framework.import": (O,),
    "framework.export": STAFF + (V,),
    "indicator.see": MEMBERS + (ADMIN, T),
    "section.see": MEMBERS + (ADMIN, T),
    "section.see_working": STAFF,  # the text as it is being worked on; everybody else reads revisions
    "section.edit": (O, R),
    "section.advance": (O, R),
    "revision.see": MEMBERS + (ADMIN, T),
    # events
    "event.see": MEMBERS + (ADMIN, T, ANYONE),
    "event.edit": (O,),
    # registrations
    "registration.list": (O, C),
    "registration.add": (O, C, OWNER),
    "registration.edit": (O,),
    "registration.import": (O,),
    "registration.export": (O,),
    "registration.own": (OWNER,),
    # messages
    "message.send": (O,),
    # privacy
    "privacy.own": (OWNER,),
    "privacy.answer": (O, ADMIN),
    "registration.settings": (O,),  # seats, window, approval, questions, stakeholder types
    "registration.balance": STAFF + (ADMIN, V),
    # invitations
    "invitation.list": (O, C),
    "invitation.edit": (O,),
    "invitation.import": (O,),
    "invitation.own": (OWNER,),
    # attendance
    "checkin.scan": (O, C, OWNER),
    "checkin.undo": (O, C, OWNER),
    "device.pair": (O,),
    "checkin.join": (O, C, OWNER),  # show the code that opens the guest's session on their phone
    "checkin.guests": (OWNER,),  # a device's list of names
    "checkin.replace": (OWNER,),
    "checkin.sign": (OWNER,),
    "checkin.self": (OWNER,),  # whoever takes part online
    "attendance.documents": (O,),
    "attendance.table": STAFF + (ADMIN, V),
    # documents
    "document.print": (O,),
    "document.badge": (O, C, OWNER),
    # comments
    "comment.see": STAFF + (ADMIN, V, T),
    "comment.write": (T,),
    "comment.record": (F, R),
    "comment.withdraw": (OWNER,),
    "comment.attach": (OWNER,),
    "comment.original_file": STAFF + (OWNER,),  # others get a copy that does not tell who sent it
    "comment.reply": STAFF + (T,),
    "reply.withdraw": (OWNER,),
    "comment.object": (OWNER,),
    "comment.draft": STAFF,  # an answer that somebody else decides
    "comment.decide": (NAMED,),
    "comment.confirm": (NAMED, O),  # what another one decided
    "comment.assign": (O, R, P),
    "comment.import": (O, R, P),  # the filled matrix: each row still asks for what it does
    "comment.review": STAFF + (ADMIN, V),
    "comment.see_unshown": STAFF,  # those that a facilitator keeps from the screens
    "comment.tell": (O, R, P),
    "position.take": (T,),
    # the room of a session
    "room.see": MEMBERS + (ADMIN, T),
    "room.run": (O, F, R),
    "room.show": (O, F, R, C),  # on the projector
    "room.report": STAFF + (ADMIN, V),  # what the groups report back
    "hand.raise": (T,),
    # sign-off and report
    "signoff.see": STAFF + (ADMIN, V),
    "signoff.sign": (NAMED,),
    "signoff.name": (O,),
    "signoff.delegate": (P,),
    "signoff.revoke": (O, P),  # a delegation: whose, says the action
    "digest.choose": MEMBERS,  # one's own
    "report.see": STAFF + (ADMIN, V),
    "report.seal": (O,),
    "report.withdraw": (O,),
    "paper.see": STAFF + (ADMIN, V),
    "paper.keep": (O, NAMED),
    # after validation
    "outcome.see": STAFF + (ADMIN, V),
    "outcome.record": (O,),
    "followup.edit": (O, R),
    "followup.report": (O, R, P),
}


def roles(actor: Actor, thing: Any = None) -> frozenset[Role]:
    """All roles the actor has towards `thing`: its consultation's, and those that follow from the thing itself.

    `thing` has `consultation_id` (or is None for the site), and may have `section_id` and `is_public`.
    """
    held = set(actor.roles_in(getattr(thing, "consultation_id", None)))
    if thing is not None:
        if getattr(thing, "is_public", False):
            held.add(ANYONE)
        if P in held and actor.is_named_for(getattr(thing, "section_id", None)):
            held.add(NAMED)
        if actor.owns(thing):
            held.add(OWNER)
    return frozenset(held)


def can(actor: Actor, action: str, thing: Any = None) -> bool:
    """Whether the actor may do the action to the thing; an action that is not in the table is a KeyError."""
    return not roles(actor, thing).isdisjoint(TABLE[action])


def require(action: str, thing: Any = None) -> None:
    """Let the request's actor pass, or answer 401 (nobody), 404 (a stranger) or 403 (without the role)."""
    g.policy_asked = True
    actor: Actor = g.actor
    held = roles(actor, thing)
    if not held.isdisjoint(TABLE[action]):
        return
    if not actor.is_anonymous:
        log.warning("policy.refused", actor=actor.actor_key, action=action, of=getattr(thing, "public_id", ""))
    if held <= {ANYONE}:  # to see what is public makes nobody a member
        # Nobody is sent to sign in (the 401 handler); a signed-in stranger learns nothing.
        abort(401 if actor.is_anonymous else 404)
    abort(403)


def public() -> None:
    """Declare that a route is for everybody."""
    g.policy_asked = True
