"""Exit 0 where the server of this container answers, else 1: for HEALTHCHECK. It asks for the site's own host, the only one trusted."""

import http.client
import os
import sys
from urllib.parse import urlsplit

server = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
host = urlsplit(os.environ.get("CONSULT_BASE_URL", "http://127.0.0.1:8000")).netloc
try:
    server.request("GET", "/healthz", headers={"Host": host})
    sys.exit(server.getresponse().status != 200)
except OSError as problem:
    sys.exit(f"{problem}")
