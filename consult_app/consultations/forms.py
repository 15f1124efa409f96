"""Forms of consultations, sections, imports and teams."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    EmailField,
    FieldList,
    FormField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
)
from wtforms import Form as PlainForm
from wtforms.validators import Email, EqualTo, InputRequired, Length, NumberRange, Optional, Regexp
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from consult_app.accounts.actions import MAX_PASSWORD, MIN_PASSWORD
from consult_app.accounts.forms import LANGUAGES
from consult_app.addresses import address_key
from consult_app.consultations import labels
from consult_app.consultations.framework_rows import LINK
from consult_app.consultations.models import (
    SECTION_PARTS,
    Attribution,
    Consultation,
    Indicator,
    Level,
    Section,
    SignatoryRole,
    SigningOrder,
)
from consult_app.consultations.territory import countries, split_tags, subdivisions, timezones
from consult_app.forms import Block, Form, Line, TextsField, WholeNumber, choices
from consult_app.i18n import Texts, _, local
from consult_app.policy import MEMBER_ROLES, Role


def _ticks(label: Any, **more: Any) -> SelectMultipleField:
    """Several of a list, as boxes to tick."""
    return SelectMultipleField(label, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), **more)


class ConsultationForm(Form):
    """What a consultation is; `ConsultationForm.of()` for a new one, `.of(consultation)` to change one."""

    title = TextsField(_("Title"), required=True)
    slug = Line(
        _("Address"), [InputRequired()], most=60, description=_("Small letters, digits and hyphens, such as mgi-indonesia-2023. It stays.")
    )
    summary = TextsField(_("Summary"), long=True)
    level = RadioField(_("Level"), [InputRequired()], choices=choices(Level, labels.LEVEL))
    country = SelectField(_("Country"))
    subdivision = SelectField(
        _("Province, state or district"),
        [Optional()],
        description=_("Only for a sub-national consultation; the list is that of ISO 3166-2."),
    )
    languages = _ticks(_("Languages"), choices=LANGUAGES, validators=[InputRequired(_("Choose at least one language."))])
    timezone = SelectField(_("Time zone"))
    attribution = RadioField(
        _("How comments are attributed"),
        [InputRequired()],
        choices=choices(Attribution, labels.ATTRIBUTION),
        description=_("What participants and observers see of who spoke. Once comments are open it can only become stricter."),
    )
    partners = Block(_("Partners"), most=4000, description=_("One on each line."))
    sdgs = Line(_("Sustainable Development Goals"), description=_("Goals or targets, such as 10.7; 16; 17."))
    gcm_objectives = Line(_("Objectives of the Global Compact for Migration"), description=_("Numbers from 1 to 23, such as 3; 17; 23."))
    controller = Line(_("Who answers for personal data"), description=_("The institution that participants can turn to."))

    @classmethod
    def of(cls, consultation: Consultation | None = None, template: Consultation | None = None) -> Any:
        """The form with its lists, filled from the consultation to change or from a template for a new one."""
        source = consultation or template
        form = cls(data=_kept(source) if source is not None else {"country": "ID", "timezone": "Asia/Jakarta", "languages": ["en"]})
        if template is not None and not form.is_submitted():
            form.slug.data = ""
        form.country.choices = countries()
        form.subdivision.choices = [("", _("Choose one")), *subdivisions(form.country.data or "")]
        form.timezone.choices = [(name, name.replace("_", " ")) for name in timezones()]
        if consultation is not None:
            del form.slug
        return form

    def values(self) -> dict[str, Any]:
        """What was given, as `create_consultation` and `change_consultation` take it."""
        level = Level(self.level.data)
        return {
            "title": self.title.data,
            "summary": self.summary.data,
            "level": level,
            "territory": (self.subdivision.data or self.country.data) if level is Level.SUBNATIONAL else self.country.data,
            "languages": self.languages.data,
            "timezone": self.timezone.data,
            "attribution": Attribution(self.attribution.data),
            "partners": [line.strip() for line in (self.partners.data or "").splitlines() if line.strip()],
            "sdgs": split_tags(self.sdgs.data or ""),
            "gcm_objectives": split_tags(self.gcm_objectives.data or ""),
            "controller": self.controller.data or "",
        }


def _kept(consultation: Consultation) -> dict[str, Any]:
    same = ("title", "summary", "languages", "timezone", "controller")
    return {
        **{name: getattr(consultation, name) for name in same},
        "level": consultation.level.value,
        "attribution": consultation.attribution.value,
        "country": consultation.territory[:2],
        "subdivision": consultation.territory if "-" in consultation.territory else "",
        "partners": "\n".join(consultation.partners),
        "sdgs": "; ".join(consultation.sdgs),
        "gcm_objectives": "; ".join(consultation.gcm_objectives),
    }


class SectionForm(Form):
    """The text of a section, in the consultation's languages only."""

    edit_number = WholeNumber(widget=HiddenInput(), validators=[InputRequired()])
    narrative = TextsField(labels.PART["narrative"], long=True)
    well_developed = TextsField(labels.PART["well_developed"], long=True)
    potential = TextsField(labels.PART["potential"], long=True)
    recommendations = TextsField(labels.PART["recommendations"], long=True)

    @classmethod
    def of(cls, section: Section, languages: list[str]) -> Any:
        form = cls(obj=section)
        for part in SECTION_PARTS:
            inner = form[part].form
            for language in [field.short_name for field in inner if field.short_name not in languages]:
                del inner[language]
        return form

    def texts(self, section: Section) -> dict[str, Texts]:
        """Every part; words in a language that the form does not ask for stay."""
        return {part: {**getattr(section, part), **self[part].data} for part in SECTION_PARTS}


class FindingForm(Form):
    """The finding of an indicator in the consultation's languages, with its answer and what proves it."""

    edit_number = WholeNumber(widget=HiddenInput(), validators=[InputRequired()])
    answer = SelectField(_("Answer"), [Optional()])
    finding = TextsField(labels.FIELD["finding"], long=True)
    evidence = Block(labels.FIELD["evidence"], [Optional()])
    link = Line(
        labels.FIELD["link"],
        [Optional(), Regexp(rf"{LINK.pattern}\Z", re.IGNORECASE, _("Begin it with https:// and leave no space in it."))],
        most=2000,
    )

    @classmethod
    def of(cls, indicator: Indicator, languages: list[str], scale: list[str]) -> Any:
        """`scale` is what indicators of the consultation are answered with."""
        form = cls(obj=indicator)
        known = [*labels.ANSWER, *(answer for answer in scale if answer and answer not in labels.ANSWER)]
        form.answer.choices = [("", _("No answer yet")), *((answer, labels.ANSWER.get(answer, answer)) for answer in known)]
        inner = form.finding.form
        for language in [field.short_name for field in inner if field.short_name not in languages]:
            del inner[language]
        return form

    def values(self, indicator: Indicator) -> dict[str, Any]:
        """Every field; words in a language that the form does not ask for stay."""
        plain = {name: self[name].data or "" for name in ("answer", "evidence", "link")}
        return {**plain, "finding": {**indicator.finding, **self.finding.data}}


class AdvanceForm(Form):
    to = HiddenField(validators=[InputRequired()])
    note = Line(_("Note"), [Optional()])


class DeadlineForm(Form):
    """Until when participants may comment, in the consultation's own time."""

    comments_until = DateTimeLocalField(_("Written comments until"), [Optional()])
    everywhere = BooleanField(_("The same for every section that is open"))

    @classmethod
    def of(cls, section: Section) -> Any:
        until = section.comments_until
        return cls(data={"comments_until": until.astimezone(section.consultation.zone).replace(tzinfo=None) if until else None})

    def until(self, section: Section) -> dt.datetime | None:
        given: dt.datetime | None = self.comments_until.data
        return given.replace(tzinfo=section.consultation.zone) if given else None


class ImportForm(Form):
    file = FileField(_("Spreadsheet (XLSX or CSV)"), [FileRequired(_("Choose the file first."))])


class ApplyForm(Form):
    version = Line(_("Edition of the framework"), [Optional()], most=60, description=_("Such as “MGI 2023, 98 indicators”."))


class InvitationForm(Form):
    """A colleague, a role, and for a focal point the sections."""

    email = EmailField(_("E-mail address"), [InputRequired(), Email(), Length(max=200)], filters=[address_key])
    role = RadioField(_("Role"), [InputRequired()])
    institution = Line(_("Institution"))
    sections = _ticks(_("Sections a focal point answers for"), validators=[Optional()])
    language = RadioField(_("Language of the mail"), choices=LANGUAGES)

    @classmethod
    def of(cls, consultation: Consultation, sections: list[Section]) -> Any:
        form = cls(data={"language": consultation.languages[0]})
        form.role.choices = [(role.value, labels.ROLE[role]) for role in MEMBER_ROLES]
        form.sections.choices = [(section.public_id, f"{section.number}. {local(section.title)}") for section in sections]
        if not sections:
            del form.sections
            form.role.choices = [pair for pair in form.role.choices if pair[0] != Role.FOCAL_POINT.value]
        return form


class FocalPointForm(Form):
    """Somebody of the team, for one section."""

    section = HiddenField(validators=[InputRequired()])
    user = SelectField(_("Focal point"), validate_choice=False)
    institution = Line(_("Institution"))


class SignatoryForm(PlainForm):
    """One who signs a section: their role and their place in the order."""

    point = HiddenField(validators=[InputRequired()])
    role = SelectField(_("Role"), choices=choices(SignatoryRole, labels.SIGNATORY))
    order_number = WholeNumber(_("Number"), [InputRequired(), NumberRange(1, 99, _("A number from 1 to 99."))])


class SigningForm(Form):
    """Who leads, and in which order a section is signed."""

    order = RadioField(_("They sign"), [InputRequired()], choices=choices(SigningOrder, labels.SIGNING_ORDER))
    signatories = FieldList(FormField(SignatoryForm))

    @classmethod
    def of(cls, section: Section, **more: Any) -> Any:
        points = section.focal_points
        rows = [{"point": p.public_id, "role": p.role.value, "order_number": p.order_number or n} for n, p in enumerate(points, 1)]
        return cls(prefix=f"s{section.number}", data={"order": section.signing_order.value, "signatories": rows}, **more)

    def wanted(self) -> dict[str, tuple[SignatoryRole, int]]:
        """Role and order number of each, by the public id of their naming."""
        return {row["point"]: (SignatoryRole(row["role"]), row["order_number"]) for row in self.signatories.data}


class DelegationForm(Form):
    """Somebody who acts in one's place for some days."""

    deputy = SelectField(_("Deputy"), [InputRequired(_("Choose who acts in your place."))], validate_choice=False)
    starts_on = DateField(_("First day"), [InputRequired()])
    ends_on = DateField(_("Last day"), [InputRequired()])
    reason = Line(_("Reason"), [InputRequired()])


class JoinForm(Form):
    """What a new colleague gives to have an account."""

    name = Line(_("Name"), [InputRequired()])
    title = Line(_("Position"))
    password = PasswordField(
        _("Password"), [InputRequired(), Length(MIN_PASSWORD, MAX_PASSWORD, _("Use 12 to 128 characters; a sentence works well."))]
    )
    again = PasswordField(_("The same again"), [InputRequired(), EqualTo("password", _("The two passwords differ."))])
