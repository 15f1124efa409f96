"""Forms of reports."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired

from consult_app.consultations.models import Consultation
from consult_app.forms import Block, Form
from consult_app.i18n import _
from consult_app.reports.actions import languages_of
from consult_app.reports.labels import language_name


class SealForm(Form):
    language = RadioField(_("Language of the report"))
    seen = HiddenField()  # stands for what the page showed

    @classmethod
    def of(cls, consultation: Consultation) -> SealForm:
        """The form with the consultation's languages, the first one chosen."""
        form = cls(language=consultation.languages[0], seen="")
        form.language.choices = [(code, language_name(code)) for code in languages_of(consultation)]
        return form


class WithdrawForm(Form):
    reason = Block(_("Why the report is withdrawn"), [InputRequired()], most=2_000)


class VerifyForm(Form):
    file = FileField(_("The file"), [FileRequired(_("Choose the file first."))])
