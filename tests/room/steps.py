"""What people do with a room, over HTTP."""

from __future__ import annotations

from typing import Any

from consult_app.db import db
from consult_app.room.models import Room


def do(who: Any, room: Room, what: str, about: Any = "", **given: Any) -> str:
    answer = who.post(f"/rooms/{room.public_id}/do", data={"do": f"{what} {about}".strip(), **given}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    db.session.refresh(room)
    return str(answer.text)


def say(phone: Any, room: Room, text: str = "What I hold", key: str = "k" * 20, **more: Any) -> Any:
    code = room.indicator.code if room.indicator else ""
    return phone.post(f"/rooms/{room.public_id}/comments", data={"code": code, "kind": "context", "text": text, "client_key": key, **more})


def now(who: Any, room: Room, view: str = "phone", **more: Any) -> Any:
    answer = who.get(f"/rooms/{room.public_id}/now?view={view}", **more)
    assert answer.status_code == 200
    return answer.json
