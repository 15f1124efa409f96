"""What is done with accounts: made, changed, given a second factor, given a role."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time

import pyotp
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from consult_app import audit, mail
from consult_app.accounts.models import Membership, User
from consult_app.accounts.passwords import hash_password
from consult_app.addresses import address_key
from consult_app.db import db, now, random_letters
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor, Role
from consult_app.settings import setting

RESET_AGE = 2 * 3600  # seconds
RECOVERY_CODES = 8
CODE_LENGTH = 24  # 120 random bits, so that a plain SHA-256 is enough (OWASP ASVS 5.0, 6.5.2)
LONG = "120:"  # stands before the hash of such a code; those made before had 48 bits
MIN_PASSWORD, MAX_PASSWORD = 12, 128
JUDGED = 72  # characters of a password that are looked at: what takes so long to guess is not weak because of what follows
STRONG = 3  # zxcvbn's score from 10^8 guesses on


def find_user(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == address_key(email)))


def check_password(password: str, *about: str) -> None:
    """Raise Invalid unless the password has 12 to 128 characters and is none of those that are tried first.

    `about` is what others know of the account, such as its name and address. Judged without a network, from the lists of
    common passwords and words that zxcvbn brings, as they are and with the usual changes (Wheeler, USENIX Security 2016).
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415  its lists are 12 MB, and few processes ever judge a password

    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Invalid(_("Use 12 to 128 characters; a sentence works well."), field="password")
    known = [word for words in (setting("SITE_NAME"), *about) for word in re.split(r"[\W_]+", words) if len(word) > 2]
    if zxcvbn(password[:JUDGED], known, max_length=JUDGED)["score"] < STRONG:
        raise Invalid(_("This password is among those that are tried first. A sentence of your own works well."), field="password")


def create_user(
    email: str, name: str, *, by: Actor, password: str | None = None, administrator: bool = False, language: str = "en", title: str = ""
) -> User:
    """Make an account. Raises Conflict where the address has one, Invalid where the password is too short or a common one."""
    audit.take_turn(None)
    if find_user(email) is not None:
        raise Conflict(_("There is an account with this e-mail address already."))
    if password is not None:
        check_password(password, email, name)
    user = User(email=address_key(email), name=name.strip(), is_administrator=administrator, language=language, title=title)
    user.password_hash = hash_password(password) if password is not None else None
    db.session.add(user)
    audit.record(by, "user.create", user)
    return user


@audit.in_turn
def set_password(user: User, password: str, *, by: Actor) -> None:
    """Change the password; every session of the account ends."""
    check_password(password, user.email, user.name)
    user.password_hash = hash_password(password)
    user.session_number += 1
    audit.record(by, "user.password", user)


@audit.in_turn
def end_sessions(user: User, *, by: Actor) -> None:
    """End every session of the account; who asked for it opens a new one."""
    user.session_number += 1
    audit.record(by, "user.sessions", user)


@audit.in_turn
def change_profile(user: User, name: str, title: str, language: str, *, by: Actor) -> None:
    """Save what they say of themselves. Raises Conflict for another name of somebody who was named to sign, or is a deputy:
    a signature bears the name that the organiser knew.
    """
    signs = bool(user.focal_points) or any(not delegation.is_over for delegation in user.delegations)
    if name != user.name and signs:
        raise Conflict(_("You are named to sign under this name, so it stays. Ask an organiser to name you anew."))
    user.name, user.title, user.language = name, title, language
    audit.record(by, "user.profile", user)


def add_role(user: User, consultation_id: int, role: Role, *, by: Actor, institution: str = "") -> Membership:
    """Give a user a role in a consultation; one that is held already is returned as it is."""
    audit.take_turn(consultation_id)
    held = db.session.scalar(
        select(Membership).where(Membership.user_id == user.id, Membership.consultation_id == consultation_id, Membership.role == role)
    )
    if held is not None:
        return held
    membership = Membership(consultation_id=consultation_id, user=user, role=role, institution=institution)
    db.session.add(membership)
    audit.record(by, "membership.add", membership)
    return membership


def remove_role(membership: Membership, *, by: Actor) -> None:
    """Take a role away; the user's sessions end, so that it holds at once."""
    audit.take_turn(membership.consultation_id, membership)
    audit.take_turn(None)
    audit.record(by, "membership.delete", membership)
    membership.user.session_number += 1
    audit.record(by, "user.sessions", membership.user)
    db.session.delete(membership)


@audit.in_turn
def set_enabled(user: User, enabled: bool, *, by: Actor) -> None:
    """Switch an account off, or on again; off, every session of it ends and it can do nothing. What it did stays."""
    if user.is_enabled is not enabled:
        user.is_enabled = enabled
        user.session_number += 1
        audit.record(by, "user.enable" if enabled else "user.disable", user)


# -- second factor (TOTP, RFC 6238) --


def new_totp_secret() -> str:
    return pyotp.random_base32()


def totp_uri(user: User, secret: str) -> str:
    """The otpauth:// address that an authenticator app reads from the QR."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=setting("SITE_NAME")))


def _totp_step(secret: str, code: str) -> int | None:
    """The 30 s step that the code belongs to: this one or a neighbour (a phone's clock may be off a little)."""
    totp, this = pyotp.TOTP(secret), int(time.time()) // 30
    digits = "".join(code.split()).encode("utf-8", "replace")  # whatever was typed
    return next((step for step in (this, this - 1, this + 1) if hmac.compare_digest(totp.at(step * 30).encode(), digits)), None)


def _hash_code(code: str) -> str:
    return hashlib.sha256("".join(code.split()).replace("-", "").lower().encode()).hexdigest()


@audit.in_turn
def confirm_second_factor(user: User, secret: str, code: str, *, by: Actor) -> list[str]:
    """Turn the second factor on once a first code fits; returns new recovery codes, to be shown once. Raises Invalid, Conflict."""
    step = _totp_step(secret, code)
    if step is None:
        raise Invalid(_("This code does not fit. Check the clock of your phone, and type the newest code."), field="code")
    if user.totp_secret == secret and user.totp_confirmed_at is not None:
        raise Conflict(_("This app was set up already. Sign in with its next code."))
    user.totp_secret, user.totp_confirmed_at, user.totp_last_step = secret, now(), step
    codes = new_recovery_codes(user)
    audit.record(by, "user.second_factor", user)
    return codes


def new_recovery_codes(user: User) -> list[str]:
    """Recovery codes in place of the earlier ones, to be shown once: only their hashes are kept. The caller records it."""
    letters = [random_letters(CODE_LENGTH) for _n in range(RECOVERY_CODES)]
    user.recovery_codes = [LONG + _hash_code(code) for code in letters]
    return ["-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4)) for code in letters]


def has_short_codes(user: User) -> bool:
    """Whether codes are left from when they had 48 bits; they work, and their owner is asked to renew them."""
    return any(not kept.startswith(LONG) for kept in user.recovery_codes)


@audit.in_turn
def renew_recovery_codes(user: User, *, by: Actor) -> list[str]:
    """As `new_recovery_codes`, recorded. Raises Conflict where no second factor could be lost."""
    if not user.has_second_factor:
        raise Conflict(_("Recovery codes stand in for a second factor. Set one up first."))
    codes = new_recovery_codes(user)
    audit.record(by, "user.recovery_codes", user)
    return codes


def use_second_factor(user: User, code: str) -> str:
    """Use up a TOTP code or a recovery code; each counts once. Returns "totp" or "recovery_code"; raises Invalid."""
    audit.take_turn(None, user)  # two that come at once use it one after the other
    is_on = user.totp_secret is not None and user.totp_confirmed_at is not None
    step = _totp_step(user.totp_secret or "", code) if is_on else None
    if step is not None and step > user.totp_last_step:
        user.totp_last_step = step
        return "totp"
    kept = _hash_code(code)
    if found := {kept, LONG + kept} & set(user.recovery_codes):
        user.recovery_codes = [one for one in user.recovery_codes if one not in found]
        audit.record(user, "user.recovery_code", user)
        return "recovery_code"
    if step is not None:
        raise Invalid(_("This code was used already. Wait for the next one."), field="code")
    raise Invalid(_("This code does not fit. Type the newest code of your authenticator app."), field="code")


# -- password reset --


def _resets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(setting("SECRET_KEY"), salt="password-reset")


def _fingerprint(user: User) -> str:
    """Changes with the password, so that a reset link works once."""
    return hashlib.sha256(f"{user.password_hash}{user.session_number}".encode()).hexdigest()[:16]


def ask_for_reset(email: str) -> None:
    """Send a reset link if there is such an account; nobody can tell whether there was."""
    user = find_user(email)
    if user is not None and user.is_enabled:
        mail.queue("accounts.reset", user.email, user.language, f"reset:{user.public_id}:{secrets.token_hex(8)}", user_id=user.id)


def reset_token(user: User) -> str:
    return str(_resets().dumps([user.public_id, _fingerprint(user)]))


def user_of_reset(token: str) -> User:
    """The account a reset link is for; Invalid when it is too old or was used."""
    try:
        public_id, fingerprint = _resets().loads(token, max_age=RESET_AGE)
    except (BadData, ValueError):
        public_id, fingerprint = "", ""
    user = db.session.scalar(select(User).where(User.public_id == str(public_id)))
    if user is None or not hmac.compare_digest(_fingerprint(user), str(fingerprint)):
        raise Invalid(_("This link is too old, or was used already. Ask for a new one."))
    return user
