"""The words for the choices of this feature."""

from consult_app.consultations.models import Attribution, Level, SectionState, SignatoryRole, SigningOrder
from consult_app.i18n import _
from consult_app.policy import Role

LEVEL = {Level.NATIONAL: _("National"), Level.SUBNATIONAL: _("Sub-national (province, state, city)")}
ATTRIBUTION = {
    Attribution.BY_NAME: _("By name"),
    Attribution.BY_INSTITUTION: _("By institution"),
    Attribution.BY_STAKEHOLDER_TYPE: _("By stakeholder type only (Chatham House Rule)"),
}
STATE = {
    SectionState.DRAFT: _("Draft"),
    SectionState.OPEN: _("Open for comments"),
    SectionState.IN_REVIEW: _("In review"),
    SectionState.FROZEN: _("Frozen for signature"),
    SectionState.RETURNED: _("Returned"),
    SectionState.SIGNED: _("Signed"),
}
TONE = {
    SectionState.DRAFT: "neutral",
    SectionState.OPEN: "accent",
    SectionState.IN_REVIEW: "warning",
    SectionState.FROZEN: "accent",
    SectionState.RETURNED: "danger",
    SectionState.SIGNED: "success",
}
# What comes next, as one sentence.
NEXT = {
    SectionState.DRAFT: _("Write the text, then open the section so that participants can comment."),
    SectionState.OPEN: _("Participants comment on the current revision. Close the comments when the time is over."),
    SectionState.IN_REVIEW: _("Answer the comments and change the text, then freeze it for signature."),
    SectionState.FROZEN: _("The focal points named for this section sign its current revision."),
    SectionState.RETURNED: _("A focal point returned the text. Change it, then freeze it again."),
    SectionState.SIGNED: _("Every focal point has signed. Nothing more is to be done here."),
}
PART = {
    "title": _("Title"),
    "narrative": _("Narrative"),
    "well_developed": _("Well-developed areas"),
    "potential": _("Areas with potential for further development"),
    "recommendations": _("Recommendations"),
}
FIELD = {
    "code": _("Code"),
    "dimension": _("Dimension"),
    "topic": _("Topic"),
    "question": _("Indicator"),
    "answer": _("Answer"),
    "finding": _("Finding"),
    "evidence": _("Evidence"),
    "link": _("Link"),
    "institution": _("Responding institution"),
    "sdgs": _("Sustainable Development Goals"),
    "gcm_objectives": _("Global Compact objectives"),
    "place": _("Order"),
}
ANSWER = {"absence": _("Absence"), "partial": _("Partial presence"), "complete": _("Complete presence")}
LANGUAGE = {"": "", "en": "English", "id": "Bahasa Indonesia"}
VERDICT = {"new": _("New"), "changed": _("Changed"), "unchanged": _("Unchanged"), "error": _("Error")}
VERDICT_TONE = {"new": "accent", "changed": "warning", "unchanged": "neutral", "error": "danger"}
SIGNATORY = {SignatoryRole.LEAD: _("Leads"), SignatoryRole.CO_SIGNING: _("Co-signs")}
SIGNING_ORDER = {
    SigningOrder.PARALLEL: _("side by side, whenever each is ready"),
    SigningOrder.IN_ORDER: _("one after the other, by the numbers below"),
}
ROLE = {
    Role.ORGANISER: _("Organiser"),
    Role.CHECK_IN: _("Check-in staff"),
    Role.FACILITATOR: _("Facilitator"),
    Role.RAPPORTEUR: _("Rapporteur"),
    Role.FOCAL_POINT: _("Focal point"),
    Role.OBSERVER: _("Observer"),
}
ROLE_HINT = {
    Role.ORGANISER: _("sets up, invites, runs and publishes"),
    Role.CHECK_IN: _("checks people in at the door"),
    Role.FACILITATOR: _("runs the session, records what was said"),
    Role.RAPPORTEUR: _("writes the section texts"),
    Role.FOCAL_POINT: _("answers comments and signs; needs a second factor"),
    Role.OBSERVER: _("reads"),
}
