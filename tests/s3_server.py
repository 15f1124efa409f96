"""A bucket of S3-compatible storage in a process of its own: keeps objects, and answers only to requests that are signed right.

The signature is worked out here from what came over the wire, by the published description and not by our own code.
Run: `python s3_server.py REGION KEY_ID SECRET`; the port is the first line of the output.
"""

import hashlib
import hmac
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REGION, KEY_ID, SECRET = sys.argv[1:4] if len(sys.argv) > 3 else ("", "", "")
objects: dict[str, bytes] = {}


def sign(key: bytes, words: str) -> bytes:
    return hmac.new(key, words.encode(), hashlib.sha256).digest()


class Bucket(BaseHTTPRequestHandler):
    def is_signed(self, body: bytes) -> bool:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,\s*SignedHeaders=([\w;-]+),\s*Signature=([0-9a-f]{64})",
            self.headers.get("Authorization", ""),
        )
        if not found:
            return False
        key_id, day, region, names, signature = found.groups()
        stated = self.headers.get("x-amz-content-sha256")
        if (key_id, region) != (KEY_ID, REGION) or stated != hashlib.sha256(body).hexdigest() or "host" not in names.split(";"):
            return False
        lines = "".join(f"{name}:{' '.join(self.headers[name].split())}\n" for name in names.split(";"))
        canonical = f"{self.command}\n{self.path}\n\n{lines}\n{names}\n{stated}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        words = f"AWS4-HMAC-SHA256\n{self.headers['x-amz-date']}\n{day}/{region}/s3/aws4_request\n{digest}"
        key = sign(sign(sign(sign(b"AWS4" + SECRET.encode(), day), region), "s3"), "aws4_request")
        return hmac.compare_digest(sign(key, words).hex(), signature)

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, content = 200, b""
        if not self.is_signed(body):
            status, content = 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
        elif self.command == "PUT":
            objects[self.path] = body
        elif self.command == "DELETE":
            status = 204
            objects.pop(self.path, None)
        elif self.path in objects:
            content = objects[self.path]
        else:
            status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = answer

    def log_message(self, *_words: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
