"""What every page shares: who acts, CSRF, headers, limits, errors, paging, assets, the language switch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Blueprint, Flask, Request, Response, current_app, flash, g, jsonify, redirect, render_template, request, session, url_for
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_compress import Compress
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from gunicorn.http.errors import ParseException
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Select, func, select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError, Unauthorized
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response as BaseResponse

from . import pdf, policy
from .db import db, random_letters, set_transaction_mode, transaction_mode
from .errors import DomainError
from .forms import LARGEST, clean
from .i18n import _, gettext, language

Answer = str | BaseResponse | tuple[str, int]
Row = TypeVar("Row")
View = TypeVar("View", bound=Callable[..., Any])

log = structlog.get_logger()
bp = Blueprint("web", __name__)
API = "/api/"
RETRY = 3  # seconds after which a busy site can be asked again
REDIS_PATIENCE = 0.25  # seconds that a request waits for Redis to count it
csrf = CSRFProtect()
# Pages only. The cookie is SameSite=Lax, so no other site can have a page of ours made with its own words in it (BREACH).
compress = Compress()


class Limits(Limiter):
    """Every limit stands on a view: there is nothing to be counted before one is reached."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


limiter = Limits(get_remote_address, default_limits=[], headers_enabled=True)
login_manager = LoginManager()
login_manager.anonymous_user = policy.Nobody
login_manager.session_protection = None  # phones change networks in mid-session

# "user" and "participant" each load their own: set by accounts and registrations; "token" that of a bearer token: by attendance
actor_loaders: dict[str, Callable[[str, str], Any]] = {}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_actor(key: str) -> Any:
    """The account or participant of a session key such as "user:PUBLIC_ID:3"."""
    kind, _, rest = key.partition(":")
    public_id, _, number = rest.partition(":")
    return actor_loaders[kind](public_id, number) if kind in actor_loaders else None


class Unknown(policy.Nobody):
    """Somebody who may be signed in: the database did not say. Their page offers no sign-in."""

    is_authenticated = True


def actor() -> Any:
    """Who makes this request."""
    return g.actor


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list, and how to get to the others."""

    items: Sequence[Row]
    number: int
    size: int
    total: int

    @classmethod
    def of(cls, rows: Sequence[Row], size: int = 50) -> Page[Row]:
        """The page that the address asks for of rows that are all here already."""
        number = _page_number(len(rows), size)
        return cls(rows[(number - 1) * size : number * size], number, size, len(rows))

    @property
    def pages(self) -> int:
        return max(1, math.ceil(self.total / self.size))

    def url(self, number: int) -> str:
        """The same address with another page number."""
        return f"{request.path}?{urlencode([*((k, v) for k, v in request.args.items(multi=True) if k != 'page'), ('page', number)])}"


def _page_number(total: int, size: int) -> int:
    return min(max(request.args.get("page", 1, type=int) or 1, 1), max(1, math.ceil(total / size)))


def paginate(query: Select[Row], size: int = 50, *, shown: Select[Any] | None = None) -> Page[Any]:
    """The page of `query` that the address asks for (`?page=`), in two statements. `shown`: the same rows, by the columns shown."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = _page_number(total, size)
    rows = db.session.execute((query if shown is None else shown).limit(size).offset((number - 1) * size))
    return Page(rows.scalars().unique().all() if shown is None else rows.all(), number, size, total)


def still(may: Callable[[], bool]) -> Callable[[], bool]:
    """Ask later, outside this request, whether its sender may still do it: who they are is looked up anew by what the request showed."""
    app, environ = current_app._get_current_object(), request.environ  # type: ignore[attr-defined]

    def asked_anew() -> bool:
        with app.request_context(environ), transaction_mode("read"):
            _load_actor()
            try:
                return bool(may())
            except DomainError:
                return False
            finally:
                db.session.remove()

    return asked_anew


def secret_key() -> str:
    """By what tries of a pasted secret are counted: its own beginning, whether or not the address before it was pasted too."""
    return clean(request.form.get("token", "")).rsplit("#", 1)[-1][:16] or "none"


def is_htmx() -> bool:
    """Whether htmx asks and wants a fragment."""
    return request.headers.get("HX-Request") == "true"


def is_api() -> bool:
    """Whether a program asks: it shows a token, and gets its errors as JSON."""
    return request.path.startswith(API)


def go(url: str) -> BaseResponse:
    """Send the browser to a page of ours, also when htmx asked."""
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)


def safe_next(fallback: str) -> str:
    """The address to return to, if it is one of ours (open redirects are refused)."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if ours and "\\" not in wanted and "\n" not in wanted else fallback


def external_url(endpoint: str, **values: Any) -> str:
    """The full address of a page for mails, QR codes and PDFs: from the configured base, never from the request."""
    with current_app.test_request_context():
        path = url_for(endpoint, **values)
    return f"{current_app.config['BASE_URL']}{path}"


def download(data: bytes, name: str, media_type: str, inline: bool = False) -> Response:
    """A file as the answer."""
    answer = Response(data, mimetype=media_type)
    answer.headers.set("Content-Disposition", "inline" if inline else "attachment", filename=name)
    return answer


def attempt(act: Callable[[], Any]) -> bool:
    """Run an action; a DomainError is told on the next page instead of raised. Returns whether it went well."""
    try:
        act()
    except DomainError as problem:
        db.session.rollback()
        for words in [problem.message, *problem.reasons]:
            flash(str(words), "danger")
        return False
    return True


def pause_transaction() -> None:
    """End the request's transaction before something slow, so that nobody waits for it; the next one only reads."""
    db.session.rollback()
    set_transaction_mode("read")


def resume_writing() -> None:
    """From here on the request writes again; what was loaded is loaded anew when it is used."""
    db.session.rollback()
    set_transaction_mode("write")


@bp.post("/language")
def set_language() -> Answer:
    """Read on in another language."""
    policy.public()
    chosen = request.form.get("language", "")
    if chosen in current_app.config["LANGUAGES"]:
        session["language"] = chosen
    return redirect(safe_next("/"), 303)


def takes_files(most: int) -> Callable[[View], View]:
    """Let a view take a larger request than others: at most so many bytes."""

    def mark(view: View) -> View:
        view.most_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


def _begin_request() -> None:
    set_transaction_mode("read" if request.method in ("GET", "HEAD", "OPTIONS") else "write")
    g.actor, g.policy_asked = policy.Nobody(), False  # until it is known who asks
    request.max_content_length = getattr(current_app.view_functions.get(request.endpoint or ""), "most_bytes", request.max_content_length)
    if request.mimetype == "multipart/form-data":
        _received = request.form  # all of it is here before a transaction begins: a slow phone holds up nobody


def _load_actor() -> None:
    if is_api():
        kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        g.actor = (actor_loaders["token"](token.strip(), "") if kind.lower() == "bearer" else None) or policy.Nobody()  # no cookie counts
    else:
        g.actor = current_user._get_current_object()


def _finish(response: Response) -> Response:
    undeclared = request.endpoint not in (None, "static") and response.status_code < 400 and not g.get("policy_asked")
    # a redirect to sign-in or set-up comes before any view, and what OPTIONS tells of an address Flask answers by itself
    if undeclared and not g.get("before_policy") and request.method != "OPTIONS":
        raise AssertionError(f"{request.endpoint} answered without asking the policy")
    given = {name.lower() for name in response.headers.keys()}  # noqa: SIM118  iterating gives pairs
    response.headers.extend([(name, value) for name, value in HEADERS.items() if name.lower() not in given])
    if request.is_secure or current_app.config["BASE_URL"].startswith("https://"):  # a proxy may end the TLS
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store" if g.actor.is_authenticated else "no-cache")
        if not is_api():
            response.vary.add("Cookie")
    return response


def _name_unprintable(response: Response) -> Response:
    """Name to the writer of what was just saved the characters that our printed documents cannot show."""
    is_saved = request.method == "POST" and response.status_code in (200, 303) and response.mimetype == "text/html"
    if not is_saved or is_api():
        return response
    words = " ".join(value for name, value in request.form.items(multi=True) if "password" not in name)
    if found := pdf.unprintable(words):
        named = ", ".join(f"{c} (U+{ord(c):04X})" for c in found[:5]) + (", …" if len(found) > 5 else "")
        flash(
            gettext("It is kept as you wrote it. Printed documents show these characters as codes: %(characters)s", characters=named),
            "info",
        )
    return response


def _error(status: int, title: Any, words: Any, reasons: Sequence[Any] = ()) -> tuple[Any, int]:
    if is_api():
        code = ("revoked" if g.get("device_revoked") else "unknown") if status == 401 else title
        body = jsonify(message=str(words), code=str(code), detail={"reasons": [str(reason) for reason in reasons]})
        return body, status
    template = "errors/_notice.html" if is_htmx() else "errors/page.html"
    return render_template(template, status=status, title=title, words=words, reasons=reasons), status


WORDS = {
    401: (_("Not signed in"), _("This device is not known, or was revoked. Pair it again with a code that the organiser shows.")),
    400: (_("That could not be read"), _("The request was not complete. Go back, and try again.")),
    403: (_("Not for your role"), _("Your role in this consultation does not allow this. Ask its organiser if you need it.")),
    404: (_("Not found"), _("There is nothing here, or it is not for you. Check the address, or start from the first page.")),
    405: (_("Not like that"), _("This address cannot be used in this way.")),
    413: (_("Too large"), _("This is larger than can be sent at once. Send less, or a smaller file.")),
    429: (_("Too many tries"), _("Wait a few minutes, then try again.")),
    500: (_("Our mistake"), _("Something went wrong on our side, and nothing was saved. Please try again.")),
    507: (_("No room left"), _("The disk is full. Nothing was saved. Keep what you wrote, and tell the people who run this site.")),
    503: (_("Very busy"), _("Many people are writing at this moment. Nothing was saved; try again in %(count)s seconds.", count=RETRY)),
}

# what SQLite and PostgreSQL say of a full disk
NO_ROOM = ("database or disk is full", "No space left on device")


def _http_error(error: HTTPException) -> Answer:
    db.session.rollback()
    if isinstance(error, SecurityError):  # asked as a host that we are not: there is no address for anything on a page
        return Response("This site is not served under this name.\n", 400, mimetype="text/plain")
    status = error.code or 500
    if status == 401 and not is_api():
        g.before_policy = True
        return go(url_for("accounts.sign_in", next=request.full_path.rstrip("?") if request.method == "GET" else None))
    if error.response is not None or status < 400:
        return error.get_response()
    title, words = WORDS.get(status, WORDS[400])
    return _error(status, title, words)


def _domain_error(error: DomainError) -> Answer:
    db.session.rollback()
    if error.status == 404 and g.actor.is_anonymous and request.path.startswith("/consultations/"):
        return _http_error(Unauthorized())  # as where there is something: nobody learns which consultations exist
    titles = {404: _("Not found"), 409: _("Not possible now"), 422: _("Please check this"), 503: _("Not possible now")}
    made = _error(error.status, titles[error.status], error.message, error.reasons)
    return _later(made) if error.status == 503 else made


def _cannot_now(error: OperationalError) -> Answer:
    """The database cannot do it at this moment."""
    db.session.rollback()
    words, state = str(error.orig), getattr(error.orig, "sqlstate", "")
    if any(sign in words for sign in NO_ROOM):
        return _error(507, *WORDS[507])
    # it can be sent again after "database is locked", "deadlock detected", a lock not had in time (55P03),
    # or where PostgreSQL was not reached (None), is stopping, starting or full
    comes_back = state is None or state.startswith(("08", "57P", "53300", "55P03"))
    if not comes_back and "locked" not in words and "deadlock" not in words and not error.connection_invalidated:
        raise error
    return _come_again()


def _no_connection(_problem: PoolTimeout) -> Answer:
    """More requests at once than there are connections, for longer than a request waits for one."""
    return _come_again()


def _come_again() -> Answer:
    # The page must not ask the database again, which would have everybody wait twice: it is for somebody whom we could not look up.
    g.actor = g._login_user = Unknown()
    return _later(_error(503, *WORDS[503]))


def _later(made: tuple[Any, int]) -> Response:
    """The answer, with the seconds that its words name."""
    answer = current_app.make_response(made)
    answer.headers["Retry-After"] = str(RETRY)
    return answer


def _cannot_be_kept(_problem: Exception) -> Answer:
    """A number or a day that no column can hold."""
    db.session.rollback()
    return _error(422, _("Please check this"), _("A number or a date in this is too large. Go back, and correct it."))


def _at_the_same_moment(problem: Exception) -> Answer:
    """Somebody else was faster, and what was looked at is gone or made already. Anything else is our mistake."""
    is_double = getattr(getattr(problem, "orig", None), "sqlstate", "") == "23505" or "UNIQUE constraint failed" in str(problem)
    if isinstance(problem, IntegrityError) and not is_double:
        raise problem
    db.session.rollback()
    log.warning("request.at_the_same_moment", problem=type(problem).__name__)
    return _error(409, _("Not possible now"), _("Somebody else did this, or removed it, at the same moment. Look at the page again."))


def _broken_body(_problem: ParseException) -> Answer:
    """The server met nonsense while it read what was sent."""
    return _error(400, *WORDS[400])


def _csrf_error(error: CSRFError) -> Answer:
    words = _("This page was open for too long, or in another window. Go back, reload it, and send it again.")
    return _error(400, _("Please send it again"), words)


def _manifest(app: Flask) -> dict[str, str]:
    path = Path(app.static_folder or "") / "dist" / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


class Sessions(SecureCookieSessionInterface):
    """The cookie of pages. A program shows a token at each request: its cookies are not read, and it gets none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return self.session_class() if request.path.startswith(API) else super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not is_api():
            super().save_session(app, session, response)


class Number(IntegerConverter):
    """A number in an address; no column holds a larger one, so there is nothing of that address."""

    def __init__(self, map: Map, **more: Any) -> None:  # noqa: A002  werkzeug's name
        super().__init__(map, **{"max": LARGEST, **more})


class Json(DefaultJSONProvider):
    """JSON that is nested without end is as unreadable as any other broken one (400)."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def asset(name: str) -> str:
    """The address of a built file, with the hash of its content in its name."""
    return f"/static/dist/{current_app.extensions['assets'].get(name, name)}"


def _set_limits_storage(app: Flask) -> None:
    """Where requests are counted. Where that is Redis and it is gone or hangs, each process counts for itself until it is back."""
    storage: str = app.config["LIMITS_STORAGE"]
    app.config.setdefault("RATELIMIT_STORAGE_URI", storage)
    app.config.setdefault("RATELIMIT_IN_MEMORY_FALLBACK_ENABLED", True)
    if storage.startswith("redis"):
        once = {"socket_connect_timeout": REDIS_PATIENCE, "socket_timeout": REDIS_PATIENCE, "retry": Retry(NoBackoff(), 0)}
        app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", once)


def init_app(app: Flask) -> None:
    """Install all of it; the order of the hooks is: transaction, actor, CSRF, then the view's own policy."""
    app.json = Json(app)
    app.url_map.converters["int"] = Number
    app.session_interface = Sessions()
    app.extensions["assets"] = _manifest(app)
    app.before_request(_begin_request)
    login_manager.init_app(app)
    app.before_request(_load_actor)
    csrf.init_app(app)
    _set_limits_storage(app)
    limiter.init_app(app)
    app.config.setdefault("COMPRESS_MIMETYPES", ["text/html", "text/plain", "application/json"])
    app.config.setdefault("COMPRESS_ALGORITHM", ["br", "gzip"])
    compress.init_app(app)
    app.after_request(_finish)
    app.after_request(_name_unprintable)
    app.register_blueprint(bp)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(OperationalError, _cannot_now)
    app.register_error_handler(PoolTimeout, _no_connection)
    app.register_error_handler(ParseException, _broken_body)
    app.register_error_handler(DataError, _cannot_be_kept)
    app.register_error_handler(OverflowError, _cannot_be_kept)
    for problem in (IntegrityError, ObjectDeletedError, StaleDataError):
        app.register_error_handler(problem, _at_the_same_moment)
    app.jinja_env.globals.update(
        asset=asset,
        random_letters=random_letters,
        can=lambda action, thing=None: policy.can(g.actor, action, thing),
    )
    app.context_processor(lambda: {"actor": g.get("actor", policy.Nobody()), "locale": language()})
