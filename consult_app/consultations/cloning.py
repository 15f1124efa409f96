"""A consultation as the template of another: its framework and stakeholder types, never its findings, comments or people."""

from __future__ import annotations

from blinker import Signal

from consult_app import audit
from consult_app.consultations.models import Consultation, Dimension, Indicator, Section
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.i18n import _
from consult_app.policy import Actor

# Sent within the transaction with `template`, so that other features copy what is theirs.
consultation_cloned = Signal()


def copy_framework(template: Consultation, consultation: Consultation, *, by: Actor) -> int:
    """Copy dimensions, sections and the questions of indicators into an empty consultation; returns how many indicators.

    Raises Conflict where the consultation has a framework already.
    """
    audit.take_turn(consultation.id, consultation)
    if consultation.dimensions:
        raise Conflict(_("This consultation has a framework already."))
    consultation.framework_version = template.framework_version
    audit.record(by, "consultation.change", consultation)
    count = 0
    for old in template.dimensions:
        dimension = Dimension(consultation=consultation, number=old.number, name=dict(old.name))
        db.session.add(dimension)
        audit.record(by, "dimension.add", dimension)
        section = Section(consultation=consultation, dimension=dimension, number=old.section.number)
        db.session.add(section)
        audit.record(by, "section.add", section)
        for item in old.indicators:
            indicator = Indicator(
                consultation=consultation, dimension=dimension, code=item.code, place=item.place, topic=dict(item.topic),
                question=dict(item.question), sdgs=list(item.sdgs), gcm_objectives=list(item.gcm_objectives),
            )  # fmt: skip
            db.session.add(indicator)
            audit.record(by, "indicator.add", indicator)
            count += 1
    consultation_cloned.send(consultation, template=template, by=by)
    return count
