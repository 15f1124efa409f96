"""Minutes (notula), prefilled from the register and the agenda; what was said is left to be written."""

from __future__ import annotations

from collections.abc import Sequence

from consult_app.attendance.queries import participation
from consult_app.documents import queries
from consult_app.documents.lists import basis_words
from consult_app.documents.models import Letterhead
from consult_app.documents.word import Paper
from consult_app.events.models import Event, SessionKind
from consult_app.i18n import clock, day, days, gettext, local, ngettext
from consult_app.invitations.queries import counts as invitation_counts
from consult_app.registrations.models import ParticipantRole, Registration
from consult_app.registrations.queries import counts

FOLLOW_UPS = 6
BLANK = "………………………………"


def minutes(event: Event, letterhead: Letterhead) -> bytes:
    """A DOCX in the reader's language."""
    title = gettext("Minutes")
    paper = Paper(f"{title} – {local(event.title)}", queries.heading(event, letterhead))
    paper.title(title, [local(event.title)])
    basis = queries.basis_of(event)
    people = queries.people_of(event, basis)
    paper.facts(
        [
            (gettext("Date"), days(event.starts_on, event.ends_on)),
            (gettext("Time"), f"{clock(event.starts, event.timezone)} – {clock(event.ends, event.timezone)}"),
            (gettext("Place"), place_of(event) or BLANK),
            (gettext("Chair"), _named(people, ParticipantRole.MODERATOR)),
            (gettext("Note-taker"), _named(people, ParticipantRole.RAPPORTEUR)),
        ]
    )
    participants(paper, event, people, basis)
    _agenda(paper, event)
    for words, lines in ((gettext("Decisions"), 6),):
        paper.heading(words)
        paper.blanks(lines)
    paper.heading(gettext("Follow-up"))
    header = [gettext("No."), gettext("Action"), gettext("Owner"), gettext("Deadline")]
    paper.table(header, [[n, "", "", ""] for n in range(1, FOLLOW_UPS + 1)], (12, 78, 40, 30))
    paper.heading(gettext("Signatures"))
    sign = ["", "", "", gettext("Name: %(line)s", line=BLANK), gettext("Position: %(line)s", line=BLANK)]
    paper.signatures([[gettext("Chair"), *sign], [gettext("Note-taker"), *sign]])
    return paper.bytes()


def place_of(event: Event) -> str:
    return ", ".join(part for part in (event.venue, event.address) if part)


def _named(people: Sequence[Registration], role: ParticipantRole) -> str:
    """Who has that role in the register, or a line to write on."""
    return "; ".join(f"{p.full_name} ({local(p.institution.name)})" for p in people if p.role is role) or BLANK


def participants(paper: Paper, event: Event, people: Sequence[Registration], basis: str) -> None:
    """By institution, with numbers from the register; which number it is, is said."""
    table = participation(event, basis)
    total = table.total
    paper.heading(gettext("Participants"))
    paper.line(basis_words(basis))
    paper.line(
        gettext(
            "%(people)s people from %(institutions)s institutions: %(women)s women, %(men)s men, %(other)s other or undisclosed.",
            people=total.total,
            institutions=total.institutions,
            women=total.women,
            men=total.men,
            other=total.other,
        )
    )
    registered, invited = counts(event).registered, invitation_counts(event).invited
    paper.line(gettext("Invited: %(invited)s. Registered: %(registered)s.", invited=invited, registered=registered), muted=True)
    groups: dict[int, list[Registration]] = {}
    for person in people:
        groups.setdefault(person.institution_id, []).append(person)
    rows = [
        [n, local(g[0].institution.name), local(g[0].stakeholder_type.name), len(g), "\n".join(p.full_name for p in g)]
        for n, g in enumerate(groups.values(), start=1)
    ]
    header = [gettext("No."), gettext("Institution"), gettext("Stakeholder type"), gettext("People"), gettext("Names")]
    paper.table(header, rows, (12, 50, 32, 17, 49))


def _agenda(paper: Paper, event: Event) -> None:
    """Each session with room for what was said."""
    paper.heading(gettext("Agenda and proceedings"))
    sessions = list(event.sessions)
    if not sessions:
        paper.line(gettext("The agenda is not in the register."), muted=True)
        paper.blanks(6)
    shown = None
    for session in sessions:
        if len(event.days) > 1 and session.day != shown:
            shown = session.day
            paper.line(day(session.day), bold=True)
        when = f"{session.starts_at:%H:%M}–{session.ends_at:%H:%M}"
        speaker = f" ({session.speaker})" if session.speaker else ""
        paper.line(f"{when}  {local(session.title)}{speaker}", bold=True)
        if session.kind is not SessionKind.BREAK:
            paper.blanks(2)
    if sessions:
        words = ngettext("%(num)d item on the agenda.", "%(num)d items on the agenda.", len(sessions))
        paper.line(words, muted=True)
