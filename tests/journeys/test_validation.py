"""The national demonstration from its open state to a validated, sealed report: every gate is seen closed before it opens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.journeys.conftest import Site, wait_for
from tests.journeys.people import Reader
from tests.journeys.seals import check_seal

NATIONAL = "/consultations/mgi-indonesia-2023"
ORGANISER, MOFA, MINISTRY, RAPPORTEUR = 0, 1, 3, 4  # the places on the demo's sign-in page
VALID, ALTERED = "Yes, this is the report as it was sealed", "No, this file is not as it was sealed"


class Desk:
    """Everybody of the national consultation, each signed in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.organiser, self.mofa, self.ministry, self.rapporteur = (
            Reader(site.url, place) for place in (ORGANISER, MOFA, MINISTRY, RAPPORTEUR)
        )

    def rows(self, query: str, *values: Any) -> list[Any]:
        with self.site.database() as database:
            return database.execute(query, values).fetchall()

    def advance(self, number: int, to: str, note: str = "") -> tuple[int, str]:
        return self.rapporteur.post(f"{NATIONAL}/sections/{number}/advance?lang=en", {"to": to, "note": note})

    def advanced(self, number: int, *steps: str) -> None:
        for to in steps:
            assert self.advance(number, to)[0] == 200, (number, to)

    def edit(self, path: str, field: str, words: str, answers: list[str] | None = None) -> None:
        """Add words to a text, and say which comments that answers."""
        path = f"{NATIONAL}/{path}/edit"
        given = self.rapporteur.form(path, "edit")
        given[field] = f"{given[field]} {words}".strip()
        status, page = self.rapporteur.post(path, {**given, "answers": answers or []})
        assert status == 200, page

    def sign(self, who: Reader, number: int, decision: str = "approve", text: str = "", code: str = "") -> tuple[int, str]:
        """Sign what the page shows, with the code that the demonstration shows."""
        path = f"{NATIONAL}/sections/{number}/sign?lang=en"
        page = who.get(path)
        with self.site.database() as database:  # a code counts once, and nobody here waits half a minute for the next
            database.execute("UPDATE users SET totp_last_step = 0")
        shown = re.search(r'name="shown_sha256"[^>]*value="(\w{64})"', page)
        sha256 = shown[1] if shown else self.rows(CURRENT, number)[0][0]
        found = re.search(r"your code is (\d{6})", page)
        place = re.search(r'name="place"[^>]*value="(\w+)"', page)
        data = {"decision": decision, "text": text, "shown_sha256": sha256, "place": place[1] if place else "own"}
        data["code"] = code or (found[1] if found else "000000")
        return who.post(path, data)

    def signed(self, number: int, *who: Reader) -> None:
        for one in who:
            status, page = self.sign(one, number)
            assert status == 200, page

    def missing(self) -> str:
        """What the report still lacks, as its page says and its refusal."""
        status, page = self.organiser.post(f"{NATIONAL}/report/request?lang=en", {"language": "en"})
        assert status == 409
        return page

    def waiting(self, number: int) -> list[str]:
        """The public ids of the accepted comments of a section that no revision carries."""
        query = """SELECT c.public_id FROM comments c JOIN dispositions d ON d.comment_id = c.id JOIN sections s ON s.id = c.section_id
            JOIN consultations k ON k.id = s.consultation_id WHERE k.slug = 'mgi-indonesia-2023' AND s.number = ?
            AND d.kind IN ('accepted', 'accepted_in_part') AND d.revision_id IS NULL ORDER BY c.id"""
        return [public_id for (public_id,) in self.rows(query, number)]

    def undecided(self, number: int) -> list[str]:
        query = """SELECT c.public_id FROM comments c JOIN sections s ON s.id = c.section_id
            JOIN consultations k ON k.id = s.consultation_id WHERE k.slug = 'mgi-indonesia-2023' AND s.number = ?
            AND c.withdrawn_at IS NULL AND c.id NOT IN (SELECT comment_id FROM dispositions) ORDER BY c.id"""
        return [public_id for (public_id,) in self.rows(query, number)]

    def answer(self, number: int) -> None:
        """Answer what has no answer: every third is accepted."""
        for place, public_id in enumerate(self.undecided(number)):
            answer = {"kind": "noted", "response": "It is known."} if place % 3 else {"kind": "accepted", "response": ""}
            assert self.mofa.post(f"{NATIONAL}/comments/{public_id}/decide", answer)[0] == 200


CURRENT = """SELECT r.sha256 FROM revisions r JOIN sections s ON s.id = r.section_id AND s.revision_number = r.number
    JOIN consultations k ON k.id = s.consultation_id WHERE k.slug = 'mgi-indonesia-2023' AND s.number = ?"""


def test_from_open_to_validated_and_sealed(own_demo_site: Site, tmp_path: Path) -> None:
    site, desk = own_demo_site, Desk(own_demo_site)
    both = (desk.mofa, desk.ministry)

    # the report cannot be sealed yet, and says why by name
    page = desk.missing()
    for words in ("Section 2", "has not signed", "Section 3", "returned it", "Section 6", "it has no revision yet"):
        assert words in page

    # 3, returned: it cannot be signed as it is, only as another text
    status, page = desk.sign(desk.ministry, 3)
    assert status == 409
    assert "The text of section 3 is not frozen for signature." in page
    desk.edit("sections/3", "narrative-en", "What was agreed in the room on partnerships with cities is now reflected.")
    desk.advanced(3, "freeze")
    assert "is now reflected" in desk.mofa.get(f"{NATIONAL}/sections/3/sign?lang=en")
    desk.signed(3, *both)

    # 2, signed by one: withdrawn with a reason, and signed again; a wrong code signs nothing
    withdraw = re.findall(rf"{NATIONAL}/sign-offs/\w+/withdraw", desk.ministry.get(f"{NATIONAL}/sign-off"))
    of_two = desk.rows(
        "SELECT public_id FROM sign_offs WHERE section_id = (SELECT s.id FROM sections s JOIN consultations k "
        "ON k.id = s.consultation_id WHERE k.slug = 'mgi-indonesia-2023' AND s.number = 2)"
    )[0][0]
    address = f"{NATIONAL}/sign-offs/{of_two}/withdraw"
    assert address in withdraw
    assert desk.ministry.post(address, {"reason": ""})[0] == 422
    assert desk.ministry.post(address, {"reason": "A figure has to be checked first."})[0] == 200
    assert "has withdrawn the signature" in desk.missing()
    assert desk.sign(desk.ministry, 2, code="000000")[0] == 422
    desk.signed(2, desk.ministry, desk.mofa)

    # 4, answered but not carried: the gate names the comments, and the revision that follows the linked change opens it
    desk.answer(4)
    accepted = desk.waiting(4)
    assert accepted
    desk.advanced(4, "freeze")
    status, page = desk.sign(desk.mofa, 4)
    assert status == 409
    assert "Accepted comments that name no revision with the change" in page
    desk.advanced(4, "reopen")
    desk.edit("sections/4", "narrative-en", "What was accepted is added.", accepted)
    desk.advanced(4, "freeze")
    assert desk.waiting(4) == []
    number = desk.rows("SELECT revision_number FROM sections s JOIN consultations k ON k.id = s.consultation_id "
                       "WHERE k.slug = 'mgi-indonesia-2023' AND s.number = 4")[0][0]  # fmt: skip
    page = desk.rapporteur.get(f"{NATIONAL}/sections/4/revisions/{number}?lang=en")
    assert "Comments that these changes answer" in page
    assert all(f"comment-{public_id}" in page for public_id in accepted)
    # a return in words takes it back into the hands of the editors
    assert desk.sign(desk.mofa, 4, "return")[0] == 422
    assert desk.sign(desk.mofa, 4, "return", "The last sentence says too little.")[0] == 200
    assert "returned it" in desk.missing()
    status, page = desk.sign(desk.ministry, 4)
    assert status == 409
    code = desk.rows("SELECT i.code FROM indicators i JOIN comments c ON c.indicator_id = i.id WHERE c.public_id = ?", accepted[0])[0][0]
    desk.edit(f"indicators/{code}", "finding-en", "It says more now.")
    desk.advanced(4, "freeze")
    desk.signed(4, *both)

    # 5, open: no text is frozen while people comment, none signed before each comment has its answer
    status, page = desk.advance(5, "freeze")
    assert status == 409
    assert "Close the comments first" in page
    desk.advanced(5, "in_review", "freeze")
    undecided = desk.undecided(5)
    assert undecided
    status, page = desk.sign(desk.ministry, 5)
    assert status == 409
    assert "Comments without a disposition" in page
    decide = f"{NATIONAL}/comments/{undecided[0]}/decide?lang=en"
    status, page = desk.mofa.post(decide, {"kind": "accepted", "response": ""})
    assert status == 409
    assert "Reopen it to change an answer" in page
    desk.advanced(5, "reopen")
    assert desk.mofa.post(decide, {"kind": "noted", "response": ""})[0] == 422
    desk.answer(5)
    desk.edit("sections/5", "narrative-en", "And so does this section.", desk.waiting(5))
    desk.advanced(5, "freeze")
    assert desk.waiting(5) == []
    desk.signed(5, *both)

    # 6, a draft: it goes the whole way
    status, page = desk.advance(6, "freeze")
    assert status == 409
    assert "was never open for comments" in page
    assert desk.advance(6, "in_review")[0] == 409
    desk.advanced(6, "open", "in_review", "freeze")
    desk.signed(6, *both)

    # 1, signed by all: a later revision of it makes its own signatures stale, and nobody else's
    desk.advanced(1, "reopen")
    desk.edit("sections/1", "narrative-en", "A figure is corrected.")
    desk.advanced(1, "freeze")
    page = desk.missing()
    assert "Section 1" in page
    assert page.count("signed an earlier revision") >= 2
    assert not re.search(r"Section [2-6],", page)
    desk.signed(1, desk.mofa)
    status, page = desk.sign(desk.ministry, 1, "reservation")
    assert status == 422  # in words, or not at all
    status, page = desk.sign(desk.ministry, 1, "reservation", "Our own figures follow in the coming year.")
    assert status == 200, page

    # validated: the worker seals it
    seen = desk.organiser.form(f"{NATIONAL}/report/seal?language=en", "seal")
    assert desk.organiser.post(f"{NATIONAL}/report/request?lang=en", seen)[0] == 200
    sealed = "SELECT r.public_id FROM reports r JOIN consultations k ON k.id = r.consultation_id WHERE k.slug = ? AND r.state = 'sealed'"
    public_id = wait_for(lambda: desk.rows(sealed, "mgi-indonesia-2023"), 60)[0][0]
    anybody = Reader(site.url, None)
    document = anybody.read(f"/reports/{public_id}/report.pdf")[1]
    assert "Our own figures follow in the coming year." in anybody.get(f"/reports/{public_id}?lang=en")
    _check_file(site, anybody, document, tmp_path)

    # the log: whole, until a signed row is changed behind it
    good = site.command("audit", "verify")
    assert good.returncode == 0, good.stderr
    with site.database() as database:
        database.execute("UPDATE sign_offs SET text = 'No reservation.' WHERE text LIKE 'Our own figures%'")
    bad = site.command("audit", "verify")
    assert bad.returncode == 1
    assert "SignOff" in bad.stderr
    assert "text" in bad.stderr


def _check_file(site: Site, anybody: Reader, document: bytes, folder: Path) -> None:
    """The sealed file by pyHanko, pdfsig, the page and the command; and what was changed in it by all of them."""
    check_seal(site, document, folder)
    flipped = bytearray(document)
    flipped[len(document) // 2] ^= 1
    for name, content, words in (
        ("report.pdf", document, VALID),
        ("flipped.pdf", bytes(flipped), ALTERED),
        ("appended.pdf", document + b"\n% more", ALTERED),
    ):
        assert words in anybody.post("/verify?lang=en", {}, {"file": content})[1], name
        (folder / name).write_bytes(content)
        assert site.command("verify", str(folder / name)).returncode == (0 if words == VALID else 1), name
