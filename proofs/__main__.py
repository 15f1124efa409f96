"""`python -m proofs [names]`: run the long forms (`--short`: the short ones), print a line each, exit 1 where one does not hold.

With `--write FILE`, put what came out into the table of that file; rows of proofs that did not run stay.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
import time
import traceback
from pathlib import Path

from proofs import Finding, Proof
from proofs.promises import PROOFS

BEGIN, END = "<!-- proofs: written by make prove -->", "<!-- end of proofs -->"
HEAD = ["| proof | must hold | figure | holds | measured |", "|---|---|---|---|---|"]


def run(proof: Proof, *, short: bool) -> tuple[Finding, float]:
    """What came out, and the seconds that it took. A proof that breaks off does not hold."""
    started = time.monotonic()
    try:
        finding = proof.find(short=short)
    except Exception as problem:
        traceback.print_exc()
        finding = Finding(f"broke off: {type(problem).__name__}: {problem}".splitlines()[0][:200], holds=False)
    return finding, time.monotonic() - started


def _row(proof: Proof, finding: Finding, seconds: float) -> str:
    machine = f"{dt.datetime.now(dt.UTC).date()}, {seconds:.0f} s, {os.cpu_count()} processors, Python {platform.python_version()}"
    return f"| {proof.name} | {proof.promise} | {finding.figure} | {'yes' if finding.holds else '**no**'} | {machine} |"


def write(file: Path, rows: dict[str, str]) -> None:
    """Put rows into the table between the marks; the order is that of the promises."""
    text = file.read_text()
    before, rest = text.split(BEGIN, 1)
    table, after = rest.split(END, 1)
    known = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("|")}
    known.update(rows)
    lines = [*HEAD, *(known[proof.name] for proof in PROOFS if proof.name in known)]
    file.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]))


def main() -> None:
    names = [proof.name for proof in PROOFS]
    parser = argparse.ArgumentParser(prog="python -m proofs", description="What must hold when things go wrong.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(names)}; all of them if none is given")
    parser.add_argument("--short", action="store_true", help="the sizes that make test uses")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into the table of this file")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(names):
        parser.error(f"there is no proof {', '.join(sorted(unknown))}")
    all_hold = True
    for proof in PROOFS:
        if asked.names and proof.name not in asked.names:
            continue
        finding, seconds = run(proof, short=asked.short)
        print(f"{proof.name}: {finding.figure}: {'holds' if finding.holds else 'DOES NOT HOLD'} ({seconds:.0f} s)", flush=True)
        all_hold = all_hold and finding.holds
        if asked.write:
            write(asked.write, {proof.name: _row(proof, finding, seconds)})
    sys.exit(0 if all_hold else 1)


if __name__ == "__main__":
    main()
