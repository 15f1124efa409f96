"""The WSGI entry point: `gunicorn wsgi:app`."""

import gc

from consult_app import create_app

app = create_app()

# What stands now stays for good: the collector need not look at it again, and looks less often at what requests leave behind.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
