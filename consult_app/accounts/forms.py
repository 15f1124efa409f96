"""Forms of accounts."""

from __future__ import annotations

from typing import Any

from wtforms import EmailField, HiddenField, PasswordField, RadioField, StringField
from wtforms.validators import Email, EqualTo, InputRequired, Length

from consult_app.accounts.actions import MAX_PASSWORD, MIN_PASSWORD
from consult_app.addresses import address_key
from consult_app.forms import Form, Line, one_line
from consult_app.i18n import _, gettext

LANGUAGES = [("en", "English"), ("id", "Bahasa Indonesia")]


class SignInForm(Form):
    email = EmailField(_("E-mail address"), [InputRequired(), Length(max=200)], filters=[address_key])
    password = PasswordField(_("Password"), [InputRequired(), Length(max=MAX_PASSWORD)])


class CodeForm(Form):
    """A second factor: a code, or the answer of a passkey that the browser puts in."""

    code = StringField(_("Code from your authenticator app"), [Length(max=40)], filters=[one_line])
    assertion = HiddenField(validators=[Length(max=20_000)])

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        if self.assertion.data or self.code.data:
            return valid
        self.code.errors = [gettext("Type the code, or use a passkey.")]
        return False


class PasskeyForm(Form):
    name = Line(_("Name of the passkey"), [InputRequired()], most=60, description=_("So that you know it again, such as “my phone”."))
    credential = HiddenField(
        validators=[InputRequired(_("The browser made no passkey. It has to run scripts for this.")), Length(max=40_000)]
    )


class AskResetForm(Form):
    email = EmailField(_("E-mail address"), [InputRequired(), Email()], filters=[address_key])


class PasswordForm(Form):
    password = PasswordField(
        _("New password"), [InputRequired(), Length(MIN_PASSWORD, MAX_PASSWORD, _("Use 12 to 128 characters; a sentence works well."))]
    )
    again = PasswordField(_("The same again"), [InputRequired(), EqualTo("password", _("The two passwords differ."))])


class OldPasswordForm(Form):
    """The password again, from whoever has no second factor to give."""

    old = PasswordField(_("Your password now"), [InputRequired(), Length(max=MAX_PASSWORD)])


class ChangePasswordForm(PasswordForm, OldPasswordForm):
    """A new password, and the one before it."""


class ProfileForm(Form):
    name = Line(_("Name"), [InputRequired()])
    title = Line(_("Position"))
    language = RadioField(_("Language of mails to you"), choices=LANGUAGES)
