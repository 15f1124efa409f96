"""The public pages: a sealed report, its download, and the verification of any file (product.md rules 21 and 24)."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
from typing import Any

import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from flask import Flask
from PIL import Image

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.outcomes.actions import newest_report
from consult_app.overview.thread import figures_of
from consult_app.policy import Role
from consult_app.reports import actions, files, seal
from consult_app.reports.commands import verify_command
from consult_app.reports.models import Report
from consult_app.reports.verify import Verdict, examine
from consult_app.signoff.actions import withdraw
from consult_app.signoff.models import SignOff
from tests import factories
from tests.reports.steps import ask
from tests.signoff.steps import rewrite, sign


@pytest.fixture
def report(validated: Consultation, organiser: User, sent: Any) -> Report:
    made = actions.request_report(validated, "en", by=organiser)
    sent()
    assert made.is_sealed
    return made


def file_of(report: Report) -> bytes:
    return (files.folder() / report.filename).read_bytes()


def give(client: Any, document: bytes, name: str = "report.pdf") -> Any:
    return client.post("/verify", data={"file": (io.BytesIO(document), name)}, content_type="multipart/form-data")


def test_rule_21_a_sealed_file_is_valid_and_says_who_signed(browse: Any, report: Report) -> None:
    answer = give(browse(), file_of(report))
    assert answer.status_code == 200
    assert "Yes, this is the report as it was sealed" in answer.text
    assert "Retno Wulandari" in answer.text
    assert "WIB" in answer.text


def test_rule_21_one_flipped_byte_is_found(app: Flask, report: Report) -> None:
    document = file_of(report)
    for at in [0, 10, len(document) - 2, *random.Random(7).sample(range(len(document)), 40)]:
        changed = bytearray(document)
        changed[at] ^= 0x20
        finding = examine(bytes(changed))
        assert finding.verdict is Verdict.ALTERED, at
        assert finding.report is not None
        assert str(at + 1) in str(finding.words[0])


def test_rule_21_appended_bytes_are_found(browse: Any, report: Report) -> None:
    document = file_of(report)
    found = seal.check(document + b"\n% more", report.manifest["seal"]["certificate"])
    assert (found.is_valid, found.is_intact) == (False, True)  # the signature alone still reads intact
    answer = give(browse(), document + b"\n% more")
    assert "No, this file is not as it was sealed" in answer.text
    assert "7 bytes were added after the seal." in answer.text


def test_a_file_that_ends_early_is_found(app: Flask, report: Report) -> None:
    finding = examine(file_of(report)[:-100])
    assert (finding.verdict, str(finding.words[0])) == (Verdict.ALTERED, "The file ends too early: 100 bytes are missing.")


@pytest.mark.parametrize(
    "garbage", [b"", b"x", b"%PDF-1.7\n", b"%PDF-1.4\n" + bytes(range(256)) * 50, b"PK\x03\x04", b"Report aaaaaaaaaaaa"]
)
def test_garbage_gets_a_clear_answer(browse: Any, report: Report, garbage: bytes) -> None:
    answer = give(browse(), garbage)
    assert answer.status_code == 200
    assert "This file is not a report sealed here" in answer.text


def test_no_file_is_422(browse: Any) -> None:
    assert browse().post("/verify", data={}).status_code == 422
    assert browse().get("/verify").status_code == 200


def replace_key(app: Flask) -> None:
    """What an administrator does whose certificate has run out: other files in the place of the two."""
    for file in ("seal.key", "seal.crt"):
        (app.config["VAR"] / "keys" / file).unlink()
    seal.make_key()


def test_a_seal_by_another_key_is_not_ours(app: Flask, report: Report) -> None:
    """Whoever changes what is recorded of a report cannot make another file verify: the log has its SHA-256."""
    replace_key(app)
    forged = seal.seal(actions.draft(report.consultation, "pdf", "en"), "Report")
    assert not seal.check(forged, report.manifest["seal"]["certificate"]).is_ours
    report.sha256 = seal.sha256(forged)
    report.manifest = {**report.manifest, "seal": {**report.manifest["seal"], "certificate": seal.fingerprint()}}
    db.session.flush()
    assert seal.check(forged, report.manifest["seal"]["certificate"]).is_valid
    assert examine(forged).verdict is Verdict.ALTERED


def test_rule_24_a_file_as_sealed_is_told_so_after_the_certificate_was_replaced(app: Flask, browse: Any, report: Report) -> None:
    document, old = file_of(report), browse().get(f"/reports/{report.public_id}/seal.crt")
    replace_key(app)
    assert "Yes, this is the report as it was sealed" in give(browse(), document).text
    assert browse().get(f"/reports/{report.public_id}/seal.crt").data == old.data
    assert browse().get("/seal.crt").data != old.data


def test_verifying_makes_no_key(app: Flask, browse: Any, report: Report, validated: Consultation) -> None:
    folder = app.config["VAR"] / "keys"
    document = file_of(report)
    for file in ("seal.key", "seal.crt"):
        (folder / file).unlink()
    assert "Yes, this is the report as it was sealed" in give(browse(), document).text
    assert examine(document).verdict is Verdict.VALID
    for path in ("/verify", f"/reports/{report.public_id}", f"/reports/{report.public_id}/seal.crt"):
        assert browse().get(path).status_code == 200, path
    assert browse().get("/seal.crt").status_code == 404
    assert not [path.name for path in folder.iterdir() if path.name.startswith("seal")]


def test_the_page_offers_the_certificate_and_says_what_a_reader_will_say(app: Flask, browse: Any, report: Report) -> None:
    page = browse().get(f"/reports/{report.public_id}").text
    assert "the identity of who sealed it is unknown" in page
    assert f"/reports/{report.public_id}/seal.crt" in page
    found = x509.load_pem_x509_certificate(browse().get(f"/reports/{report.public_id}/seal.crt").data)
    assert found.fingerprint(hashes.SHA256()).hex() == report.manifest["seal"]["certificate"]
    assert "/seal.crt" in browse().get("/verify").text


def test_every_file_that_is_published_is_known_and_told_what_it_is(app: Flask, browse: Any, report: Report, tmp_path: Any) -> None:
    for kind, words in (("docx", "It is the DOCX that"), ("xlsx", "It is the XLSX"), ("csv", "CSV (ZIP)"), ("json", "It is the JSON")):
        data = browse().get(f"/reports/{report.public_id}/report.{kind}").data
        answer = give(browse(), data, f"report.{kind}")
        assert "Yes, this file was published with a sealed report, and is unchanged" in answer.text, kind
        assert words in answer.text
        assert "It carries no seal" in answer.text
        assert examine(data + b" ").verdict is Verdict.UNKNOWN
        file = tmp_path / f"report.{kind}"
        file.write_bytes(data)
        told = app.test_cli_runner().invoke(verify_command, [str(file)])
        assert (told.exit_code, words in told.output, report.public_id in told.output) == (0, True, True)
    with zipfile.ZipFile(io.BytesIO(browse().get(f"/reports/{report.public_id}/report.csv").data)) as archive:
        for name in archive.namelist():
            assert name in give(browse(), archive.read(name), name).text
    subprocess.run(["pdfdetach", "-savefile", "checkpoint.json", "-o", tmp_path / "c.json", files.folder() / report.filename], check=True)
    assert "It is checkpoint.json" in give(browse(), (tmp_path / "c.json").read_bytes(), "c.json").text


def test_rule_27_a_withdrawn_report_is_said_to_be_everywhere(
    app: Flask, browse: Any, report: Report, validated: Consultation, organiser: User, last_entry: Any, audit_ok: None, tmp_path: Any
) -> None:
    client, url = browse(organiser), f"/consultations/{validated.slug}/reports/{report.public_id}/withdraw"
    assert client.get(url).status_code == 200
    assert client.post(url, data={"reason": "  "}).status_code == 422
    assert client.post(url, data={"reason": "A table had <b>wrong</b> numbers."}).status_code == 303
    assert last_entry("report.withdraw").actor == organiser.actor_key
    assert client.post(url, data={"reason": "Again"}).status_code == 409
    told = "A table had &lt;b&gt;wrong&lt;/b&gt; numbers."
    page = browse().get(f"/reports/{report.public_id}").text
    assert ("This report was withdrawn" in page, told in page) == (True, True)
    for kind in ("pdf", "json"):
        data = browse().get(f"/reports/{report.public_id}/report.{kind}").data
        answer = give(browse(), data, kind)
        assert ("was withdrawn</h1>" in answer.text, told in answer.text) == (True, True)
    (tmp_path / "r.pdf").write_bytes(file_of(report))
    shown = app.test_cli_runner().invoke(verify_command, [str(tmp_path / "r.pdf")]).output
    assert ("was withdrawn" in shown, "wrong</b> numbers" in shown) == (True, True)
    assert newest_report(validated) is None
    assert figures_of([validated])[validated.id].is_sealed is False
    assert ask(client, validated).status_code == 303  # the same revisions can be sealed again now


def test_rule_27_a_withdrawn_report_supersedes_nothing(
    app: Flask, report: Report, validated: Consultation, organiser: User, focal_point: User, sent: Any
) -> None:
    rewrite(validated.sections[0], "A better text.")
    sign(validated.sections[0], focal_point)
    later = actions.request_report(validated, "en", by=organiser)
    sent()
    assert examine(file_of(report)).verdict is Verdict.SUPERSEDED
    actions.withdraw_report(later, "The better text was the worse.", by=organiser)
    assert examine(file_of(report)).verdict is Verdict.VALID


def test_who_may_withdraw_a_report(browse: Any, report: Report, validated: Consultation, focal_point: User) -> None:
    url = f"/consultations/{validated.slug}/reports/{report.public_id}/withdraw"
    for role in (Role.OBSERVER, Role.RAPPORTEUR):
        assert browse(factories.make_user(role, validated)).post(url, data={"reason": "x"}).status_code == 403
    assert browse(focal_point).post(url, data={"reason": "x"}).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(url, data={"reason": "x"}).status_code == 404
    assert not report.is_withdrawn


def test_rule_21_a_later_report_supersedes_the_earlier(
    browse: Any, report: Report, validated: Consultation, organiser: User, focal_point: User, sent: Any
) -> None:
    section = validated.sections[0]
    rewrite(section, "A better text.")
    sign(section, focal_point)
    later = actions.request_report(validated, "id", by=organiser)
    sent()
    assert later.is_sealed
    finding = examine(file_of(report))
    assert (finding.verdict, finding.later) == (Verdict.SUPERSEDED, later)
    page = browse().get(f"/reports/{report.public_id}").text
    assert "A later report has taken its place" in page
    assert f"/reports/{later.public_id}" in page


def test_the_same_report_in_another_language_supersedes_nothing(
    app: Flask, report: Report, validated: Consultation, organiser: User, sent: Any
) -> None:
    actions.request_report(validated, "id", by=organiser)
    sent()
    assert examine(file_of(report)).verdict is Verdict.VALID


def test_the_public_page_and_download_are_for_everybody(browse: Any, report: Report) -> None:
    page = browse().get(f"/reports/{report.public_id}")
    assert page.status_code == 200
    assert report.sha256 is not None
    assert f"<span>{report.sha256[:4]}</span>" in page.text
    download = browse().get(f"/reports/{report.public_id}/report.pdf")
    assert download.data == file_of(report)
    assert browse().get("/reports/aaaaaaaaaaaa").status_code == 404


def test_a_report_that_is_not_sealed_is_404(browse: Any, validated: Consultation, organiser: User) -> None:
    waiting = actions.request_report(validated, "en", by=organiser)
    assert browse(organiser).get(f"/reports/{waiting.public_id}").status_code == 404
    assert browse(organiser).get(f"/reports/{waiting.public_id}/report.pdf").status_code == 404


def test_a_file_changed_on_the_server_is_not_handed_out(browse: Any, report: Report) -> None:
    path = files.folder() / report.filename
    path.write_bytes(path.read_bytes() + b"x")
    assert browse().get(f"/reports/{report.public_id}/report.pdf").status_code == 404


def test_a_signature_withdrawn_after_the_seal_is_told(browse: Any, report: Report, focal_point: User) -> None:
    sign_off = db.session.scalars(db.select(SignOff)).first()
    assert sign_off is not None
    withdraw(sign_off, "New data.", by=focal_point)
    assert "Withdrawn after the seal" in browse().get(f"/reports/{report.public_id}").text
    assert examine(file_of(report)).verdict is Verdict.VALID


def test_nothing_that_is_sent_is_stored(app: Flask, browse: Any, report: Report) -> None:
    before = sorted(app.config["VAR"].rglob("*.pdf"))
    give(browse(), file_of(report) + b"x")
    assert sorted(app.config["VAR"].rglob("*.pdf")) == before


def test_the_command(app: Flask, report: Report, tmp_path: Any) -> None:
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(file_of(report))
    bad.write_bytes(file_of(report) + b"x")
    runner = app.test_cli_runner()
    answer = runner.invoke(verify_command, [str(good)])
    assert (answer.exit_code, answer.output.splitlines()[0]) == (0, "Yes, this is the report as it was sealed.")
    answer = runner.invoke(verify_command, [str(bad)])
    assert answer.exit_code == 1
    assert "1 bytes were added after the seal." in answer.output


def test_the_qr_leads_to_the_public_page(app: Flask, report: Report, tmp_path: Any) -> None:
    file = files.folder() / report.filename
    subprocess.run(["pdftoppm", "-r", "80", "-png", str(file), str(tmp_path / "p")], check=True)
    last = sorted(tmp_path.glob("p-*.png"))[-1]
    (code,) = zxingcpp.read_barcodes(Image.open(last))
    assert code.text == f"http://127.0.0.1:8000/reports/{report.public_id}"


def test_rule_24_the_pages_claim_only_what_was_recorded(browse: Any, report: Report) -> None:
    for page in (browse().get(f"/reports/{report.public_id}").text, give(browse(), file_of(report)).text):
        assert "uncertified electronic signature" in page
        for claim in ("non-repudiation", "legally", "verified identity", "guarantee", "qualified"):
            assert claim not in page
