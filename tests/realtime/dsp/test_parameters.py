"""Parameters: their ranges, and JSON."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.dsp.parameters import Parameters

GAINS = st.floats(-24, 24)


@given(st.booleans(), st.floats(0, 1.5), GAINS, GAINS)
def test_state_is_restored_from_json(bypass, mix, before, after) -> None:
    made = Parameters(bypass=bypass, mix=mix, input_gain_db=before, output_gain_db=after)
    assert Parameters.from_json(made.to_json()) == made
    assert json.loads(made.to_json()) == dataclasses.asdict(made)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.mix = 0.5


def test_missing_keys_take_their_defaults() -> None:
    assert Parameters.from_json("{}") == Parameters()
    assert Parameters.from_json('{"mix": 1}') == Parameters(mix=1.0)


WRONG = {"mix": [-0.001, 1.501], "input_gain_db": [25, -25], "output_gain_db": [25, -25]}


@pytest.mark.parametrize("name", WRONG)
def test_values_out_of_range_are_refused_by_name(name) -> None:
    numbers = [math.nan, math.inf, -math.inf, 10**400, *WRONG[name]]
    for value in (*numbers, "1", None, True, [1.0]):
        with pytest.raises(ValueError, match=name):
            Parameters(**{name: value})


@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_bypass_is_true_or_false(value) -> None:
    with pytest.raises(ValueError, match="bypass"):
        Parameters(bypass=value)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "1", "null", '"mix"', '{"mix": NaN}', '{"mix": "loud"}',
     '{"mixx": 1}', '{"mix": ' + "9" * 400 + "}", '{"bypass": 1}', "{" * 3, "[" * 100_000],
)  # fmt: skip
def test_unusable_json_is_a_value_error(text) -> None:
    with pytest.raises(ValueError):
        Parameters.from_json(text)
