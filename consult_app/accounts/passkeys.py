"""Passkeys (WebAuthn) as a second factor: registered, used, removed.

What a passkey signs is a challenge that we made for one account and one purpose; it counts once, within five minutes. The
purpose of a signature on a section names the section, the decision and the SHA-256 that was shown, so that what was
signed for one text is no second factor for another.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import secrets
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
import webauthn
from sqlalchemy import delete, select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json, parse_client_data_json
from webauthn.helpers import parse_registration_credential_json as parse_registration
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, AuthenticatorTransport, PublicKeyCredentialDescriptor
from webauthn.helpers.structs import ResidentKeyRequirement as Resident

from consult_app import audit
from consult_app.accounts.actions import renew_recovery_codes
from consult_app.accounts.models import Passkey, PasskeyChallenge, User
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.settings import setting

LIFE = dt.timedelta(minutes=5)  # of a challenge
MOST = 10  # passkeys of one account
REGISTER, SIGN_IN, CONFIRM = "register", "sign-in", "confirm"
Read = TypeVar("Read")
log = structlog.get_logger()


def _site() -> tuple[str, str]:
    """The relying party (a host name) and the origin, both of the configured address and never of a request."""
    parts = urlsplit(setting("BASE_URL"))
    return parts.hostname or "", f"{parts.scheme}://{parts.netloc}"


def are_possible() -> bool:
    """Whether browsers allow passkeys here: the site has a name (no bare IP address), and https unless it is localhost."""
    host, origin = _site()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and (origin.startswith("https://") or host == "localhost" or host.endswith(".localhost"))
    return False


def _require_possible() -> None:
    if not are_possible():
        raise Conflict(_("Passkeys need a site with a name and https. Use an authenticator app here."))


def _new_challenge(user: User, purpose: str) -> bytes:
    db.session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < now()))
    challenge = secrets.token_bytes(32)
    row = PasskeyChallenge(user_id=user.id, challenge=bytes_to_base64url(challenge), purpose=purpose, expires_at=now() + LIFE)
    db.session.add(row)
    return challenge


def _take_challenge(user: User, challenge: bytes, purpose: str) -> None:
    """Use up a challenge of ours. Raises Invalid where there is none, it is too old, or was made for something else."""
    mine = delete(PasskeyChallenge).where(PasskeyChallenge.user_id == user.id, PasskeyChallenge.challenge == bytes_to_base64url(challenge))
    row = db.session.execute(mine.returning(PasskeyChallenge.purpose, PasskeyChallenge.expires_at)).first()
    if row is None or row.expires_at < now():
        raise Invalid(_("The passkey's answer is too old, or was used already. Try again."), field="code")
    if row.purpose != purpose:
        raise Invalid(_("The passkey's answer was given for something else: another text or decision. Try again."), field="code")


def _read(parse: Callable[[], Read]) -> Read:
    """What the library makes of a browser's answer. Raises Invalid, whatever was sent."""
    try:
        return parse()
    except Invalid:
        raise
    except Exception as problem:  # any bytes may come here, and the library does not promise which errors it raises
        log.info("passkey.refused", problem=f"{type(problem).__name__}: {problem}"[:300])
        raise Invalid(_("The passkey's answer does not fit. Try again, or use another second factor."), field="code") from problem


def _descriptors(user: User) -> list[PublicKeyCredentialDescriptor]:
    known = {transport.value for transport in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(passkey.credential_id), transports=[AuthenticatorTransport(t) for t in passkey.transports if t in known]
        )
        for passkey in user.passkeys
    ]


# -- registering --


def registration_options(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey for this account. Raises Conflict where there are enough, or none are possible."""
    _require_possible()
    if len(user.passkeys) >= MOST:
        raise Conflict(_("This account has %(count)s passkeys already. Remove one first.", count=MOST))
    host, _origin = _site()
    options = webauthn.generate_registration_options(
        rp_id=host,
        rp_name=setting("SITE_NAME"),
        user_id=user.public_id.encode(),
        user_name=user.email,
        user_display_name=user.name or user.email,
        challenge=_new_challenge(user, REGISTER),
        exclude_credentials=_descriptors(user),
        authenticator_selection=AuthenticatorSelectionCriteria(resident_key=Resident.DISCOURAGED),
    )
    return options_to_json_dict(options)


@audit.in_turn
def register(user: User, name: str, answer: str, *, by: Actor) -> list[str]:
    """Keep the passkey that the browser made. Returns recovery codes, to be shown once, where it is the first second factor.

    Raises Invalid where the answer is not one to a challenge of ours, Conflict where the passkey is known already.
    """
    _require_possible()
    given = _read(lambda: parse_registration(answer))
    challenge = _read(lambda: parse_client_data_json(given.response.client_data_json).challenge)
    _take_challenge(user, challenge, REGISTER)
    host, origin = _site()
    made = _read(
        lambda: webauthn.verify_registration_response(
            credential=given, expected_challenge=challenge, expected_rp_id=host, expected_origin=origin
        )
    )
    credential_id = bytes_to_base64url(made.credential_id)
    if db.session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None:
        raise Conflict(_("This passkey is registered already."))
    is_first = not user.has_second_factor
    passkey = Passkey(
        user=user,
        name=name,
        credential_id=credential_id,
        public_key=bytes_to_base64url(made.credential_public_key),
        transports=[transport.value for transport in given.response.transports or []],
        sign_count=made.sign_count,
    )
    db.session.add(passkey)
    audit.record(by, "passkey.add", passkey)
    return renew_recovery_codes(user, by=by) if is_first else []


@audit.in_turn
def remove(passkey: Passkey, *, by: Actor) -> None:
    """Forget a passkey. Raises Conflict where it is the account's last second factor."""
    user = passkey.user
    if user.totp_confirmed_at is None and len(user.passkeys) < 2:
        raise Conflict(_("This is your last second factor. Set up another one before you remove it."))
    audit.record(by, "passkey.delete", passkey)
    db.session.delete(passkey)
    db.session.flush()
    db.session.expire(user, ["passkeys"])


# -- using --


def request_options(user: User, purpose: str) -> dict[str, Any]:
    """What the browser needs to ask one of the account's passkeys. Raises Conflict where there is none."""
    _require_possible()
    if not user.passkeys:
        raise Conflict(_("This account has no passkey."))
    host, _origin = _site()
    options = webauthn.generate_authentication_options(
        rp_id=host, challenge=_new_challenge(user, purpose), allow_credentials=_descriptors(user)
    )
    return options_to_json_dict(options)


def use_passkey(user: User, answer: str, purpose: str) -> str:
    """Take a passkey's answer to the challenge that was made for this account and purpose. Returns "passkey"; raises Invalid."""
    given = _read(lambda: parse_authentication_credential_json(answer))
    challenge = _read(lambda: parse_client_data_json(given.response.client_data_json).challenge)
    audit.take_turn(None, user)
    _take_challenge(user, challenge, purpose)
    query = select(Passkey).where(Passkey.user_id == user.id, Passkey.credential_id == bytes_to_base64url(given.raw_id))
    passkey = db.session.scalar(query)
    if passkey is None:
        raise Invalid(_("This passkey is not one of your account."), field="code")
    host, origin = _site()
    seen = _read(
        lambda: webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
        )
    )
    passkey.sign_count, passkey.last_used_at = seen.new_sign_count, now()
    return "passkey"
