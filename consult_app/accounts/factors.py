"""The second factor in a request: what a form brings is used up, and for how long it covers changes of the account."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import g, jsonify, request, session
from flask.wrappers import Response

from consult_app.accounts import actions, passkeys
from consult_app.accounts.forms import CodeForm
from consult_app.accounts.models import User
from consult_app.db import db
from consult_app.errors import DomainError
from consult_app.web import Answer, limiter

TRIES = "5 per 5 minutes"  # second factors of an account, counted together wherever they are asked
FRESH = 600  # seconds for which a factor that was given covers changes of the account


def _account() -> str:
    """Whose second factor is asked: the account that is signed in, or that gave its password."""
    key = g.actor.actor_key if g.actor.is_user else str(session.get("half", request.remote_addr))
    return ":".join(key.split(":")[:2])


limited = limiter.shared_limit(TRIES, scope="second factor", key_func=_account, methods=["POST"])
# of several signatures in a row only the wrong tries are counted
limited_if_wrong = limiter.shared_limit(
    TRIES, scope="second factor", key_func=_account, methods=["POST"], deduct_when=lambda answer: answer.status_code == 422
)


def answer_options(make: Callable[[], dict[str, Any]]) -> Answer:
    """The options for the browser as JSON; a refusal as `{"message": …}` with its status. Commits the challenge."""
    try:
        options = make()
        db.session.commit()
    except DomainError as problem:
        db.session.rollback()
        return told(str(problem.message), problem.status)
    return jsonify(options)


def told(words: str, status: int) -> Response:
    answer = jsonify(message=words)
    answer.status_code = status
    return answer


def second_factor_given(user: User, form: CodeForm, purpose: str) -> None:
    """Use up what the form brings: a passkey's answer, else a code. Raises Invalid."""
    if form.assertion.data:
        passkeys.use_passkey(user, form.assertion.data, purpose)
    else:
        actions.use_second_factor(user, form.code.data or "")


def is_fresh() -> bool:
    """Whether the account may be changed now: the second factor, or the password where there is none, was given a moment ago."""
    return time.time() - float(session.get("factor_at", 0)) < FRESH
