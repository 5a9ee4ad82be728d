"""Machines that do not tell their rated power, so that a person has to."""

from dataclasses import replace
import json
from pathlib import Path
from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.find.identify import Identity, identify
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .fake_unit import FakeUnit

IMAGE: Final = Path(__file__).parents[1] / "fixtures" / "saj_h2_6k_s2.json"
RATED_POWER: Final = 0x366D


def machine(rated_power: int) -> FakeUnit:
    """Return an H2 of the series S2 with this in its register for the rated power."""
    runs = json.loads(IMAGE.read_text(encoding="utf-8"))
    image = {
        address: word
        for first, words in runs.items()
        for address, word in enumerate(words, int(first, 16))
    }
    return FakeUnit({**image, RATED_POWER: rated_power})


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing."""
    monkeypatch.setitem(FAMILIES, "saj", replace(FAMILIES["saj"], spacing=0.0, settle=0.0))


async def test_reported_rated_power_is_not_asked_for() -> None:
    """Nobody is asked, and only what shapes it is kept."""
    identity = await identify(machine(6000))
    assert identity.lacks_rated_power is False
    assert identity.model == "H2-6K-S2"
    assert identity.facts == {"rated_power": 6000}


@pytest.mark.parametrize("word", [0, 6, 61000, 0xFFFF])
async def test_a_machine_that_does_not(word: int) -> None:
    """Nothing, kilowatts, or more than any machine of the family has: a person is asked, within its bounds."""
    identity = await identify(machine(word))
    assert identity.lacks_rated_power is True
    assert identity.model == "H2-xK-S2"
    assert identity.rated_powers == (1000, 60000)
    told = identity.with_rated_power(5000)
    assert told.lacks_rated_power is False
    assert told.facts["rated_power"] == 5000
    assert (told.manufacturer, told.model) == ("SAJ", "H2-5K-S2")
    assert (told.serial, told.firmware, told.features) == (
        identity.serial,
        identity.firmware,
        identity.features,
    )


def test_a_type_that_is_not_public() -> None:
    """The name has both, the rated power and the type."""
    found = Identity(
        family="saj",
        serial="SAJSIM000000000001",
        manufacturer="SAJ",
        model="H2 xK",
        firmware=None,
        facts={"device_type": 96},
    )
    assert found.with_rated_power(8000).model == "Hybrid 8K"
