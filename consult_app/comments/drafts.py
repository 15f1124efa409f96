"""What a participant is typing, kept on the server too, so that another phone opened by the same link finds it.

A draft decides nothing: it is not in the log, and it goes when the comment is sent, when its author is erased, or after a month.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from consult_app.comments.models import Comment, CommentDraft
from consult_app.consultations.models import Indicator
from consult_app.db import db, now
from consult_app.registrations.models import Registration

WORDS = ("text", "proposed", "link")  # a draft without any of them is none
FIELDS = (*WORDS, "kind", "proposed_language", "revision")


def keep(
    indicator: Indicator, registration: Registration, typed: dict[str, str], client_key: str, age: dt.timedelta = dt.timedelta()
) -> dt.datetime | None:
    """Keep what was typed `age` ago, in the place of what stood there; returns when it was typed, or None where it is not kept.

    What arrives after its own comment was sent (the same client key) was in the air meanwhile, and what is older than
    another phone's words waited for a network: neither is kept.
    """
    typed_at = now() - age
    if _is_older(indicator, registration, typed_at, client_key):
        return None
    sent = select(Comment.id).where(Comment.registration_id == registration.id, Comment.client_key == client_key)
    if not any(typed.get(name, "").strip() for name in WORDS) or db.session.scalar(sent) is not None:
        drop(indicator, registration)
        return None
    values: dict[str, Any] = {
        "typed": {name: typed[name] for name in FIELDS if typed.get(name)}, "client_key": client_key, "saved_at": typed_at,
    }  # fmt: skip
    if not _replace(indicator, registration, values):
        try:
            with db.session.begin_nested():
                db.session.add(CommentDraft(registration_id=registration.id, indicator_id=indicator.id, **values))
        except IntegrityError:  # another phone was faster
            _replace(indicator, registration, values)
    return typed_at


def _is_older(indicator: Indicator, registration: Registration, typed_at: dt.datetime, client_key: str) -> bool:
    """Whether another page has kept something that was typed later."""
    mine = (CommentDraft.registration_id == registration.id, CommentDraft.indicator_id == indicator.id)
    later = select(CommentDraft.id).where(*mine, CommentDraft.client_key != client_key, CommentDraft.saved_at > typed_at)
    return db.session.scalar(later) is not None


def _replace(indicator: Indicator, registration: Registration, values: dict[str, Any]) -> bool:
    mine = (CommentDraft.registration_id == registration.id, CommentDraft.indicator_id == indicator.id)
    return db.session.scalar(update(CommentDraft).where(*mine).values(**values).returning(CommentDraft.id)) is not None


def drop(indicator: Indicator, registration: Registration) -> None:
    mine = (CommentDraft.registration_id == registration.id, CommentDraft.indicator_id == indicator.id)
    db.session.execute(delete(CommentDraft).where(*mine))


def _told(draft: CommentDraft) -> dict[str, Any]:
    return {"values": draft.typed, "saved_at": draft.saved_at.isoformat(), "now": now().isoformat()}


def draft_of(indicator: Indicator, registration: Registration) -> dict[str, Any] | None:
    """What they typed on an indicator and did not send, when it was kept, and what time it is here."""
    query = select(CommentDraft).where(CommentDraft.registration_id == registration.id, CommentDraft.indicator_id == indicator.id)
    found = db.session.scalar(query)
    return _told(found) if found is not None else None


def drafts_of(registration: Registration) -> dict[str, dict[str, Any]]:
    """The same for every indicator, by its code."""
    rows = db.session.execute(
        select(CommentDraft, Indicator.code)
        .join(Indicator, Indicator.id == CommentDraft.indicator_id)
        .where(CommentDraft.registration_id == registration.id)
        .order_by(CommentDraft.id)
    )
    return {code: _told(draft) for draft, code in rows.tuples()}
