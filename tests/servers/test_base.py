"""What every kind of server refuses in the same words."""

import pytest

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Change
from tpm_pipeline.servers.base import refuse_drift, silent


def test_what_a_hand_changed_is_refused_in_one_error_that_names_it_all() -> None:
    changes = [Change("drift", "a: closed"), Change("update", "b 2"), Change("drift", "c: moved")]

    with pytest.raises(ServerError) as error:
        refuse_drift("central", changes)

    assert (error.value.code, error.value.exit_code, error.value.retryable) == ("SRV-040", 12, False)
    assert error.value.cause == "It was changed by hand. a: closed. c: moved."
    assert "--force" in error.value.remedy


def test_nothing_is_refused_and_nothing_said_where_no_hand_was() -> None:
    refuse_drift("central", [Change("update", "b 2"), Change("none", "a 1")])
    silent("b 2")
