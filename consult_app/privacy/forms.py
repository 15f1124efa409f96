"""What a participant asks, and what an organiser answers."""

from __future__ import annotations

from wtforms import RadioField
from wtforms.validators import InputRequired, Optional

from consult_app.forms import Block, Form, choices
from consult_app.i18n import _
from consult_app.privacy import labels
from consult_app.privacy.models import RequestKind, RequestState


class RequestForm(Form):
    kind = RadioField(_("What should happen?"), [InputRequired()], choices=choices(RequestKind, labels.KIND))
    words = Block(_("In your words"), [Optional()], most=2000)


class AnswerForm(Form):
    state = RadioField(
        _("Decision"),
        [InputRequired()],
        choices=[(RequestState.DONE.value, _("It is done")), (RequestState.REFUSED.value, _("It is refused, for a reason"))],
    )
    reply = Block(_("Answer to the person"), [Optional()], most=2000)
