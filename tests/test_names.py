"""Names of entities: no entity id of a new installation says a word twice in a row."""

import json
from pathlib import Path
import re
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = REPOSITORY / "tests" / "fixtures" / "golden"
GOLDEN: Final = [*sorted(FOLDER.glob("[cs]*_*.txt")), FOLDER / "jso_image.txt"]
TEXTS: Final = json.loads(
    (REPOSITORY / "custom_components" / "hybrid_inverter" / "translations" / "en.json").read_text(
        "utf-8"
    )
)
ENTITY: Final = re.compile(
    r"(?P<platform>\w+)\.\S+ \| UNIT\d+(?:_(?P<part>\w+))? \|.*\btext=(?P<text>\w+)"
)


def words(name: str) -> list[str]:
    """The words of a name; "PV{number}" begins with the word "PV"."""
    return re.findall(r"[a-z]+", re.sub(r"\{\w+\}", " ", name).lower())


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_no_name_repeats_what_its_device_is_called(golden: Path) -> None:
    """An entity id is made of both names: grid_grid_present says less than grid_supply."""
    found = {
        (match["part"], match["platform"], match["text"])
        for match in map(ENTITY.match, golden.read_text("utf-8").splitlines())
        if match and match["part"]
    }
    assert not [
        f"{part}: {name}"
        for part, platform, text in sorted(found)
        if (name := TEXTS["entity"][platform][text].get("name"))
        and words(name)[0] in words(TEXTS["device"][part]["name"].removeprefix("{inverter}"))
    ]


def test_a_fault_is_a_code_and_what_the_event_says_of_it() -> None:
    """Each code that the sensor names in words has those of the event, which stand in the logbook."""
    meanings = TEXTS["entity"]["event"]["fault"]["state_attributes"]["event_type"]["state"]
    for sensor in ("fault", "warning"):
        for code, text in TEXTS["entity"]["sensor"][sensor]["state"].items():
            if code != "none":
                assert text == ": ".join(filter(None, (code.upper(), meanings.get(code))))
