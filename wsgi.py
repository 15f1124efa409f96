"""The WSGI entry point: `gunicorn wsgi:app`."""

import gc

gc.disable()  # nearly all that an import makes stays: the collector would look through it again and again

from consult_app import create_app  # noqa: E402

app = create_app()

# What stands now stays for good: the collector need not look at it again, and looks less often at what requests leave behind.
gc.enable()
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
