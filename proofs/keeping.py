"""A backup is made while people are checked in, and restored into an empty folder."""

from __future__ import annotations

import dataclasses
import json
import tarfile
import tempfile
import time
from collections import deque
from pathlib import Path

from proofs import Finding
from proofs.site import Writers, check_ins, desk, serving, walk_ins, written
from tests.journeys.conftest import wait_for


def backup(*, guests: int, backups: int) -> Finding:
    """So many backups one after the other under load; each is restored, verified, and compared with what was acknowledged before it."""
    with tempfile.TemporaryDirectory() as folder:
        var, kept = Path(folder) / "var", Path(folder) / "kept"
        var.mkdir()
        kept.mkdir()
        with desk(var, guests) as site:
            everything = deque(write for pair in zip(check_ins(site), walk_ins(site, guests), strict=True) for write in pair)
            taken: list[tuple[float, float, Path]] = []
            with serving(site) as server, Writers(server.port, site.token, everything, per_second=200) as writers:
                wait_for(lambda: len(writers.acknowledged) > 20)
                for n in range(backups):
                    started, file = time.monotonic(), kept / f"{n}.tar"
                    made = site.command("backup", str(file))
                    assert made.returncode == 0, made.stderr
                    taken.append((started, time.monotonic(), file))
                writers.stop()
            loss, problems, missing_before = 0.0, list(writers.given_up), 0
            for started, ended, file in taken:
                into = kept / f"{file.stem}-restored"
                restored = site.command("restore", str(file), str(into))  # which verifies the log
                again = dataclasses.replace(site, var=into)
                with tarfile.open(file) as archive:
                    manifest = archive.extractfile("manifest.json")
                    assert manifest
                    heads = json.load(manifest)["heads"]
                same_head = heads == {c: [n, h] for c, n, h in again.rows("SELECT chain, number, hash FROM audit_heads ORDER BY chain")}
                if restored.returncode or not same_head:
                    problems.append(f"{restored.stderr} same head: {same_head}")
                stands = written(again)
                missing = [at for key, at in writers.acknowledged.items() if key not in stands and at < ended]
                missing_before += sum(at < started for at in missing)
                loss = max(loss, ended - min(missing, default=ended))
        longest = max(ended - started for started, ended, _file in taken)
        figure = (
            f"{len(taken)} backups during {len(writers.acknowledged):,} acknowledged writes, the longest {longest:.1f} s: same log head, "
            f"{missing_before} missing of what was acknowledged before, at most the last {loss:.1f} s lost"
        )
        return Finding(figure + (f"; {problems[:2]}" if problems else ""), not problems and not missing_before and loss <= 60)
