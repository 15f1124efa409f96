"""What a participant is told by mail."""

from __future__ import annotations

from consult_app import mail
from consult_app.registrations.models import Registration


def tell(registration: Registration, about: str, key: str = "") -> None:
    """Queue a mail to the participant; somebody without an e-mail address is not told."""
    if registration.email:
        unique = f"registration:{about}:{registration.public_id}:{key or registration.state_changed_at.isoformat()}"
        mail.queue(
            f"registrations.{about}",
            registration.email,
            registration.language,
            unique,
            registration.consultation_id,
            registration_id=registration.id,
        )
