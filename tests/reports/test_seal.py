"""The seal: its key, and the authority that confirms its time (product.md rule 21)."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys, tsp, x509
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from flask import Flask
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from consult_app import audit, checkpoints
from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.db import db, now
from consult_app.reports import actions, files, seal
from consult_app.reports.models import Report, ReportState
from tests.reports.steps import ask


def newest() -> Report:
    return db.session.scalars(db.select(Report).order_by(Report.id.desc())).first()  # type: ignore[return-value]


def key_folder(app: Flask) -> Path:
    return Path(app.config["VAR"]) / "keys"


def sealed(consultation: Consultation, organiser: User, sent: Any) -> Report:
    actions.request_report(consultation, "en", by=organiser)
    sent()
    return newest()


@pytest.fixture
def authority() -> Iterator[str]:
    """A timestamp authority that answers over HTTP (RFC 3161), in a thread of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = certificates.Name([certificates.NameAttribute(NameOID.COMMON_NAME, "Timestamps of the tests")])
    made = (
        certificates.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now().replace(year=2020)).not_valid_after(now().replace(year=2040))
        .add_extension(certificates.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    stamper = DummyTimeStamper(
        x509.Certificate.load(made.public_bytes(serialization.Encoding.DER)), keys.PrivateKeyInfo.load(der), include_nonce=False
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            body = stamper.request_tsa_response(asked).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/tsa"
    server.shutdown()
    server.server_close()


def test_rule_21_a_timestamp_authority_confirms_the_time(
    app: Flask, validated: Consultation, organiser: User, sent: Any, authority: str, browse: Any
) -> None:
    app.config["TIMESTAMP_URL"] = authority
    report = sealed(validated, organiser, sent)
    assert report.is_sealed, report.failure
    document = files.kept(report)
    assert document is not None
    found = seal.check(document, newest().manifest["seal"]["certificate"])
    assert found.is_valid
    assert found.stamped_at is not None
    assert abs((found.stamped_at - now()).total_seconds()) < 60
    assert report.manifest["seal"]["level"] == "PAdES B-T"
    page = browse().get(f"/reports/{report.public_id}").text
    assert "PAdES B-T" in page
    assert "timestamp authority at 127.0.0.1" in page


def test_an_authority_that_does_not_answer_leaves_nothing_sealed(
    app: Flask, validated: Consultation, organiser: User, sent: Any, audit_ok: None
) -> None:
    app.config["TIMESTAMP_URL"] = "http://127.0.0.1:9/tsa"
    report = sealed(validated, organiser, sent)
    assert report.state is ReportState.FAILED
    assert "timestamp authority gave no valid answer" in report.failure
    assert not list(files.folder().glob("*.pdf"))


def test_without_an_authority_it_says_so(app: Flask, validated: Consultation, organiser: User, sent: Any, browse: Any) -> None:
    report = sealed(validated, organiser, sent)
    assert report.manifest["seal"]["level"] == "PAdES B-B"
    assert "no timestamp authority was asked" in browse().get(f"/reports/{report.public_id}").text


@pytest.mark.parametrize("lost", [("seal.key",), ("seal.crt",), ("seal.key", "seal.crt")])
def test_a_lost_key_is_never_replaced_by_another(
    app: Flask, validated: Consultation, organiser: User, sent: Any, browse: Any, audit_ok: None, lost: tuple[str, ...]
) -> None:
    first = sealed(validated, organiser, sent)
    assert first.is_sealed
    for name in lost:
        (key_folder(app) / name).unlink()
    answer = ask(browse(organiser), validated, "id")
    assert answer.status_code == 409
    assert "The key of the seal is not in its place" in answer.text
    assert newest().id == first.id
    assert not any((key_folder(app) / name).exists() for name in lost)
    assert browse().get(f"/reports/{first.public_id}").status_code == 200


def test_an_unreadable_key_is_refused(app: Flask, validated: Consultation, organiser: User, sent: Any, browse: Any) -> None:
    assert sealed(validated, organiser, sent).is_sealed
    (key_folder(app) / "seal.key").write_text("not a key")
    answer = ask(browse(organiser), validated, "id")
    assert answer.status_code == 409
    assert "cannot be read" in answer.text


def test_a_key_that_goes_while_the_job_waits_fails_in_words(
    app: Flask, validated: Consultation, organiser: User, sent: Any, audit_ok: None
) -> None:
    assert sealed(validated, organiser, sent).is_sealed
    actions.request_report(validated, "id", by=organiser)
    (key_folder(app) / "seal.key").unlink()
    sent()
    assert newest().state is ReportState.FAILED
    assert "tidak ada yang disegel" in newest().failure


def test_rule_20_the_sealed_file_encloses_a_checkpoint_of_the_log(
    app: Flask, validated: Consultation, organiser: User, sent: Any, tmp_path: Path
) -> None:
    report = sealed(validated, organiser, sent)
    file = files.folder() / report.filename
    subprocess.run(["pdfdetach", "-savefile", "checkpoint.json", "-o", tmp_path / "checkpoint.json", file], check=True)
    found = checkpoints.check((tmp_path / "checkpoint.json").read_text(), checkpoints.public_key())
    log = report.manifest["log"]
    assert (found.chain, found.number, found.hash) == (log["chain"], log["number"], log["hash"])
    assert list(checkpoints.faults(found)) == []
    entry = audit.AuditEntry
    db.session.execute(db.delete(entry).where(entry.chain == found.chain, entry.number >= found.number))
    assert [fault.number for fault in checkpoints.faults(found)] == [found.number]


def test_without_the_key_of_checkpoints_nothing_is_sealed(
    app: Flask, validated: Consultation, organiser: User, sent: Any, audit_ok: None
) -> None:
    (key_folder(app) / "checkpoint.key").unlink()
    report = sealed(validated, organiser, sent)
    assert report.state is ReportState.FAILED
    assert "Nothing was sealed" in report.failure
    assert not list(files.folder().glob("*.pdf"))
