"""Forms of accounts."""

from __future__ import annotations

from wtforms import EmailField, PasswordField, RadioField, StringField
from wtforms.validators import Email, EqualTo, InputRequired, Length

from consult_app.accounts.actions import MAX_PASSWORD, MIN_PASSWORD
from consult_app.forms import Form, Line, one_line
from consult_app.i18n import _

LANGUAGES = [("en", "English"), ("id", "Bahasa Indonesia")]


class SignInForm(Form):
    email = EmailField(_("E-mail address"), [InputRequired(), Length(max=200)], filters=[one_line])
    password = PasswordField(_("Password"), [InputRequired(), Length(max=MAX_PASSWORD)])


class CodeForm(Form):
    code = StringField(_("Code from your authenticator app"), [InputRequired(), Length(max=40)], filters=[one_line])


class AskResetForm(Form):
    email = EmailField(_("E-mail address"), [InputRequired(), Email()], filters=[one_line])


class PasswordForm(Form):
    password = PasswordField(
        _("New password"), [InputRequired(), Length(MIN_PASSWORD, MAX_PASSWORD, _("Use 12 to 128 characters; a sentence works well."))]
    )
    again = PasswordField(_("The same again"), [InputRequired(), EqualTo("password", _("The two passwords differ."))])


class ProfileForm(Form):
    name = Line(_("Name"), [InputRequired()])
    title = Line(_("Position"))
    language = RadioField(_("Language of mails to you"), choices=LANGUAGES)
