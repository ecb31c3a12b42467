"""Each fault fits the product as it is."""

from __future__ import annotations

import pytest

from tests.infrastructure.synthesised import ROOT
from tests.simulation.mutations.faults import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_stands_in_the_product_where_it_is_put(fault: Fault) -> None:
    assert (ROOT / fault.path).read_text().count(fault.before) == 1
    assert fault.before != fault.after


def test_their_names_tell_them_apart() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30
