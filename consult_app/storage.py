"""Where uploaded files lie: a folder outside the web root, or S3-compatible storage where `CONSULT_S3_URL` names a bucket.

A file is there as a whole or not at all, under a random key that tells nothing of it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import http.client
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from .errors import Unavailable
from .i18n import _
from .settings import setting

SECONDS = 20  # for one answer of the storage


class Store(Protocol):
    """Both ways alike; each raises Unavailable where the storage does not answer."""

    def put(self, key: str, data: bytes) -> None: ...

    def get(self, key: str) -> bytes | None:
        """The content, or None where there is none."""

    def delete(self, key: str) -> None:
        """Also where there is none."""


def new_key() -> str:
    return secrets.token_hex(20)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either there as a whole or not at all, also after a power loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.part")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@dataclass(frozen=True)
class Folder:
    """Files in a folder of this machine."""

    path: Path

    def _place(self, key: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{40}", key):
            raise ValueError(key)
        return self.path / key[:2] / key

    def put(self, key: str, data: bytes) -> None:
        try:
            write_whole(self._place(key), data)
        except OSError as problem:
            raise Unavailable(NOT_NOW) from problem

    def get(self, key: str) -> bytes | None:
        place = self._place(key)
        return place.read_bytes() if place.is_file() else None

    def delete(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._place(key).unlink()

    def keys(self, older_than: dt.datetime) -> list[str]:
        """What was put here before a moment."""
        files = (file for file in self.path.glob("??/*") if file.stat().st_mtime < older_than.timestamp())
        return [file.name for file in files if re.fullmatch(r"[0-9a-f]{40}", file.name)]


@dataclass(frozen=True)
class Bucket:
    """A bucket of S3-compatible storage, addressed by its path; requests are signed (AWS Signature Version 4)."""

    url: str
    region: str
    key_id: str
    secret: str

    def put(self, key: str, data: bytes) -> None:
        self._ask("PUT", key, data, (200, 201, 204))

    def get(self, key: str) -> bytes | None:
        status, body = self._ask("GET", key, b"", (200, 404))
        return body if status == 200 else None

    def delete(self, key: str) -> None:
        self._ask("DELETE", key, b"", (200, 204, 404))

    def _ask(self, method: str, key: str, data: bytes, good: tuple[int, ...]) -> tuple[int, bytes]:
        address = urlsplit(f"{self.url.rstrip('/')}/{key}")
        make = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = make(address.netloc, timeout=SECONDS)
        try:
            headers = self.signed(method, address.path, {"host": address.netloc}, data, dt.datetime.now(dt.UTC))
            connection.request(method, address.path, data or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Unavailable(NOT_NOW) from problem
        finally:
            connection.close()
        if answer.status not in good:
            raise Unavailable(NOT_NOW)
        return answer.status, body

    def signed(self, method: str, path: str, headers: Mapping[str, str], data: bytes, at: dt.datetime) -> dict[str, str]:
        """The headers with those that sign the request; `headers` are in small letters, `host` among them."""
        digest, moment = hashlib.sha256(data).hexdigest(), f"{at:%Y%m%dT%H%M%SZ}"
        all_headers = {**headers, "x-amz-content-sha256": digest, "x-amz-date": moment}
        names = ";".join(sorted(all_headers))
        lines = [f"{name}:{all_headers[name].strip()}" for name in sorted(all_headers)]
        canonical = "\n".join([method, quote(unquote(path), safe="/-_.~"), "", *lines, "", names, digest])
        scope = f"{at:%Y%m%d}/{self.region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        credential = f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope},SignedHeaders={names},Signature={signature}"
        return {**all_headers, "authorization": credential}


NOT_NOW = _("The place where files are kept does not answer. Nothing was saved: try again in a few minutes, or without the file.")


def store() -> Store:
    """The place that the settings name."""
    if url := setting("S3_URL"):
        return Bucket(url, setting("S3_REGION"), setting("S3_KEY"), setting("S3_SECRET"))
    return Folder(Path(setting("VAR")) / "attachments")
