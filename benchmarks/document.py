"""Writes what `make bench` and `make scale` measured into docs/performance.md: `python -m benchmarks.document [SCALE.jsonl]`.

Between `<!-- bench -->`, `<!-- growth -->`, `<!-- capacity -->`, `<!-- scale -->` and their ends stands only what this made.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
GOALS = {
    "checkin_c8": ("at least 0.5 of the floor", lambda row: row["ratio"] >= 0.5),
    "checkin_c32": ("at least 0.5 of the floor", lambda row: row["ratio"] >= 0.5),
    "checkin_pg_c8": ("at least 0.5 of the floor", lambda row: row["ratio"] >= 0.5),
    "checkin_pg_c32": ("at least 0.5 of the floor", lambda row: row["ratio"] >= 0.5),
    **{
        name: ("at most 3 times the floor", lambda row: row["ratio"] <= 3)
        for name in (
            "event_page",
            "dashboard",
            "guest_list",
            "guest_list_10000",
            "indicator_page_10",
            "indicator_page_10000",
            "indicator_page_10_postgresql",
            "indicator_page_10000_postgresql",
        )
    },
    **{name: ("at most 2 times the floor", lambda row: row["ratio"] <= 2) for name in ("badges_1000", "report_98", "report_5000_comments")},
    "stream_fanout_1000": ("at most 1 s", lambda row: row["value"] <= 1),
    "stream_memory": ("at most 100 KB", lambda row: row["value"] <= 100),
    "cold_start": ("at most 2 s", lambda row: row["value"] <= 2),
    "rss_worker": ("under 120 MB", lambda row: row["value"] < 120),
    **{
        name: ("at most 1.3", lambda row: row["value"] <= 1.3)
        for name in (
            "dashboard_growth",
            "event_page_growth",
            "guest_list_growth",
            "indicator_page_ratio",
            "indicator_page_ratio_postgresql",
        )
    },
    "scale_checkin_p99": ("under 250 ms", lambda row: row["value"] < 250),
    "scale_lost": ("none", lambda row: row["value"] == 0),
    "scale_streams_behind": ("none", lambda row: row["value"] == 0),
}
# what a workshop is, for the computation of what is needed
WORKSHOP = {"people": 100, "comments": 400, "peak": 0.25}  # at its peak each person asks every four seconds


def shown(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}" if abs(number) >= 100 else f"{number:.2f}"


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| figure | value | unit | floor | ratio | spread | n | goal | met |", "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        goal, holds = GOALS.get(row["name"], ("", None))
        met = "" if holds is None else "yes" if holds(row) else "**no**"
        numbers = [shown(row[key]) for key in ("value", "floor", "ratio", "spread")]
        lines.append(f"| {row['name']} | {numbers[0]} | {row['unit']} | {' | '.join(numbers[1:])} | {row['n']:,} | {goal} | {met} |")
    return "\n".join(lines)


def capacity(found: dict[str, dict[str, Any]]) -> str:
    """From the slopes: bytes of a participant with comments, and milliseconds of a page."""
    sizes = [found[f"growth_{size}_bytes"] for size in (500, 5_000, 50_000)]
    (first, last) = sizes[0], sizes[-1]
    slope = (last["value"] * last["n"] - first["value"] * first["n"]) / (last["n"] - first["n"])
    milliseconds = found["growth_50000_page"]["value"]
    each = 1000 / milliseconds
    rows = [("one workshop", 1), ("a country, 20 a month", 20), ("190 countries, 1,000 a month", 1_000)]
    lines = [
        f"A participant with a comment takes {slope:,.0f} bytes of the database (slope from {first['n']:,} to {last['n']:,}). A page of",
        f"an indicator takes {milliseconds:.0f} ms of one core: one server process gives {each:.0f} a second, two cores {2 * each:.0f}.",
        "",
        "| load | participants a year | database a year | workshops on one day | pages a second at the peak | server processes |",
        "|---|---|---|---|---|---|",
    ]
    for name, monthly in rows:
        people = monthly * 12 * WORKSHOP["people"]
        per_day = max(1.0, monthly / 21)
        peak = per_day * WORKSHOP["people"] * WORKSHOP["peak"] / 5  # a fifth of them at the same hour
        size = people * (1 + WORKSHOP["comments"] / WORKSHOP["people"]) / 2 * slope / 1e9
        processes = max(1, -(-peak // (each * 0.5)))  # half loaded
        lines.append(f"| {name} | {people:,} | {size:,.2f} GB | {per_day:,.0f} | {peak:,.0f} | {processes:,.0f} |")
    return "\n".join(lines)


def fill(text: str, mark: str, words: str) -> str:
    return re.sub(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{words}\n{m[2]}", text, flags=re.DOTALL)


def main() -> None:
    text = DOCUMENT.read_text()
    rows = [json.loads(line) for line in (ROOT / "var" / "bench.jsonl").read_text().splitlines()]
    found = {row["name"]: row for row in rows}
    text = fill(text, "bench", table([row for row in rows if not row["name"].startswith("growth_")]))
    if "growth_50000_bytes" in found:
        text = fill(text, "growth", table([row for row in rows if row["name"].startswith("growth_")]))
        text = fill(text, "capacity", capacity(found))
    for path in sys.argv[1:]:
        text = fill(text, "scale", table([json.loads(line) for line in Path(path).read_text().splitlines()]))
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
