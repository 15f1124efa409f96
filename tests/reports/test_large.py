"""Three hundred comments as nobody would write them, from the phone to the sealed report and every other form of it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import docx
import jsonschema
import python_calamine

from consult_app.accounts.models import User
from consult_app.comments import answers
from consult_app.comments.models import Comment, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.reports import files, seal
from consult_app.reports.models import Report, ReportState
from tests import factories
from tests.reports.steps import ask
from tests.reports.test_draft import words_of
from tests.signoff.steps import BY, freeze, name, sign

COUNT = 300
PARTS = (
    "<b>x", "</para><para>", '<img src="/etc/passwd"/>', "<a href='javascript:alert(1)'>y</a>", "<![CDATA[", "<!-- ", "&bogus; &#0; &lt;",
    "=1+1", "+62 812 0000", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1", "\x00\x07\x1b[31m", "\r\nSet-Cookie: a=b", "\x85\u2028",
    "مرحبا بالعالم", "\u202eevil\u202c", "\u200b\u200d\ufeff", "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467", "漢字かな",
    "ꦲꦏ꧀ꦱꦫ", "e\u0301\u0301\u0301" * 20, "\uffff\ufffe", "%s %(x)s {0} {{ 7*7 }} {% raw %}", "A" * 3_000, "word " * 600, "\\n\\x00 C:\\x",
    "'; DROP TABLE comments; --", "]]> <?xml ?>",
)  # fmt: skip


def text_of(place: int) -> bytes:
    """What the phone sends; every thirtieth carries bytes that are no UTF-8 (a lone surrogate, as some keyboards make)."""
    words = f"No {place}: {PARTS[place % len(PARTS)]} {PARTS[place * 7 % len(PARTS)]}".encode()
    return words + b" \xed\xa0\x80" if place % 30 == 0 else words


def test_every_form_of_the_report_is_built(
    app: Any, consultation: Consultation, organiser: User, browse: Any, sent: Any, audit_ok: None
) -> None:
    people = [factories.make_registration(factories.make_event(consultation), name=f"{PARTS[n]} {n}"[:100]) for n in range(6)]
    decider = factories.make_user(factories.Role.FOCAL_POINT, consultation, name="Retno <b>W")
    for section in consultation.sections:
        consultations.open_section(section, by=BY)
        name(section, decider)
    clients = [browse(person) for person in people]
    codes = [indicator.code for section in consultation.sections for indicator in section.dimension.indicators]
    for place in range(COUNT):
        field = {"kind": "evidence", "client_key": f"key-of-comment-{place:06d}", "proposed": text_of(place + 1)}
        address = f"/consultations/{consultation.slug}/indicators/{codes[place % len(codes)]}/comments"
        answer = clients[place % 6].post(address, data={**field, "text": text_of(place)})
        assert answer.status_code == 303, place
    for section in consultation.sections:
        consultations.start_review(section, by=BY)
    for place, comment in enumerate(db.session.scalars(db.select(Comment).order_by(Comment.id)).all()):
        answers.decide(comment, DispositionKind.NOT_ACCEPTED, f"{place}: {comment.text[:500]}", by=decider)
    for section in consultation.sections:
        freeze(section)
        sign(section, decider)
    db.session.commit()

    client = browse(organiser)
    for page in ("comments", "comment-matrix.csv", "comment-matrix.xlsx", "comment-matrix.docx", "report", f"indicators/{codes[0]}"):
        assert client.get(f"/consultations/{consultation.slug}/{page}").status_code == 200, page
    assert ask(client, consultation, "en+id").status_code == 303
    sent()
    report = db.session.scalars(db.select(Report)).one()
    assert (report.state, report.failure) == (ReportState.SEALED, "")
    document = (files.folder() / report.filename).read_bytes()
    assert seal.check(document, report.manifest["seal"]["certificate"]).is_valid
    words = words_of(document)
    assert "300 comments, 300 with a disposition." in words
    assert "No 299" in words
    assert "root:x:0" not in words

    anybody = browse()
    copies = {kind: anybody.get(f"/reports/{report.public_id}/report.{kind}").data for kind in ("docx", "xlsx", "csv", "json")}
    numbers = [f"No {place}:" for place in range(COUNT)]
    told = json.loads(copies["json"])
    jsonschema.validate(told, anybody.get("/schemas/report.json").json)
    assert [comment["text"].split(":")[0] + ":" for comment in sorted(told["comments"], key=lambda one: one["number"])] == numbers
    book = python_calamine.load_workbook(io.BytesIO(copies["xlsx"]))
    assert len(book.get_sheet_by_name("Comments").to_python()) == COUNT + 1
    with zipfile.ZipFile(io.BytesIO(copies["xlsx"])) as parts:
        assert not [part for part in parts.namelist() if part.startswith("xl/worksheets/sheet") and b"<f>" in parts.read(part)]
    with zipfile.ZipFile(io.BytesIO(copies["csv"])) as parts:
        rows = list(csv.reader(io.StringIO(parts.read("comments.csv").decode("utf-8-sig"))))
    assert len(rows) == COUNT + 1
    dangerous = [cell for row in rows for cell in row if cell[:1] in "=@\t\r" and cell]
    assert dangerous == []
    assert len(docx.Document(io.BytesIO(copies["docx"])).tables) > 0
