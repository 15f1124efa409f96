"""Sessions: opened at sign-in, ended by sign-out, by time, by their owner, or with the account's `session_number`.

The cookie itself holds the session, signed. So that a copy of it is worth nothing after a sign-out, what was signed out
is remembered for as long as such a copy could be shown.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from flask import request, session
from flask_login import login_user
from sqlalchemy import Exists, bindparam, delete, select

from consult_app import jobs
from consult_app.accounts.models import EndedSession, OpenSession, User
from consult_app.db import db, now

# how long a session of staff lasts unused, and at most; how finely its use is noted
IDLE, LONGEST, NOTED = dt.timedelta(hours=3), dt.timedelta(hours=12), dt.timedelta(minutes=5)
REMEMBERED = dt.timedelta(days=1)  # longer than any cookie of a session counts


def _at() -> int:
    return int(now().timestamp())


# signs in what a browser says of itself; the first that is there counts, since most name others besides
BROWSERS = {
    "Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox", "FxiOS": "Firefox",
    "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari",
}  # fmt: skip
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "CrOS": "ChromeOS", "Mac OS X": "macOS",
    "Linux": "Linux",
}  # fmt: skip


def _browser() -> str:
    """What the browser says of itself, in the words of its owner: "Firefox, Android"; empty where it says nothing known."""
    said = request.user_agent.string
    found = (next((words for sign, words in signs.items() if sign in said), "") for signs in (BROWSERS, SYSTEMS))
    return ", ".join(words for words in found if words)


def open_session(actor: object, language: str) -> None:
    """A fresh session for an account or a participant; nothing of the one before is left in it. The caller commits."""
    session.clear()
    session.permanent = True
    session["language"] = language
    session["sid"] = secrets.token_urlsafe(16)
    session["began_at"] = session["seen_at"] = _at()
    login_user(actor, force=not isinstance(actor, User))
    if isinstance(actor, User):
        session["factor_at"] = _at()  # they gave all that was asked just now
        opened = {"session_number": actor.session_number, "sid_hash": _hash(session["sid"]), "browser": _browser()}
        db.session.add(OpenSession(user_id=actor.id, **opened))


def is_over() -> bool:
    """Whether the time of this session of staff is up; else its use is noted."""
    unused, lasted = _at() - session.get("seen_at", 0), _at() - session.get("began_at", 0)
    if unused > IDLE.total_seconds() or lasted > LONGEST.total_seconds():
        return True
    if unused > NOTED.total_seconds():
        session["seen_at"] = _at()
    return False


def _hash(sid: str) -> str:
    return hashlib.sha256(sid.encode()).hexdigest()


def was_signed_out() -> Exists:
    """In SQL, whether a session was signed out: for the query that loads whose it is, with `sid_hash()` as its `sid`."""
    return select(EndedSession.id).where(EndedSession.sid_hash == bindparam("sid")).exists()


def sid_hash() -> str:
    """How this session is remembered once it was signed out."""
    return _hash(session.get("sid", ""))


def sessions_of(user: User) -> list[OpenSession]:
    """The sessions of an account that may still be in use, the newest first."""
    mine = select(OpenSession).where(OpenSession.user_id == user.id, OpenSession.session_number == user.session_number)
    is_ended = select(EndedSession.id).where(EndedSession.sid_hash == OpenSession.sid_hash).exists()
    return list(db.session.scalars(mine.where(OpenSession.created_at > now() - LONGEST, ~is_ended).order_by(OpenSession.id.desc())))


def is_this(opened: OpenSession) -> bool:
    """Whether it is the session that asks."""
    return opened.sid_hash == _hash(session.get("sid", ""))


def end(opened: OpenSession) -> None:
    """End a session of an account, whoever has its cookie. The caller commits."""
    db.session.add(EndedSession(sid_hash=opened.sid_hash, ended_at=now()))
    db.session.delete(opened)


def end_session() -> None:
    """Sign out: no copy of the cookie opens anything any more. The caller commits."""
    sid = session.get("sid", "")
    if sid and not db.session.scalar(select(was_signed_out()), {"sid": sid_hash()}):
        db.session.add(EndedSession(sid_hash=sid_hash(), ended_at=now()))
    session.clear()


@jobs.hourly
def forget_old_sessions() -> None:
    db.session.execute(delete(EndedSession).where(EndedSession.ended_at < now() - REMEMBERED))
    db.session.execute(delete(OpenSession).where(OpenSession.created_at < now() - REMEMBERED))
    db.session.commit()
