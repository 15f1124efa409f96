"""The page of the check-in desk: the same for everybody, holds no data, and is kept by its service worker."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, url_for

from consult_app.attendance import devices, labels
from consult_app.i18n import gettext
from consult_app.policy import public
from consult_app.web import Answer, asset

bp = Blueprint("check_in_desk", __name__)
# the camera, and ZXing in WebAssembly where a browser reads no codes by itself
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "media-src 'self' blob: mediastream:; worker-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)


def _words() -> dict[str, Any]:
    """What the page's script says, in the reader's language; {…} is filled in there."""
    return {
        "word": {result.value: str(word) for result, word in labels.WORD.items()},
        "goodbye": gettext("Goodbye"),
        "okLocal": gettext("Noted on this device at {time}. It will be sent when there is a network."),
        "alreadyLocal": gettext("Checked in at {time}, as far as this device knows."),
        "unknownLocal": gettext("Not on the list as of {asOf}. Noted; it will be checked when there is a network."),
        "wrongDayLocal": gettext("The ticket is not for this day or session."),
        "cancelledLocal": gettext("This registration was cancelled, or a colleague has taken the place."),
        "waitingLocal": gettext("This person has no seat yet."),
        "status": gettext("{known} people known, as of {asOf}, {waiting} waiting to be sent"),
        "online": gettext("Online"),
        "offline": gettext("Offline"),
        "clock": gettext("The clock of this device is wrong by {minutes} minutes. Times are corrected."),
        "camera": gettext("Camera"),
        "insecure": gettext("The camera needs a secure address (https). Type the code, or search by name."),
        "noLeave": gettext("The browser may not use the camera. Allow it in the settings of this page, or type the code."),
        "noCamera": gettext("No camera was found. Type the code, use a scanner, or search by name."),
        "noCode": gettext("There is no code in this picture. Go closer, and hold still."),
        "arrived": gettext("Arrived"),
        "checkIn": gettext("Check in"),
        "checkOut": gettext("Check out"),
        "badge": gettext("Badge"),
        "colleague": gettext("A colleague came instead"),
        "inPlaceOf": gettext("In place of {name}"),
        "undoOf": gettext("Undo: {name}"),
        "undone": gettext("Undone: {name}"),
        "undoneLater": gettext("Noted: {name}. It is undone as soon as there is a network."),
        "notReachedNow": gettext("The server could not be reached. Please try again."),
        "emptySignature": gettext("Nothing is drawn yet. Sign with a finger, or skip."),
        "joinUntil": gettext("{name}: open the camera of your own phone and point it at this code. It works once, until {time}."),
        "joinOffline": gettext(
            "A join code needs a network. Try again when this device is online, or let them have their link sent again."
        ),
        "chooseOne": gettext("Choose one"),
        "finding": gettext("{time} {name}: shown here “{shown}”, the server says “{result}”. {why}"),
        "seen": gettext("Seen"),
        "stillWaiting": gettext("Scans of another event still wait on this device. Pair it anew all the same?"),
        "notReached": gettext("The server could not be reached. Check the network, then open the code again."),
    }


@bp.get("/desk")
def shell() -> Answer:
    public()
    answer = make_response(render_template("desk/shell.html", words=_words(), version=devices.app_version(), icons=labels.ICON))
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@bp.get("/desk/manifest.webmanifest")
def manifest() -> Response:
    """What lets a phone put the desk on its home screen."""
    public()
    icons = [{"src": asset("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}]
    icons += [{"src": asset(f"icon-{n}.png"), "sizes": f"{n}x{n}", "type": "image/png"} for n in (192, 512)]
    answer = jsonify(
        id="/desk", name=gettext("Check-in desk"), short_name=gettext("Desk"), start_url="/desk", scope="/desk", display="standalone",
        background_color="#faf7f0", theme_color="#faf7f0", icons=icons,
    )  # fmt: skip
    answer.mimetype = "application/manifest+json"
    return answer


@bp.get("/desk/worker.js")
def worker() -> Response:
    """The service worker, with the names of the files that the page needs."""
    public()
    names = ("app.css", "desk.css", "desk.js", "zxing_reader.wasm", "icons.svg", "favicon.svg", "source-sans-3.woff2")
    files = [url_for("check_in_desk.manifest"), *(asset(name) for name in names)]
    answer = make_response(render_template("desk/worker.js", page=url_for("check_in_desk.shell"), files=files))
    answer.mimetype = "text/javascript"
    answer.headers["Service-Worker-Allowed"] = url_for("check_in_desk.shell")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
