"""Views."""

from flask import Blueprint

from consult_app.comments import models as models

bp = Blueprint("comments", __name__)
