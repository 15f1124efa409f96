"""Settings, read once from the environment; every name and its default stands here.

Secrets that are not given are made at set-up under `var/keys/` (see `consult_app/keys.py`), so that a laptop needs no
configuration and a server can still hand everything over by environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent


def from_environment() -> dict[str, Any]:
    """Return the Flask configuration that the environment asks for."""
    env = os.environ.get
    var = Path(env("CONSULT_VAR", str(ROOT / "var"))).resolve()
    base_url = env("CONSULT_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
    own_host = urlsplit(base_url).hostname if base_url.startswith("https://") else None
    return {
        "VAR": var,
        "DATABASE_URL": env("DATABASE_URL", f"sqlite:///{var / 'consult.db'}"),
        # The address that mails, QR codes and PDFs carry; never taken from a request.
        "BASE_URL": base_url,
        # As which hosts the site answers: on TLS that of its address, unless others are named.
        "TRUSTED_HOSTS": [host for host in env("CONSULT_TRUSTED_HOSTS", own_host or "").split(",") if host] or None,
        "SECRET_KEY": env("CONSULT_SECRET_KEY", ""),
        # Tickets and access links are derived from this key and a random seed per registration.
        "TOKEN_KEY": env("CONSULT_TOKEN_KEY", ""),
        "SITE_NAME": env("CONSULT_SITE_NAME", "Consult"),
        "DEMO": env("CONSULT_DEMO", "") == "1",
        # smtp://user:password@host:587 (STARTTLS) or smtps://…:465; empty writes mails to files under var/mail/
        "MAIL_URL": env("CONSULT_MAIL_URL", ""),
        # how many days after an event, or after it was made, each kind of personal data is kept (docs/privacy.md)
        "KEEP_DAYS": {
            "needs": int(env("CONSULT_KEEP_NEEDS", "14")),
            "answers": int(env("CONSULT_KEEP_ANSWERS", "180")),
            "invitations": int(env("CONSULT_KEEP_INVITATIONS", "180")),
            "contact": int(env("CONSULT_KEEP_CONTACT", "365")),
            "mails": int(env("CONSULT_KEEP_MAILS", "90")),
            "uploads": int(env("CONSULT_KEEP_UPLOADS", "7")),
            "drafts": int(env("CONSULT_KEEP_DRAFTS", "30")),
        },
        # uploaded files lie under var/attachments/, or in this bucket (https://host/bucket) of S3-compatible storage
        "S3_URL": env("CONSULT_S3_URL", ""),
        "S3_REGION": env("CONSULT_S3_REGION", "us-east-1"),
        "S3_KEY": env("CONSULT_S3_KEY", ""),
        "S3_SECRET": env("CONSULT_S3_SECRET", ""),
        "MAIL_PER_MINUTE": int(env("CONSULT_MAIL_PER_MINUTE", "120")),  # 0: no limit
        "MAIL_FROM": env("CONSULT_MAIL_FROM", "Consult <consult@localhost.example>"),
        # a timestamp authority (RFC 3161) that confirms the time of each seal; empty: the time is this server's
        "TIMESTAMP_URL": env("CONSULT_TIMESTAMP_URL", ""),
        # How processes that share the database tell one another what was committed: empty (one process, or none that waits for
        # others), "redis://…", or "postgresql" for LISTEN and NOTIFY on the database itself.
        "NEWS": env("CONSULT_NEWS", ""),
        # Seconds between two looks at the database for what was missed, while that line stands.
        "LOOK": float(env("CONSULT_LOOK", "2")),
        # Where jobs wait: empty, a file beside the data of this machine; or "redis://…", for worker and servers on several machines.
        "JOBS": env("CONSULT_JOBS", ""),
        # How many proxies stand before this server and add to X-Forwarded-For and -Proto; 0: nobody is believed.
        "PROXIES": int(env("CONSULT_PROXIES", "0")),
        "LOG": env("CONSULT_LOG", ""),  # "json": one JSON object a line, and a line for each request
        "METRICS_TOKEN": env("CONSULT_METRICS_TOKEN", ""),  # of /metrics; without one there is no such address
        # Where limits are counted; "redis://…" where there are several server processes.
        "LIMITS_STORAGE": env("CONSULT_LIMITS_STORAGE", "memory://"),
        "LANGUAGES": ("en", "id"),
        "MAX_CONTENT_LENGTH": 12 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "PERMANENT_SESSION_LIFETIME": 12 * 3600,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": base_url.startswith("https://"),
        "SESSION_COOKIE_NAME": "__Host-consult" if base_url.startswith("https://") else "consult",
        "WTF_CSRF_TIME_LIMIT": None,
    }
