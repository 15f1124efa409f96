"""A sealed file, looked at by verifiers that are not ours."""

from __future__ import annotations

import io
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from tests.journeys.conftest import Site


def check_seal(site: Site, document: bytes, folder: Path) -> None:
    """Two verifiers that are not ours: pyHanko, trusting only the site's certificate, and Poppler."""
    (signature,) = PdfFileReader(io.BytesIO(document)).embedded_signatures
    trusted = load_cert_from_pemder(str(site.var / "keys" / "seal.crt"))
    context = ValidationContext(trust_roots=[trusted], allow_fetching=False)
    with ThreadPoolExecutor() as pool:  # pyHanko wants an event loop, and the browser has this thread's
        status = pool.submit(validate_pdf_signature, signature, context).result()
    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    file = folder / "report.pdf"
    file.write_bytes(document)
    answer = subprocess.run(["pdfsig", file], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in answer
    assert "Total document signed" in answer
