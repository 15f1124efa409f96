"""Devices whose clock is a day off: every scan of a guest counts, at its true time, and what the device said stays beside it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from benchmarks.site import empty_site, register
from consult_app.attendance.devices import create_token
from consult_app.attendance.models import CheckIn
from consult_app.db import clock_at, db, now
from consult_app.registrations.tickets import ticket_code
from proofs import Finding
from proofs.site import record_guests
from tests.factories import BY

DAY = dt.timedelta(days=1)
NEAR = dt.timedelta(seconds=3)  # differences that the way of a request explains are none


def clocks(*, guests: int) -> Finding:
    """Three devices, a day behind, a day ahead and right; of each half of the scans are sent alone and half in one batch, a minute late."""
    refused, wrong = list[str](), 0
    with empty_site() as (app, event):
        people = register(event, guests)
        record_guests(event, people)
        with clock_at(now() - dt.timedelta(hours=1)):  # what a device says of before its pairing does not count
            tokens = [create_token(event, f"Desk {n}", by=BY)[1] for n in range(3)]
        codes, url = [ticket_code(person.seed) for person in people], f"/api/v1/events/{event.slug}/checkins"
        db.session.commit()
        true_times: dict[str, tuple[dt.datetime, dt.datetime]] = {}  # when it was, and what the device said, by nonce

        def send(device: int, path: str, body: dict[str, Any]) -> Any:
            body["device_now"] = (dt.datetime.now(dt.UTC) + offsets[device]).isoformat()
            return app.test_client().post(path, json=body, headers={"Authorization": f"Bearer {tokens[device]}"})

        offsets, late = (-DAY, DAY, dt.timedelta()), dt.timedelta(minutes=1)
        batches: list[list[dict[str, Any]]] = [[], [], []]
        for n, code in enumerate(codes):
            device, moment = n % 3, dt.datetime.now(dt.UTC) - (late if n // 3 % 2 else dt.timedelta())
            claimed = moment + offsets[device]
            item = {"code": code, "nonce": f"n{n}", "scanned_at": claimed.isoformat()}
            true_times[f"n{n}"] = moment, claimed
            if n // 3 % 2:
                batches[device].append(item)
            else:
                refused += [r for r in [send(device, url, item).json.get("result")] if r != "ok"]
        for device, items in enumerate(batches):
            for start in range(0, len(items), 500):
                results = send(device, f"{url}/batch", {"items": items[start : start + 500]}).json["results"]
                refused += [r["result"] for r in results if r["result"] != "ok"]
        for row in db.session.scalars(db.select(CheckIn).where(CheckIn.event_id == event.id)):
            moment, claimed = true_times.pop((row.nonce or "").partition(":")[0])
            wrong += row.claimed_at != claimed or abs(row.scanned_at - moment) > NEAR
    figure = f"{guests} scans of devices a day behind, a day ahead and right: {len(refused)} refused, {wrong} without both times"
    return Finding(f"{figure}{f'; {refused[:3]}' if refused else ''}", not refused and not wrong and not true_times)
