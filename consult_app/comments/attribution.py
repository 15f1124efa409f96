"""Who is shown as the author of a comment, to whom (product.md rule 11).

Organisers, facilitators and rapporteurs see who spoke, since they have to work with it. Everyone else sees what the
consultation's rule says; under the Chatham House Rule that is the stakeholder type alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from consult_app.comments.models import Comment
from consult_app.consultations.models import Attribution
from consult_app.i18n import local
from consult_app.policy import Role

KNOW = frozenset({Role.ORGANISER, Role.FACILITATOR, Role.RAPPORTEUR, Role.SYSTEM})


@dataclass(frozen=True)
class Byline:
    """What is shown: an empty name or institution is not to be told."""

    name: str
    institution: str
    stakeholder_type: str
    recorded_by: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.institution, self.stakeholder_type) if part)


def byline(comment: Comment, roles: frozenset[Role]) -> Byline:
    """The author of a comment as somebody with these roles may see them."""
    author, rule = comment.registration, comment.section.consultation.attribution
    kind = local(author.stakeholder_type.name)
    recorded_by = comment.recorded_by.name if comment.recorded_by else ""
    if roles & KNOW:
        return Byline(author.full_name, local(author.institution.name), kind, recorded_by)
    if rule is Attribution.BY_STAKEHOLDER_TYPE:
        return Byline("", "", kind)
    if rule is Attribution.BY_INSTITUTION:
        return Byline("", local(author.institution.name), kind, recorded_by)
    return Byline(author.full_name, local(author.institution.name), kind, recorded_by)


def must_suppress(attribution: Attribution, roles: frozenset[Role]) -> bool:
    """Whether cells of fewer than three are hidden from somebody with these roles."""
    return attribution is Attribution.BY_STAKEHOLDER_TYPE and not roles & KNOW
