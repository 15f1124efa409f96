"""What an organiser writes."""

from __future__ import annotations

from wtforms import HiddenField
from wtforms.validators import InputRequired, Length

from consult_app.forms import Form, TextsField
from consult_app.i18n import _


class MessageForm(Form):
    """Subject and text in each language; everybody reads theirs, or the other where one is missing."""

    subject = TextsField(_("Subject"), required=True)
    body = TextsField(_("Text"), long=True, required=True)
    client_key = HiddenField(validators=[InputRequired(), Length(max=64)])
