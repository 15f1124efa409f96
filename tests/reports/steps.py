"""Asking for a sealed report as a person does: look at what would be sealed, then seal it."""

from __future__ import annotations

from typing import Any

import lxml.html

from consult_app.consultations.models import Consultation


def look(client: Any, consultation: Consultation, language: str = "en") -> dict[str, str]:
    """What the page before the seal would send; nothing, where nothing can be sealed."""
    page = client.get(f"/consultations/{consultation.slug}/report/seal?language={language.replace('+', '%2B')}")
    forms = lxml.html.fromstring(page.text).xpath('//form[@id="seal"]')
    return dict(forms[0].form_values()) if forms else {}


def ask(client: Any, consultation: Consultation, language: str = "en") -> Any:
    """The answer to the press of the button."""
    data = look(client, consultation, language) or {"language": language}
    return client.post(f"/consultations/{consultation.slug}/report/request", data=data)
