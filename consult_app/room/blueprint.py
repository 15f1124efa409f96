"""The blueprint that the views of a room share."""

from flask import Blueprint, g, request

bp = Blueprint("room", __name__)


def who() -> str:
    """Limits count by person and not by address: a hall shares one."""
    return str(g.actor.actor_key)


def is_script() -> bool:
    """Whether the page's script asks, and puts the answer in itself."""
    return request.headers.get("X-Requested-With") == "fetch"
