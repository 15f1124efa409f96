"""Forms of sign-offs."""

from __future__ import annotations

from wtforms import HiddenField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from consult_app.forms import Block, Form, choices, one_line
from consult_app.i18n import _
from consult_app.signoff import labels
from consult_app.signoff.models import Decision


class SignForm(Form):
    shown_sha256 = HiddenField(validators=[InputRequired(), Length(64, 64)])
    decision = RadioField(_("Your decision"), [InputRequired(_("Choose your decision."))], choices=choices(Decision, labels.DECISION))
    text = Block(_("Your reservation, or your reason for returning the text"))
    code = StringField(_("Code from your authenticator app"), [InputRequired(), Length(max=40)], filters=[one_line])


class WithdrawForm(Form):
    reason = Block(_("Why you withdraw your signature"), [InputRequired()])
