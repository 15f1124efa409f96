"""Until when participants may send written comments on a section, before and after its sessions."""

from __future__ import annotations

import datetime as dt

from consult_app import audit
from consult_app.consultations.models import Section
from consult_app.db import now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor


@audit.in_turn
def set_deadline(section: Section, until: dt.datetime | None, *, by: Actor, everywhere: bool = False) -> list[Section]:
    """Give a section a deadline for written comments, or take it away; `everywhere` gives it to all that are open as well.

    The section itself stays open: staff go on recording what is said. Returns the sections that changed. Raises Conflict
    where the section stands for signature, Invalid where the moment has passed.
    """
    if section.is_frozen:
        raise Conflict(_("Section %(number)s is frozen for signature: nobody comments on it now.", number=section.number))
    if until is not None and until <= now():
        raise Invalid(_("This moment has passed. To end the comments now, close them."), field="comments_until")
    others = [s for s in section.consultation.sections if s.is_open and s is not section] if everywhere else []
    changed = [s for s in (section, *others) if s.comments_until != until]
    for one in changed:
        one.comments_until = until
        audit.record(by, "section.set_deadline", one)
    return changed
