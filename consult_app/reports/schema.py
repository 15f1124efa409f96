"""The JSON Schema (draft 2020-12) of a report's open data, served beside it."""

from __future__ import annotations

from typing import Any

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
WORDS, COUNT, OPTIONAL_COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": ["integer", "null"], "minimum": 0}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_PEOPLE = _object({"name": TEXTS} | dict.fromkeys(("women", "men", "other", "total", "institutions", "online"), OPTIONAL_COUNT))
_TABLE = _object({"by_type": _list(_PEOPLE), "total": _PEOPLE, "suppressed": {"type": "boolean"}})
_INDICATOR = _object(
    dict.fromkeys(("code", "answer", "evidence", "link", "institution"), WORDS) | dict.fromkeys(("topic", "question", "finding"), TEXTS)
)
_CONTENT = {
    **_object(
        {
            "number": COUNT,
            "title": TEXTS,
            "narrative": TEXTS,
            "well_developed": TEXTS,
            "potential": TEXTS,
            "recommendations": TEXTS,
            "indicators": _list(_INDICATOR),
        }
    ),
    "type": ["object", "null"],
}
_SIGN_OFF = {
    "type": "object",
    "properties": dict.fromkeys(("id", "name", "title", "institution", "decision", "reservation", "at"), WORDS),
    "required": ["id", "name", "institution", "decision", "at"],
}
_SECTION = _object(
    {
        "number": COUNT,
        "title": TEXTS,
        "revision": COUNT,
        "sha256": WORDS,
        "sign_offs": _list(_SIGN_OFF),
        "papers": _list(_object({"sha256": WORDS, "kept_at": WORDS})),
        "content": _CONTENT,
    }
)
_COMMENT = _object(
    {
        "number": COUNT,
        "section": COUNT,
        "indicator": WORDS,
        "kind": WORDS,
        "text": WORDS,
        "language": WORDS,
        "proposed": WORDS,
        "evidence": WORDS,
        "submitted_by": WORDS,
        "made_on_revision": COUNT,
        "disposition": {"type": ["string", "null"]},
        "response": WORDS,
        "carried_by_revision": OPTIONAL_COUNT,
    }
)
_POSITIONS = {
    "description": "How many hold which position, the newest of each person; null where fewer than three people could be read",
    **_object(dict.fromkeys(("agree", "reservation", "disagree", "abstain"), COUNT)),
    "type": ["object", "null"],
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A validated report",
    "description": "What the sealed PDF says, as data. A number that must not be told (fewer than three people) is null.",
    **_object(
        {
            "$schema": WORDS,
            "consultation": _object(
                {
                    "slug": WORDS,
                    "title": TEXTS,
                    "territory": WORDS,
                    "languages": _list(WORDS),
                    "partners": _list(WORDS),
                    "attribution": {"enum": ["by_name", "by_institution", "by_stakeholder_type"]},
                    "illustrative": {"type": "boolean"},
                }
            ),
            "validated_at": {"type": ["string", "null"], "format": "date-time"},
            "figures": {
                "type": "object",
                "required": ["sections", "indicators", "comments", "answered", "reservations", "positions", "events"],
            },
            "sections": _list(_SECTION),
            "comments": _list(_COMMENT),
            "positions": _list(
                _object(
                    {
                        "indicator": WORDS,
                        "people": OPTIONAL_COUNT,
                        "as_of": {"type": ["string", "null"], "format": "date-time"},
                        "counts": _POSITIONS,
                        "by_revision": _list(_object({"revisions": _list(COUNT), "counts": _POSITIONS})),
                    }
                )
            ),
            "participation": _list(
                _object({"event": TEXTS, "starts_on": WORDS, "ends_on": WORDS, "registered": _TABLE, "arrived": _TABLE})
            ),
            "log": _object({"chain": WORDS, "number": COUNT, "hash": WORDS}),
        }
    ),
}
