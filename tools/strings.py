"""`make strings`: bring the catalogues up to date with the strings that the sources mark.

New strings come in without a translation, strings that no source has any more go out. Prints what is left to translate.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.pofile import read_po, write_po

KEYWORDS = ["_", "gettext", "ngettext:1,2", "lazy_gettext"]


def main() -> int:
    """Update every catalogue; returns 1 where a string waits for its translation."""
    pybabel = Path(sys.executable).parent / "pybabel"
    left = 0
    with tempfile.TemporaryDirectory() as folder:
        pot = Path(folder) / "messages.pot"
        keywords = [word for keyword in KEYWORDS for word in ("-k", keyword)]
        ignored = ".[a-z]* node_modules var"
        command = [pybabel, "-q", "extract", "-F", "babel.cfg", "--ignore-dirs", ignored, *keywords]
        subprocess.run([*command, "-o", pot, "."], check=True)
        for path in sorted(Path("consult_app/translations").glob("*/LC_MESSAGES/*.po")):
            with path.open("rb") as file:
                catalogue = read_po(file)
            made_at = catalogue.creation_date  # a date that changes by itself would only make conflicts
            with pot.open("rb") as file:
                catalogue.update(read_po(file), no_fuzzy_matching=True)
            catalogue.creation_date = made_at
            with path.open("wb") as file:
                write_po(file, catalogue, sort_output=True, no_location=True, ignore_obsolete=True)
            for message in catalogue:
                strings = message.string if isinstance(message.string, tuple) else (message.string,)
                if message.id and not all(strings):
                    left += 1
                    print(f"{path}: {message.id!r}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
