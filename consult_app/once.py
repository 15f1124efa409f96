"""What a form makes is made once per click: the same form sent again gets what the first one made.

A form that makes something holds a key of its own (`_macros/ui.html: click_key`). The second post of two waits for the first, and is
given its row; one that says something else is another form.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import g, request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from . import jobs
from .db import Model, db, now
from .errors import Conflict
from .i18n import _

Made = TypeVar("Made")
KEPT = dt.timedelta(days=2)


class MadeOnce(Model):
    """A form that made a row. Holds no words of the form, only a hash of it."""

    __tablename__ = "made_once"

    form_hash: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[int | None]
    made_at: Mapped[dt.datetime] = mapped_column(index=True)


def _form_hash() -> str | None:
    """Of who sent what where; None for a form without a key."""
    if not request.form.get("click_key"):
        return None
    said = sorted((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")
    return hashlib.sha256(json.dumps([g.actor.actor_key, request.endpoint, request.full_path, said]).encode()).hexdigest()


def once(model: type[Made], make: Callable[[], Made]) -> Made:
    """The row that this request's form makes, or has made already. Raises Conflict where that one is gone again."""
    form_hash = _form_hash()
    if form_hash is None:
        return make()
    entry = MadeOnce(form_hash=form_hash, made_at=now())
    try:
        with db.session.begin_nested():  # on PostgreSQL, waits here for the first of two
            db.session.add(entry)
    except IntegrityError:
        before = db.session.get_one(MadeOnce, form_hash)
        made = db.session.get(model, before.row_id) if before.row_id is not None else None
        if made is None:
            raise Conflict(_("This was removed meanwhile.")) from None
        return made
    row = make()
    db.session.flush()
    entry.row_id = cast(Any, row).id
    return row


@jobs.sweep
def forget_old_forms() -> None:
    """Nobody sends a form again after days."""
    db.session.execute(delete(MadeOnce).where(MadeOnce.made_at < now() - KEPT))
    db.session.commit()
