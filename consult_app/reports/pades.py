"""What the seal needs of pyHanko: imported when something is sealed or checked, since it takes a tenth of a server's memory."""

from pyhanko.pdf_utils import embed
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

__all__ = [
    "IncrementalPdfFileWriter",
    "PdfError",
    "PdfFileReader",
    "RequestsHTTPTimeStamper",
    "SignatureCoverageLevel",
    "TimestampRequestError",
    "ValidationContext",
    "embed",
    "fields",
    "signers",
    "validate_pdf_signature",
]
