"""Both places where files lie: the folder, and a bucket in another process that checks each signature."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from consult_app import storage
from consult_app.comments.models import Attachment
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.errors import Unavailable
from consult_app.storage import Bucket, Folder
from tests import factories
from tests.comments.files import PDF

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY = "ab" * 20


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    server = [sys.executable, str(Path(__file__).with_name("s3_server.py")), "ap-southeast-3", "KEYID", SECRET]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Bucket(f"http://127.0.0.1:{port}/consult", "ap-southeast-3", "KEYID", SECRET)
        process.terminate()


def settings_of(bucket: Bucket) -> dict[str, Any]:
    return {"S3_URL": bucket.url, "S3_REGION": bucket.region, "S3_KEY": bucket.key_id, "S3_SECRET": bucket.secret}


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_put_get_delete(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    place: storage.Store = bucket if kind == "bucket" else Folder(tmp_path)
    assert place.get(KEY) is None
    for data in (b"", PDF, bytes(range(256)) * 4000):
        place.put(KEY, data)
        assert place.get(KEY) == data
    place.delete(KEY)
    place.delete(KEY)
    assert place.get(KEY) is None


def test_a_key_leads_nowhere_else(tmp_path: Path) -> None:
    for key in ("../../etc/passwd", "a", "AB" * 20, "ab" * 20 + "/x"):
        with pytest.raises(ValueError, match=r".*"):
            Folder(tmp_path).get(key)


def test_the_signatures_are_those_that_the_service_publishes() -> None:
    """Two examples of its documentation (Signature Version 4, header based): reading and writing an object."""
    example = Bucket("https://examplebucket.s3.amazonaws.com", "us-east-1", "AKIAIOSFODNN7EXAMPLE", SECRET)
    host, at = {"host": "examplebucket.s3.amazonaws.com"}, dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
    reading = example.signed("GET", "/test.txt", {**host, "range": "bytes=0-9"}, b"", at)
    assert reading["authorization"].endswith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    headers = {**host, "date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    writing = example.signed("PUT", "/test$file.text", headers, b"Welcome to Amazon S3.", at)
    assert writing["authorization"].endswith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")


def test_what_is_signed_wrong_or_not_there_is_told(bucket: Bucket) -> None:
    for wrong in (Bucket(bucket.url, bucket.region, "KEYID", "another"), Bucket("http://127.0.0.1:9/x", "r", "k", "s")):
        with pytest.raises(Unavailable):
            wrong.put(KEY, b"x")
        with pytest.raises(Unavailable):
            wrong.get(KEY)


def test_evidence_goes_into_the_bucket_and_comes_back(app: Flask, bucket: Bucket, browse: Any) -> None:
    app.config.update(settings_of(bucket))
    consultation = factories.make_consultation()
    consultations.open_section(consultation.sections[0], by=factories.BY)
    client = browse(factories.make_registration(factories.make_event(consultation)))
    form = {"client_key": "k1", "kind": "evidence", "text": "See it.", "files": [(io.BytesIO(PDF), "a.pdf")]}
    write = f"/consultations/{consultation.slug}/indicators/1.1/comments"
    assert client.post(write, data=form).status_code == 303
    file = db.session.scalars(db.select(Attachment)).one()
    assert bucket.get(file.key) == PDF
    assert not (app.config["VAR"] / "attachments").exists()
    here = f"/consultations/{consultation.slug}/comments/{file.comment.public_id}/evidence/1"
    assert client.get(here).data == PDF
    app.config["S3_SECRET"] = "another"
    assert client.get(here).status_code == 503
    again = client.post(write, data={**form, "client_key": "k2", "files": [(io.BytesIO(PDF), "a.pdf")]})
    assert again.status_code == 503
    assert "does not answer" in again.text
