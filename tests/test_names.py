"""Names of entities: no entity id of a new installation says a word twice in a row."""

import json
from pathlib import Path
import re
from typing import Any, Final

import pytest

REPOSITORY: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = REPOSITORY / "tests" / "fixtures" / "golden"
GOLDEN: Final = [*sorted(FOLDER.glob("[cs]*_*.txt")), FOLDER / "jso_image.txt"]
TRANSLATIONS: Final = REPOSITORY / "custom_components" / "hybrid_inverter" / "translations"
LANGUAGES: Final = sorted(path.stem for path in TRANSLATIONS.glob("*.json"))
TEXTS: Final = json.loads((TRANSLATIONS / "en.json").read_text("utf-8"))
ENTITY: Final = re.compile(
    r"(?P<platform>\w+)\.\S+ \| UNIT\d+(?:_(?P<part>\w+))? \|.*\btext=(?P<text>\w+)"
)
DEVICE: Final = re.compile(r"(?P<platform>\w+)\.\S+ \| (?P<device>\S+) \|.*\btext=(?P<text>\w+)")


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


def name_of(texts: dict[str, Any], platform: str, text: str) -> str:
    """The name of an entity in a language, or in English, or its key where it has none."""
    known = (each.get(platform, {}).get(text, {}).get("name") for each in (texts, TEXTS["entity"]))
    return next(filter(None, known), text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_entities_of_a_device_are_called_the_same(language: str) -> None:
    """A person could not tell them apart; in another language two words of English may become one."""
    texts = json.loads((TRANSLATIONS / f"{language}.json").read_text("utf-8"))["entity"]
    same = set()
    for golden in sorted(FOLDER.glob("*.txt")):
        # By tier and device; phases, slots and packs have a text with a number.
        named: dict[tuple[str, str], dict[str, str]] = {}
        tier = ""
        for line in golden.read_text("utf-8").splitlines():
            tier = line if line.startswith("#") else tier
            if match := DEVICE.match(line):
                name = name_of(texts, match["platform"], match["text"])
                device = named.setdefault((tier, match["device"]), {})
                if device.setdefault(name.lower(), match["text"]) != match["text"]:
                    same.add((name, device[name.lower()], match["text"]))
    assert same == set()


def test_a_fault_is_a_code_and_what_the_event_says_of_it() -> None:
    """Each code that the sensor names in words has those of the event, which stand in the logbook."""
    meanings = TEXTS["entity"]["event"]["fault"]["state_attributes"]["event_type"]["state"]
    for sensor in ("fault", "warning"):
        for code, text in TEXTS["entity"]["sensor"][sensor]["state"].items():
            if code != "none":
                assert text == ": ".join(filter(None, (code.upper(), meanings.get(code))))
