"""The WSGI entry point: `gunicorn wsgi:app`."""

from consult_app import create_app

app = create_app()
