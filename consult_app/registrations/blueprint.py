"""The blueprint that the pages about people at events share."""

from flask import Blueprint

bp = Blueprint("registrations", __name__)
