"""Every promise of docs/reliability.md in its short form; `make prove` runs the long ones."""

from __future__ import annotations

import pytest

from proofs import Proof
from proofs.promises import PROOFS


@pytest.mark.parametrize("proof", PROOFS, ids=[proof.name for proof in PROOFS])
def test_in_short(proof: Proof) -> None:
    finding = proof.find(short=True)
    assert finding.holds, finding.figure
