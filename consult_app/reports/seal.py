"""The seal: one PAdES signature (baseline B-B) with the site's own key, and its check (product.md rule 21).

The key and its self-signed certificate are made once under `var/keys/`, when the site's first seal is asked for. Where a timestamp
authority is configured it confirms the time (B-T); else the time is this server's. The page and the last page of the report say which.
A seal is checked with the certificate that made it, which is in the file and whose SHA-256 was recorded: the key is not asked for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import current_app

from consult_app.db import now
from consult_app.errors import Conflict, Missing
from consult_app.i18n import _

if TYPE_CHECKING:
    from consult_app.reports import pades

FIELD = "Seal"
MISSING = _("The key of the seal is not in its place. Restore seal.key and seal.crt from the backup of the keys; nothing was sealed.")
UNREADABLE = _("The key of the seal cannot be read. Tell the administrator; nothing was sealed.")
YEARS = 10


@dataclass(frozen=True)
class SealCheck:
    """What the seal of a file says: intact, made with the certificate that was recorded, and over the whole file."""

    is_intact: bool
    is_ours: bool
    covers_all: bool
    stamped_at: dt.datetime | None = None  # as a timestamp authority says; who that is, is not judged here

    @property
    def is_valid(self) -> bool:
        return self.is_intact and self.is_ours and self.covers_all


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes, made now if there is none; of two processes that start at once the first one's hold."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(make())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _new_certificate(key_pem: bytes) -> bytes:
    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{current_app.config['SITE_NAME']} seal"[:64])])
    uses = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - dt.timedelta(minutes=5))
        .not_valid_after(now() + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # verifiers ask for this bit; what it is called in X.509 is no claim of ours (rule 24)
        .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _paths() -> tuple[Path, Path]:
    folder = Path(current_app.config["VAR"]) / "keys"
    return folder / "seal.key", folder / "seal.crt"


def _pades() -> Any:
    return import_module("consult_app.reports.pades")


def has_key() -> bool:
    """Whether key and certificate are in their place."""
    return all(path.exists() for path in _paths())


@lru_cache(
    maxsize=1
)  # a key that is read has its primes tested, which takes a tenth of a second: once is enough while the files are the same
def _loaded(key: Path, certificate: Path, *_contents: bytes) -> pades.signers.SimpleSigner | None:
    signer: pades.signers.SimpleSigner | None = _pades().signers.SimpleSigner.load(str(key), str(certificate))
    return signer


def make_key() -> None:
    """Make the key and its certificate where there is neither: for a site that has sealed nothing yet."""
    key, certificate = _paths()
    if not key.exists() and not certificate.exists():
        private = _kept(key, _new_key)
        _kept(certificate, lambda: _new_certificate(private))


def _signer() -> pades.signers.SimpleSigner:
    """Raises Conflict where the key or its certificate is gone or cannot be read; none is made here."""
    key, certificate = _paths()
    if not has_key():
        raise Conflict(MISSING)
    try:
        signer = _loaded(key, certificate, key.read_bytes(), certificate.read_bytes())
    except (OSError, ValueError) as problem:
        raise Conflict(UNREADABLE) from problem
    if signer is None:  # pyHanko has logged why
        raise Conflict(UNREADABLE)
    return signer


def certificate() -> x509.Certificate:
    """The certificate that our seals are made with. Raises Conflict where there is none that can be read."""
    signer = _signer()
    assert signer.signing_cert is not None
    return x509.load_der_x509_certificate(signer.signing_cert.dump())


def certificate_pem() -> bytes:
    """The same as a file. Raises Conflict as `certificate`."""
    return certificate().public_bytes(serialization.Encoding.PEM)


def fingerprint() -> str:
    """The SHA-256 of the certificate, in hexadecimal: what a reader compares with another copy of it."""
    return certificate().fingerprint(hashes.SHA256()).hex()


def seal(document: bytes, reason: str, enclosed: Mapping[str, bytes] | None = None) -> bytes:
    """The document, with the JSON files that are `enclosed` in it, under one PAdES signature over all of it; any later change is found."""
    names = _pades()
    metadata = names.signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=names.fields.SigSeedSubFilter.PADES,
        name=f"{current_app.config['SITE_NAME']} seal",
        reason=reason,
        certify=True,
        docmdp_permissions=names.fields.MDPPerm.NO_CHANGES,
    )
    output = io.BytesIO()
    url = current_app.config["TIMESTAMP_URL"]
    stamper = names.RequestsHTTPTimeStamper(url, timeout=20) if url else None
    try:
        signer = names.signers.PdfSigner(metadata, _signer(), timestamper=stamper)
        writer = names.IncrementalPdfFileWriter(io.BytesIO(document))
        for name, data in (enclosed or {}).items():
            file = names.embed.EmbeddedFileObject.from_file_data(writer, data, mime_type="application/json")
            names.embed.embed_file(writer, names.embed.FileSpec(file_spec_string=name, file_name=name, embedded_data=file))
        signer.sign_pdf(writer, output=output)
    except names.TimestampRequestError as problem:
        raise Conflict(_("The timestamp authority gave no valid answer. Ask for the report again later; nothing was sealed.")) from problem
    return output.getvalue()


def authority() -> str:
    """The host of the timestamp authority that is asked; empty: none is."""
    return urlsplit(current_app.config["TIMESTAMP_URL"]).hostname or ""


def certificate_of(document: bytes) -> bytes:
    """The certificate that sealed a file of ours, as PEM. Raises Missing where the file carries no seal that can be read."""
    names = _pades()
    try:
        (embedded,) = names.PdfFileReader(io.BytesIO(document)).embedded_signatures
    except (ValueError, names.PdfError) as problem:
        raise Missing(_("This file carries no seal that can be read.")) from problem
    found = x509.load_der_x509_certificate(embedded.signer_cert.dump())
    return found.public_bytes(serialization.Encoding.PEM)


def check(document: bytes, recorded: str) -> SealCheck:
    """Check the seal of a file of ours: only the certificate in it with the `recorded` SHA-256 is trusted.

    That certificate may have been replaced since: it is not read from its place. Bytes appended after a signature leave it
    intact, so the coverage has to be the entire file. Raises whatever pyHanko raises on a file that is no PDF: only give it
    files whose bytes are known.
    """
    names = _pades()
    reader = names.PdfFileReader(io.BytesIO(document))
    embedded = reader.embedded_signatures
    if len(embedded) != 1:
        return SealCheck(is_intact=False, is_ours=False, covers_all=False)
    signed_with = embedded[0].signer_cert
    # that certificate is the root: whether it was valid is asked of the time of the seal, not of today
    made = embedded[0].self_reported_timestamp or now()
    context = names.ValidationContext(trust_roots=[signed_with], allow_fetching=False, moment=made)
    status = names.validate_pdf_signature(embedded[0], context)
    ours = sha256(signed_with.dump()) == recorded and status.trusted
    stamp = status.timestamp_validity
    is_intact = status.intact and status.valid and (stamp is None or (stamp.intact and stamp.valid))
    return SealCheck(is_intact, ours, status.coverage == names.SignatureCoverageLevel.ENTIRE_FILE, stamp.timestamp if stamp else None)


def sha256(document: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(document).hexdigest()
