"""Server and job worker are killed while people are checked in: what was acknowledged is there, once, and the log verifies."""

from __future__ import annotations

import random
import tempfile
from collections import Counter, deque
from pathlib import Path

from proofs import Finding
from proofs.site import Server, Writers, arrived_twice, check_ins, desk, walk_ins, written
from tests.journeys.conftest import wait_for


def kill(*, writes: int, kills: int, within: float, clients: int = 8) -> Finding:
    """So many acknowledged writes over so many kills at moments that chance chooses; every tenth write is somebody who was not expected.

    `within`: seconds after which it has to serve again.
    """
    chance = random.Random(4)
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder), writes - writes // 10) as site:
        everything = [*check_ins(site), *walk_ins(site, writes // 10)]
        chance.shuffle(everything)
        server, slowest = Server(site.environment), 0.0
        server.start(site)
        moments = sorted(chance.sample(range(writes // 50, writes - writes // 20), kills))
        try:
            with Writers(server.port, site.token, deque(everything), clients) as writers:
                for moment in moments:
                    wait_for(lambda moment=moment: len(writers.acknowledged) + len(writers.given_up) >= moment, 120)
                    server.kill()
                    slowest = max(slowest, server.start(site))
        finally:
            server.kill()
        stands = written(site)
        lost = [key for key in writers.acknowledged if key not in stands]
        doubled = sum(count - 1 for count in stands.values()) + arrived_twice(site)
        mails = Counter(path.stem.rsplit("-", 1)[1] for path in (site.var / "mail").glob("*.eml"))
        ticket_mails, sent_twice = site.rows("SELECT count(*) FROM mails")[0][0], sum(count > 1 for count in mails.values())
        verified = site.command("audit", "verify")
        problems = [*writers.given_up, *verified.stderr.splitlines()]
        holds = (len(writers.acknowledged), ticket_mails, lost, doubled, sent_twice, problems) == (writes, writes // 10, [], 0, 0, [])
        return Finding(
            f"{len(writers.acknowledged):,} acknowledged over {kills} kills: {len(lost)} lost, {doubled} doubled, "
            f"{sent_twice} mails sent twice; log {'does NOT verify' if verified.returncode else 'verifies'}; "
            f"serving again within {slowest:.1f} s" + (f"; {problems[:3]}" if problems else ""),
            holds and verified.returncode == 0 and slowest < within,
        )
