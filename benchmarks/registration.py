"""Figures of registration: list and search over 10,000, import of 10,000 rows, 1,000 badges, each beside its floor."""

from __future__ import annotations

import io
from typing import Any

import python_calamine
import qrcode
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import func, select

from benchmarks.bare import bare_view, pairs
from benchmarks.site import median, register, site, tell, timed
from consult_app import qr, sheets
from consult_app.db import db
from consult_app.documents import make
from consult_app.documents.queries import selected
from consult_app.events.models import Event
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code

PEOPLE, BADGES = 10_000, 1_000


def lists(client: Any, event: Event) -> None:
    """The list and a search, as htmx asks for them."""
    here = f"/events/{event.slug}/registrations"
    for name, query in (("guest_list_10000", ""), ("guest_search_10000", "siti+nurhaliza")):
        path, how = f"{here}?q={query}", {"headers": {"HX-Request": "true"}}
        bare, _asked = bare_view(client, path, **how)
        pairs(name, "ms", lambda path=path, how=how: client.get(path, **how), lambda bare=bare: bare.get("/"), 15, PEOPLE)


def import_preview(client: Any, event: Event) -> None:
    """Upload and judge 10,000 rows; the floor takes the file apart and nothing more."""
    rows = [
        [f"Nama Orang {n}", f"Instansi {n % 60}", "government", "P", f"new{n}@example.org", f"+62 813 3456 {n:04d}"] for n in range(PEOPLE)
    ]
    data = sheets.write_xlsx({"list": (["Nama", "Instansi", "Jenis", "L/P", "Surel", "Telepon"], rows)})

    def upload() -> None:
        answer = client.post(
            f"/events/{event.slug}/registrations/import", data={"file": (io.BytesIO(data), "list.xlsx")}, content_type="multipart/form-data"
        )
        assert answer.status_code == 303, answer.text[:300]
        assert client.get(answer.headers["Location"]).status_code == 200

    bare, _spread = median(lambda: python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python())
    value, spread = median(upload)
    tell("import_10000", value, "s", bare, PEOPLE, spread)


def badges(app: Any, event_id: int) -> None:
    """1,000 badges; the floor encodes the same codes and draws them and the same strings, and nothing more."""
    with app.test_request_context():
        event = db.session.get_one(Event, event_id)
        people = selected(event, {}, [])[:BADGES]
        strings = [(ticket_code(r.seed), r.full_name, r.institution.name["en"], event.title["en"]) for r in people]

        def bare() -> None:
            canvas = Canvas(io.BytesIO(), pagesize=A4)
            for number, (code, *words) in enumerate(strings):
                made = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
                made.add_data(code)
                made.make(fit=True)
                path = canvas.beginPath()
                for y, row in enumerate(made.get_matrix()):
                    for x, dark in enumerate(row):
                        if dark:
                            path.rect(50 + 2 * x, 700 - 2 * y, 2, 2)
                canvas.drawPath(path, stroke=0, fill=1)
                for line, string in enumerate(words):
                    canvas.drawString(150, 700 - 14 * line, string)
                if number % 8 == 7:
                    canvas.showPage()
            canvas.save()

        options = {"paper": "a4", "per_sheet": 8, "start": 0, "language": "en"}
        made: list[bytes] = []

        def ours() -> None:
            made.append(make.make(make.BADGES, event, people, options))

        floors, firsts, seconds = [], [], []
        for _time in range(3):
            qr.matrix.cache_clear()
            floors.append(timed(bare))
            firsts.append(timed(ours))
            seconds.append(timed(ours))
        floor, first, second = sorted(floors)[1], sorted(firsts)[1], sorted(seconds)[1]
        tell("badges_1000", first, "s", floor, BADGES, max(firsts) - min(firsts))
        tell("badges_1000_again", second, "s", first, BADGES, max(seconds) - min(seconds))
        tell("badges_1000_size", len(made[-1]) / 1e6, "MB", None, BADGES)


def main() -> None:
    with site() as (app, client, event):
        register(event, PEOPLE)
        assert db.session.scalar(select(func.count()).select_from(Registration)) == PEOPLE
        lists(client, event)
        import_preview(client, event)
        badges(app, event.id)


if __name__ == "__main__":
    main()
