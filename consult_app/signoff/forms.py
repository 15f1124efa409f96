"""Forms of sign-offs."""

from __future__ import annotations

from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired, Length

from consult_app.accounts.forms import CodeForm
from consult_app.forms import Block, Form, choices
from consult_app.i18n import _
from consult_app.signoff import labels
from consult_app.signoff.models import Decision


class AskForm(Form):
    """What is decided on which text: all that a passkey's answer is bound to."""

    place = HiddenField(validators=[Length(max=40)])  # in whose place they sign: the public id of the naming
    shown_sha256 = HiddenField(validators=[InputRequired(), Length(64, 64)])
    decision = RadioField(_("Your decision"), [InputRequired(_("Choose your decision."))], choices=choices(Decision, labels.DECISION))
    text = Block(_("Your reservation, or your reason for returning the text"))


class SignForm(AskForm, CodeForm):
    """The decision, and the second factor."""


class WithdrawForm(Form):
    reason = Block(_("Why you withdraw your signature"), [InputRequired()])
