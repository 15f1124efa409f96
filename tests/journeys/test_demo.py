"""The demonstration: every count agrees everywhere, every page is well made, in both languages, and the log holds."""

from __future__ import annotations

import io
import re
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader

from tests.journeys.conftest import ROOT, Site
from tests.journeys.people import Reader, demo_accounts, enter_demo, kind_of

pytestmark = pytest.mark.browser
NATIONAL, LOCAL = "mgi-indonesia-2023", "mgi-central-java-2023"
EXPECTED = {NATIONAL: (98, 58, "national-validation-2023"), LOCAL: (76, 92, "local-validation-2023")}
AXE = Axe()
ONLY_PROBLEMS: dict[str, Any] = {"resultTypes": ["violations"]}
ONLY_CONTRAST = ONLY_PROBLEMS | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
ACCOUNTS = range(-1, 9)  # the participant, then every account


@pytest.mark.parametrize("slug", [NATIONAL, LOCAL])
def test_rule_1_and_23_counts_agree_on_pages_and_in_documents(demo_site: Site, slug: str) -> None:
    indicators, arrived, event = EXPECTED[slug]
    organiser = Reader(demo_site.url, 0)
    page = organiser.get(f"/consultations/{slug}")
    assert re.findall(r'figure__value">(\d+)<', page)[:2] == [str(indicators), str(arrived)]
    assert f"{indicators} indicators" in page
    assert (
        len(set(re.findall(rf"/consultations/{slug}/indicators/([\d.]+)", organiser.get(f"/consultations/{slug}/take-part")))) == indicators
    )
    book = python_calamine.load_workbook(io.BytesIO(organiser.read(f"/consultations/{slug}/framework.xlsx")[1]))
    codes = [row[0] for row in book.get_sheet_by_index(0).to_python() if re.fullmatch(r"\d+\.\d+", str(row[0]))]
    assert (len(codes), "1.10" in codes) == (indicators, True)
    attendance = organiser.get(f"/events/{event}/attendance")
    assert f'figure__value">{arrived}<' in attendance
    table = python_calamine.load_workbook(io.BytesIO(organiser.read(f"/events/{event}/participation.xlsx")[1])).get_sheet_by_index(0)
    *_rows, total = table.to_python()
    assert total[4] == arrived
    assert sum(total[1:4]) == arrived
    sheet = PdfReader(io.BytesIO(organiser.read(f"/events/{event}/attendance-sheet.pdf")[1]))
    assert f"{arrived} arrived" in " ".join(page.extract_text() for page in sheet.pages)
    report = PdfReader(io.BytesIO(organiser.read(f"/consultations/{slug}/report/draft.pdf?language=en")[1]))
    text = " ".join(page.extract_text() for page in report.pages)
    assert re.search(rf"\b{indicators} indicators\b", text)
    assert re.search(rf"\b{arrived}\b", text)


def test_others_are_served_while_a_draft_is_made(demo_site: Site) -> None:
    """The report is made in a process of its own: the requests of the server share one thread."""
    organiser, public = Reader(demo_site.url, 0), Reader(demo_site.url, None)
    made: list[bytes] = []
    thread = threading.Thread(target=lambda: made.append(organiser.read(f"/consultations/{NATIONAL}/report/draft.pdf?language=en%2Bid")[1]))
    thread.start()
    served = 0
    while thread.is_alive():
        assert public.get("/healthz") == "ok"
        served += 1
    assert made[0].startswith(b"%PDF")
    assert served > 20


def test_the_local_report_is_sealed_and_the_national_has_sections_in_every_state(demo_site: Site) -> None:
    organiser = Reader(demo_site.url, 0)
    page = organiser.get(f"/consultations/{NATIONAL}")
    for words in ("Signed", "Frozen for signature", "Returned", "In review", "Open for comments", "Draft"):
        assert words in page
    assert "is ready for your signature" in Reader(demo_site.url, 1).get("/?lang=en")
    front = Reader(demo_site.url, None)
    (report,) = set(re.findall(r'href="(/reports/\w+)"', front.get("/")))
    assert "Local MGI Central Java" in front.get(report)


def test_the_log_verifies_and_a_changed_row_is_found(demo_site: Site) -> None:
    good = demo_site.command("audit", "verify")
    assert good.returncode == 0, good.stderr
    assert "0 faults" in good.stdout
    with demo_site.database() as database:
        (kept,) = database.execute("SELECT response FROM dispositions WHERE id = 1").fetchone()
        database.execute("UPDATE dispositions SET response = 'something else' WHERE id = 1")
    bad = demo_site.command("audit", "verify")
    with demo_site.database() as database:
        database.execute("UPDATE dispositions SET response = ? WHERE id = 1", (kept,))
    assert bad.returncode == 1
    assert "Disposition" in bad.stderr
    assert "response" in bad.stderr


@pytest.mark.parametrize("language", ["en", "id"])
def test_axe_finds_nothing_on_any_page(demo_site: Site, crawled: Any, open_page: Any, language: str) -> None:
    """On light pages in English; on dark ones in Indonesian, which are built alike, contrast is the question."""
    options = ONLY_PROBLEMS if language == "en" else ONLY_CONTRAST
    found: dict[str, list[str]] = {}
    checked: set[str] = set()
    for place in [*ACCOUNTS, None] if language == "en" else [0, 1, -1, None]:
        page = open_page(390 if place == -1 else 1280, language, color_scheme="light" if language == "en" else "dark")
        if place is not None:
            enter_demo(page, demo_site.url, place)
        for path, _text in crawled(place):
            if kind_of(path) in checked:
                continue
            checked.add(kind_of(path))
            page.goto(f"{demo_site.url}{path}{'&' if '?' in path else '?'}lang={language}")
            problems = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in AXE.run(page, options=options).response["violations"]]
            if problems:
                found[path] = problems
    assert len(checked) > 20
    assert found == {}


def test_the_html_checker_finds_no_error(crawled: Any, tmp_path: Path) -> None:
    names: dict[str, str] = {}
    for place in [*ACCOUNTS, None]:
        for path, text in crawled(place):
            if path not in names.values():
                name = f"page{len(names)}.html"
                names[name] = path
                (tmp_path / name).write_text(text)
    jar = ROOT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    checked = subprocess.run(
        ["java", "-jar", jar, "--errors-only", "--format", "gnu", tmp_path], capture_output=True, text=True, check=False
    )
    wrong = [re.sub(r".*/(page\d+\.html)", lambda m: names[m.group(1)], line) for line in checked.stderr.splitlines()]
    assert len(names) > 40
    kinds = {re.sub(r"^.*?error: ", "", line): line for line in wrong}
    assert kinds == {}


def test_no_page_in_indonesian_shows_english_furniture(demo_site: Site, crawled: Any) -> None:
    """The catalogue is complete (test_translations); this finds headings, labels and buttons that were never marked."""
    furniture = re.compile(r"<(?:h2|label|button|legend|th|summary|caption)\b[^>]*>(?:<svg.*?</svg>)?(?:<span>)?([^<]{4,})<", re.S)
    english = re.compile(r"\b(the|of|is|are|and|not|your|you|to|with|this)\b", re.I)
    wrong: dict[str, list[str]] = {}
    for place in (0, 1, 4, 6, -1, None):
        reader = Reader(demo_site.url, place)
        for path, _text in crawled(place):
            text = reader.get(f"{path}{'&' if '?' in path else '?'}lang=id")
            if '<html lang="id"' in text:  # a redirect forgets the language that was asked for
                hits = [words.strip() for words in furniture.findall(text) if english.search(words)]
                if hits:
                    wrong[path] = hits[:3]
    assert wrong == {}


def test_the_sign_in_page_offers_every_role_in_one_click(demo_site: Site, open_page: Any) -> None:
    names = demo_accounts(demo_site.url)
    assert len(names) == len(ACCOUNTS)
    page = open_page(390)
    enter_demo(page, demo_site.url, 1)
    assert page.get_by_role("heading", name="Berikutnya untuk Anda").or_(page.get_by_role("heading", name="Next for you")).is_visible()
