"""The same facts in other forms than the sealed PDF: DOCX, XLSX, CSV and JSON (product.md rule 22)."""

from __future__ import annotations

from consult_app import web
from consult_app.i18n import reading
from consult_app.reports import tables
from consult_app.reports.facts import Facts
from consult_app.reports.word import report_docx

KINDS = ("docx", "xlsx", "csv", "json")


def copy_of(facts: Facts, kind: str, language: str, verify_url: str = "") -> bytes:
    """One of them, in the first language of those asked for; JSON holds every language."""
    with reading(language.split("+")[0]):
        if kind == "docx":
            return report_docx(facts, verify_url)
        if kind == "xlsx":
            return tables.xlsx(facts)
        if kind == "csv":
            return tables.csv_zip(facts)
        return tables.as_json(facts, web.external_url("reports.schema"))
