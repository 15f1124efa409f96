"""Views."""

from flask import Blueprint

from consult_app.signoff import models as models

bp = Blueprint("signoff", __name__)
