"""The public pages: a sealed report, its download, and the verification of any file (product.md rules 21 and 24)."""

from __future__ import annotations

import io
import random
import subprocess
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.reports import actions, files, seal
from consult_app.reports.commands import verify_command
from consult_app.reports.models import Report
from consult_app.reports.verify import Verdict, examine
from consult_app.signoff.actions import withdraw
from consult_app.signoff.models import SignOff
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
    assert not seal.check(document + b"\n% more").is_valid  # the signature alone still reads intact
    assert seal.check(document + b"\n% more").is_intact
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


def test_a_seal_by_another_key_is_not_ours(app: Flask, report: Report) -> None:
    """Somebody with the database but without the key cannot make a file that verifies."""
    document = file_of(report)
    folder = app.config["VAR"] / "keys"
    for file in ("seal.key", "seal.crt"):
        (folder / file).rename(folder / f"{file}.old")
    forged = seal.seal(actions.draft(report.consultation, "pdf", "en"), "Report")
    assert not seal.check(document).is_ours
    for file in ("seal.key", "seal.crt"):
        (folder / f"{file}.old").rename(folder / file)
    report.sha256 = seal.sha256(forged)
    assert examine(forged).verdict is Verdict.ALTERED


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
