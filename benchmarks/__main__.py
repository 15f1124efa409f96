"""`python -m benchmarks`: every figure beside its floor, one JSON object a line on standard output and in var/bench.jsonl; then a table.

`python -m benchmarks checkins pages` measures only these. Each part runs in a process of its own, one after the other: what
one leaves behind is not measured by the next.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("processes", "pages", "checkins", "registration", "indicator", "streams", "reports", "guests")
NAMES = """
    checkin_c1 checkin_c8 checkin_c32 checkin_pg_c32 register comment_post indicator_page_10 indicator_page_10000 guest_search_10000
    dashboard stream_fanout_1000 stream_memory badges_1000 report_98 report_5000_comments import_10000 audit_verify cold_start rss_worker
    participant_first_load_bytes
    """.split()  # noqa: SIM905  a list of words is easier to read


def measured(part: str) -> list[dict[str, Any]]:
    """The figures of one part, passed on as they come."""
    found = []
    command = [sys.executable, "-m", f"benchmarks.{part}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            found.append(json.loads(line))
    if process.returncode:
        print(f"# {part} ended with {process.returncode}", file=sys.stderr)
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """The figures that are named first, then the others."""
    order = {name: place for place, name in enumerate(NAMES)}
    lines = [("name", "value", "unit", "floor", "ratio", "spread", "n")]
    for row in sorted(rows, key=lambda row: order.get(row["name"], len(order))):
        values = [row["value"], row["floor"], row["ratio"], row["spread"]]
        value, floor, ratio, spread = ("–" if one is None else f"{one:,.2f}" for one in values)
        lines.append((row["name"], value, row["unit"], floor, ratio, spread, f"{row['n']:,}"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def main() -> None:
    started, rows = time.monotonic(), []
    for part in sys.argv[1:] or PARTS:
        begun = time.monotonic()
        rows += measured(part)
        print(f"# {part}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    place = ROOT / "var" / "bench.jsonl"
    place.parent.mkdir(exist_ok=True)
    place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(table(rows), file=sys.stderr)
    missing = [name for name in NAMES if name not in {row["name"] for row in rows}]
    print(f"# {time.monotonic() - started:.0f} s" + (f", without {', '.join(missing)}" if missing else ""), file=sys.stderr)
    sys.exit(1 if missing and len(sys.argv) == 1 else 0)


if __name__ == "__main__":
    main()
