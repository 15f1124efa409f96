"""The seal: one PAdES signature (baseline B-B) with the site's own key, and its check (product.md rule 21).

The key and its self-signed certificate are made once under `var/keys/`. No timestamp authority is asked, so the time of
the seal is this server's; the page and the last page of the report say so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import current_app
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from consult_app.db import now

FIELD = "Seal"
YEARS = 10


@dataclass(frozen=True)
class SealCheck:
    """What the seal of a file says: intact, made with our key, and over the whole file."""

    is_intact: bool
    is_ours: bool
    covers_all: bool

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


def _signer() -> signers.SimpleSigner:
    folder = Path(current_app.config["VAR"]) / "keys"
    key = _kept(folder / "seal.key", _new_key)
    _kept(folder / "seal.crt", lambda: _new_certificate(key))
    signer: signers.SimpleSigner | None = signers.SimpleSigner.load(  # type: ignore[no-untyped-call]
        str(folder / "seal.key"), str(folder / "seal.crt")
    )
    assert signer is not None
    return signer


def certificate() -> x509.Certificate:
    """The certificate that our seals are made with."""
    signer = _signer()
    assert signer.signing_cert is not None
    return x509.load_der_x509_certificate(signer.signing_cert.dump())


def fingerprint() -> str:
    """The SHA-256 of the certificate, in hexadecimal: what a reader compares with another copy of it."""
    return certificate().fingerprint(hashes.SHA256()).hex()


def seal(document: bytes, reason: str) -> bytes:
    """The document with one PAdES signature over all of it; any later change is found."""
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        name=f"{current_app.config['SITE_NAME']} seal",
        reason=reason,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    output = io.BytesIO()
    signers.PdfSigner(metadata, _signer()).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(document)), output=output)
    return output.getvalue()


def check(document: bytes) -> SealCheck:
    """Check the seal of a file of ours, with our certificate as the only one trusted.

    Bytes appended after a signature leave it intact, so the coverage has to be the entire file. Raises whatever pyHanko
    raises on a file that is no PDF: only give it files whose bytes are known.
    """
    reader = PdfFileReader(io.BytesIO(document))
    embedded = reader.embedded_signatures
    if len(embedded) != 1:
        return SealCheck(is_intact=False, is_ours=False, covers_all=False)
    signer = _signer()
    assert signer.signing_cert is not None
    # our own certificate is the root: whether it was valid is asked of the time of the seal, not of today
    made = embedded[0].self_reported_timestamp or now()
    context = ValidationContext(trust_roots=[signer.signing_cert], allow_fetching=False, moment=made)
    status = validate_pdf_signature(embedded[0], context)
    ours = status.signing_cert.dump() == signer.signing_cert.dump() and status.trusted
    return SealCheck(status.intact and status.valid, ours, status.coverage == SignatureCoverageLevel.ENTIRE_FILE)


def sha256(document: bytes) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(document).hexdigest()
