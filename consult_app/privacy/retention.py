"""What is kept no longer than it is needed: an hourly job, each kind after its own number of days (config KEEP_DAYS)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import delete, or_, select, update

from consult_app import audit, jobs
from consult_app.comments.models import CommentDraft
from consult_app.consultations.models import ImportDraft
from consult_app.db import db, forget_journal, now
from consult_app.events.models import Event
from consult_app.invitations.models import EventInvitation
from consult_app.mail import Mail, MailState
from consult_app.policy import System
from consult_app.privacy.erasure import erase_invitation
from consult_app.registrations.models import LinkOpening, Purpose, QuestionAnswer, Registration
from consult_app.registrations.queries import agreeing
from consult_app.settings import setting

BY = System("retention")
MOST = 500  # rows of each kind in one run, so that no run is long


def _before(kind: str) -> dt.datetime:
    return now() - dt.timedelta(days=setting("KEEP_DAYS")[kind])


def _needs() -> int:
    """Diet and accessibility needs, and on which phones the link was opened: only ever for the day itself."""
    query = select(Registration).join(Event, Event.id == Registration.event_id)
    query = query.where(Event.ends_on < _before("needs").date(), or_(Registration.diet != "", Registration.accommodations != ""))
    over = select(Registration.id).join(Event, Event.id == Registration.event_id).where(Event.ends_on < _before("needs").date())
    db.session.execute(delete(LinkOpening).where(LinkOpening.registration_id.in_(over)))
    rows = db.session.scalars(query.limit(MOST)).all()
    for row in rows:
        row.diet, row.accommodations = "", ""
        audit.forget(BY, "registration.expire", row)
    return len(rows)


def _answers() -> int:
    query = select(QuestionAnswer).join(Registration, Registration.id == QuestionAnswer.registration_id)
    query = query.join(Event, Event.id == Registration.event_id).where(Event.ends_on < _before("answers").date())
    rows = db.session.scalars(query.limit(MOST)).all()
    for row in rows:
        row.value = f"expired {row.public_id}"
        audit.forget(BY, "question_answer.expire", row)
        audit.record(BY, "question_answer.delete", row)
        db.session.delete(row)
    return len(rows)


def _contact() -> int:
    """Addresses of those who did not agree to be written to about the follow-up; who they are to us stays `Person.email`
    only as long as another registration of theirs is younger."""
    agreed = Registration.id.in_(agreeing(Purpose.FOLLOW_UP))
    query = select(Registration).join(Event, Event.id == Registration.event_id)
    query = query.where(Event.ends_on < _before("contact").date(), or_(Registration.email != "", Registration.phone != ""), ~agreed)
    rows = db.session.scalars(query.limit(MOST)).all()
    for row in rows:
        row.email, row.phone, row.search = "", "", ""
        audit.forget(BY, "registration.expire", row)
        others = select(Registration.id).where(Registration.person_id == row.person_id, Registration.email != "").limit(1)
        if row.person.email and db.session.scalar(others) is None:
            row.person.email = None
            audit.forget(BY, "person.expire", row.person)
    return len(rows)


def _invitations() -> int:
    query = select(EventInvitation).join(Event, Event.id == EventInvitation.event_id)
    named = or_(EventInvitation.name != "", EventInvitation.email != "", EventInvitation.phone != "")
    rows = db.session.scalars(query.where(Event.ends_on < _before("invitations").date(), named).limit(MOST)).all()
    for row in rows:
        erase_invitation(row, "invitation.expire", by=BY)
    return len(rows)


def _mails() -> int:
    old = select(Mail.id).where(Mail.to != "", Mail.created_at < _before("mails"), Mail.state.in_([MailState.SENT, MailState.FAILED]))
    ids = list(db.session.scalars(old.limit(MOST)))
    db.session.execute(update(Mail).where(Mail.id.in_(ids)).values(to="", error=""))
    return len(ids)


def _uploads() -> int:
    ids = list(db.session.scalars(select(ImportDraft.id).where(ImportDraft.created_at < _before("uploads")).limit(MOST)))
    db.session.execute(delete(ImportDraft).where(ImportDraft.id.in_(ids)))
    return len(ids)


def _drafts() -> int:
    """What was typed and never sent."""
    ids = list(db.session.scalars(select(CommentDraft.id).where(CommentDraft.saved_at < _before("drafts")).limit(MOST)))
    db.session.execute(delete(CommentDraft).where(CommentDraft.id.in_(ids)))
    return len(ids)


KINDS: dict[str, Callable[[], int]] = {
    "needs": _needs,
    "answers": _answers,
    "invitations": _invitations,
    "contact": _contact,
    "mails": _mails,
    "uploads": _uploads,
    "drafts": _drafts,
}


@jobs.hourly
def run() -> None:
    """Each kind in a transaction of its own, as often as something is left; then SQLite's journal forgets it too."""
    for kind in KINDS.values():
        while kind() == MOST:
            db.session.commit()
        db.session.commit()
    forget_journal()
