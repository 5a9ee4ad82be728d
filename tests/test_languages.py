"""The texts in other languages: what is shown of them, and what a check finds."""

import json
from pathlib import Path
import re
import shutil
from typing import Any, Final

import pytest

from scripts.lab.languages.english import hash_of
from scripts.lab.languages.language import Glossary, Language, String
from scripts.lab.languages.left import english_left
from scripts.lab.languages.rules import RULES, faults
from scripts.lab.translate import main

ROOT: Final = Path(__file__).parents[1]
TRANSLATIONS: Final = Path("custom_components") / "hybrid_inverter" / "translations"
LANGUAGES: Final = ("cs", "de", "es", "fr", "hu", "it", "nl", "pl", "pt", "ro", "sv", "uk")
GERMAN: Final = Glossary(
    terms={"battery": "Batterie"},
    stems={"battery": ("batterie", "akku")},
    loan_words=frozenset({"modbus", "home", "assistant"}),
)


def repository(
    folder: Path, english: dict[str, Any], **languages: dict[str, tuple[str, str]]
) -> Path:
    """A repository with English texts, and languages whose strings are given as English and translated."""
    write(folder / TRANSLATIONS / "en.json", english)
    for code, strings in languages.items():
        made = {
            key: {"text": text, "by": "machine", "en": hash_of(of)}
            for key, (of, text) in strings.items()
        }
        write(folder / "languages" / code / "strings.json", made)
    return folder


def write(path: Path, content: Any) -> Path:
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def read(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def translate(folder: Path, *arguments: str | Path) -> int:
    """Run scripts/translate in a repository."""
    return main(["--repository", str(folder), *map(str, arguments)])


# ---------------------------------------------------------------------- this repository


def test_the_languages_of_this_repository_hold(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is wrong, and the built files are made of the strings; what is stale or missing may be on a branch."""
    assert main(["check"]) == 0, "\n".join(
        line for line in capsys.readouterr().out.splitlines() if line.startswith("wrong")
    )


def test_every_language_has_its_files() -> None:
    """Each with its strings, its glossary and the file that Home Assistant reads."""
    assert sorted(path.parent.name for path in ROOT.glob("languages/*/strings.json")) == [
        *LANGUAGES
    ]
    assert sorted(path.stem for path in (ROOT / TRANSLATIONS).glob("*.json")) == sorted(
        [*LANGUAGES, "en"]
    )
    for code in LANGUAGES:
        glossary = read(ROOT / "languages" / code / "glossary.json")
        assert 60 <= len(glossary["terms"]) <= 130, code
        assert {"battery", "inverter", "grid", "meter"} <= glossary["stems"].keys(), code


def test_a_changed_english_sentence_is_stale_in_every_language_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Home Assistant says it in English until it is translated again, and a release has to wait for that."""
    shutil.copytree(ROOT / "languages", tmp_path / "languages")
    shutil.copytree(ROOT / TRANSLATIONS, tmp_path / TRANSLATIONS)
    english = read(tmp_path / TRANSLATIONS / "en.json")
    english["config"]["error"]["port_busy"] = "Another program uses this serial port. Stop it."
    write(tmp_path / TRANSLATIONS / "en.json", english)
    stale = f"stale: config.error.port_busy ({', '.join(LANGUAGES)})"

    assert translate(tmp_path, "check") == 1, "the built files still have the old sentence"
    assert stale in capsys.readouterr().out.splitlines()
    assert translate(tmp_path, "build") == 0
    for code in LANGUAGES:
        built = read(tmp_path / TRANSLATIONS / f"{code}.json")
        assert "port_busy" not in built["config"]["error"], code
        assert "cannot_connect" in built["config"]["error"], code
    assert translate(tmp_path, "check") == 0
    assert stale in capsys.readouterr().out.splitlines()
    assert translate(tmp_path, "check", "--release") == 1


def test_a_release_waits_until_nothing_is_stale_or_missing() -> None:
    """Its workflow checks that before it makes anything."""
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    runs = re.findall(r"run: (.+)", workflow)
    assert runs[0] == "scripts/translate check --release"


def test_the_readme_says_of_every_language_how_it_was_made() -> None:
    """By a machine or by native readers: all of it, some or none."""

    def amount(number: int, whole: int) -> str:
        return "none" if number == 0 else "all" if number == whole else "some"

    rows = re.findall(
        r"^\| \S+ \(`(\w+)`\) \| (\w+) \| (\w+) \|$",
        (ROOT / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert sorted(code for code, _, _ in rows) == [*LANGUAGES]
    for code, machine, native in rows:
        made = [one["by"] for one in read(ROOT / "languages" / code / "strings.json").values()]
        assert machine == amount(made.count("machine"), len(made)), code
        assert native == amount(made.count("native"), len(made)), code


# ---------------------------------------------------------------------- the strings


ENGLISH: Final = {"config": {"abort": {"gone": "It has gone."}, "error": {"late": "It is late."}}}


def test_what_is_stale_or_missing_is_left_out(tmp_path: Path) -> None:
    """So that Home Assistant says it in English."""
    folder = repository(
        tmp_path,
        ENGLISH,
        de={
            "config.abort.gone": ("It has left.", "Es ist abgereist."),
            "config.error.late": ("It is late.", "Es ist spät."),
        },
    )
    assert translate(folder, "build") == 0
    assert read(folder / TRANSLATIONS / "de.json") == {
        "config": {"error": {"late": "Es ist spät."}}
    }


def test_what_english_no_longer_has_is_wrong_until_the_next_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A string for which there is no English text is of no use to anybody."""
    strings = {
        "config.error.old": ("Old.", "Alt."),
        "config.error.late": ("It is late.", "Es ist spät."),
    }
    folder = repository(tmp_path, ENGLISH, de=strings)
    assert translate(folder, "check") == 1
    assert "wrong: de: config.error.old: English has no such text" in capsys.readouterr().out
    assert translate(folder, "build") == 0
    assert translate(folder, "check") == 0
    assert list(read(folder / "languages" / "de" / "strings.json")) == ["config.error.late"]


def test_missing_strings_are_filled_in_and_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one form; a line for each in the order of English, and the file for Home Assistant is built."""
    folder = repository(
        tmp_path, ENGLISH, de={"config.error.late": ("It is late.", "Es ist spät.")}
    )
    assert translate(folder, "missing", "de") == 0
    form = json.loads(capsys.readouterr().out)
    assert form == {"config.abort.gone": {"en": "It has gone.", "text": ""}}
    form["config.abort.gone"]["text"] = "Es ist weg."
    assert (
        translate(folder, "take", "de", write(tmp_path / "form.json", form), "--by", "native") == 0
    )
    # The first eight digits of the SHA-256 of the English texts.
    assert (folder / "languages" / "de" / "strings.json").read_text(encoding="utf-8") == (
        '{\n"config.abort.gone": {"text": "Es ist weg.", "by": "native", "en": "5bd7d611"},\n'
        '"config.error.late": {"text": "Es ist spät.", "by": "machine", "en": "0d54a627"}\n}\n'
    )
    assert read(folder / TRANSLATIONS / "de.json")["config"]["abort"] == {"gone": "Es ist weg."}


def test_a_text_that_stands_elsewhere_too_is_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is the same in English may be the same in another language."""
    english = {"config": {"abort": {"late": "It is late."}, "error": {"late": "It is late."}}}
    folder = repository(
        tmp_path, english, de={"config.error.late": ("It is late.", "Es ist spät.")}
    )
    assert translate(folder, "missing", "de") == 0
    form = json.loads(capsys.readouterr().out)
    assert form == {"config.abort.late": {"en": "It is late.", "text": "Es ist spät."}}


def test_a_form_that_was_printed_before_english_changed_is_stale_at_once(tmp_path: Path) -> None:
    """The hash is of the sentence that the translator has seen."""
    folder = repository(tmp_path, ENGLISH)
    form = {"config.error.late": {"en": "It was late.", "text": "Es war spät."}}
    assert (
        translate(folder, "take", "de", write(tmp_path / "form.json", form), "--by", "machine") == 0
    )
    assert read(folder / TRANSLATIONS / "de.json") == {}


def test_a_machine_does_not_replace_what_a_native_reader_has_made(tmp_path: Path) -> None:
    """As long as it is not stale; a reader who finds a string right signs it."""
    folder = repository(tmp_path, ENGLISH)
    for by, text, kept in (
        ("machine", "Es ist spät.", ("Es ist spät.", "machine")),
        ("native", "Es ist spät.", ("Es ist spät.", "native")),
        ("machine", "Spät ist es.", ("Es ist spät.", "native")),
    ):
        form = {"config.error.late": {"en": "It is late.", "text": text}}
        assert translate(folder, "take", "de", write(tmp_path / "form.json", form), "--by", by) == 0
        string = read(folder / "languages" / "de" / "strings.json")["config.error.late"]
        assert (string["text"], string["by"]) == kept


def test_an_unknown_key_is_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a mistake of whoever filled in the form."""
    folder = repository(tmp_path, ENGLISH)
    form = {"config.error.early": {"en": "It is early.", "text": "Es ist früh."}}
    assert (
        translate(folder, "take", "de", write(tmp_path / "form.json", form), "--by", "machine") == 1
    )
    assert capsys.readouterr().err == "English has no such text: config.error.early\n"


# ---------------------------------------------------------------------- the rules

SENTENCE: Final = "config.error.one"
NAME: Final = "entity.sensor.one.name"


@pytest.mark.parametrize(
    ("key", "english", "text", "fault"),
    [
        (SENTENCE, "The {model} is off.", "{modell} ist aus.", "placeholders"),
        (SENTENCE, "Try 9600, then 1.5.", "Versuche 9600, dann 1,4.", "numbers"),
        (SENTENCE, "F18 means an overload.", "F81 heißt Überlast.", "codes"),
        (SENTENCE, "Read 0x200.", "Lies 0x201.", "codes"),
        (SENTENCE, "Add default_config.", "Füge standard_config hinzu.", "codes"),
        (SENTENCE, "It takes 5 kW.", "Es braucht 5 W.", "units"),
        (SENTENCE, "**Dashboard**: [a]({url})", "**Übersicht**: [a] ({url})", "markup"),
        (SENTENCE, "First.\n\nSecond.", "Erstens. Zweitens.", "markup"),
        (SENTENCE, "It is RTU over TCP.", "Es ist RTU über TCP.", "proper names"),
        (SENTENCE, "See the manual.", "Siehe <b>Handbuch</b>.", "HTML"),
        (SENTENCE, "See the manual.", "Siehe https://example.com.", "address"),
        (SENTENCE, "Of the {inverter}", "Dell'{inverter}", "apostrophe"),
        (SENTENCE, "It is late.", "Es ist spät. ", "space"),
        (SENTENCE, "It is twenty-one long", "Es ist einundzwanzig Zeichen langen", "characters"),
        (NAME, "Power", "Leistung, wie das Gerät sie meldet", "a name of 34 characters"),
        (SENTENCE, "Wiring diagram", "Wiring diagram", "the same as in English"),
        (
            SENTENCE,
            "The batteries of the house are all empty now.",
            "Die Speicher des Hauses sind jetzt alle leer.",
            "glossary",
        ),
    ],
)
def test_a_rule_finds_it(key: str, english: str, text: str, fault: str) -> None:
    """One mistake, and only that."""
    found = [one for rule in RULES if (one := rule(key, english, text, GERMAN)) is not None]
    assert len(found) == 1, found
    assert fault in found[0]


@pytest.mark.parametrize(
    ("key", "english", "text"),
    [
        (SENTENCE, "Try 1.5 V or {volts} V.", "Versuche 1,5 V oder {volts} V."),
        (SENTENCE, "Modbus TCP", "Modbus TCP"),
        (SENTENCE, "It is twenty-one long", "Es ist einundzwanzig Zeichen lang"),
        (
            NAME,
            "A name of more than thirty-two letters",
            "Ein Name von mehr als zweiunddreißig Zei",
        ),
        (
            SENTENCE,
            "The batteries of the house are all empty now.",
            "Die Akkus des Hauses sind jetzt alle leer.",
        ),
        (
            SENTENCE,
            "The battery of the house is quite empty now.",
            "Die Hausbatterie ist jetzt ziemlich leer.",
        ),
        (SENTENCE, "The battery is empty.", "Der Speicher ist leer."),
        (
            SENTENCE,
            "The battery-backed clock of the house is slow.",
            "Die gepufferte Uhr des Hauses geht nach.",
        ),
        (SENTENCE, "Off", "Aus-und-vorbei"),
    ],
)
def test_no_rule_minds_it(key: str, english: str, text: str) -> None:
    """What is longer only a little, a loan word, another sign of decimals, a compound."""
    assert [rule(key, english, text, GERMAN) for rule in RULES] == [None] * len(RULES)


def test_a_fault_is_a_code_and_what_the_event_says_of_it() -> None:
    """In every language, as in English."""
    meaning = "entity.event.fault.state_attributes.event_type.state.f18"
    english = {"entity.sensor.fault.state.f18": "F18: Overload", meaning: "Overload"}

    def german(fault: str) -> Language:
        texts = {"entity.sensor.fault.state.f18": fault, meaning: "Überlast"}
        return Language(
            "de",
            {key: String(text, "machine", hash_of(english[key])) for key, text in texts.items()},
        )

    assert faults(german("F18: Überlast"), english) == []
    assert faults(german("F18: Überlastung"), english) == [
        "de: entity.sensor.fault.state.f18: the event says Überlast"
    ]


# ---------------------------------------------------------------------- what is left on a page


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (
            "The JSO8048104 did not answer within 3 seconds",
            ["The {model} did not answer within {s} seconds"],
        ),
        ("Hinweis: The battery is empty now!", ["The battery is empty now"]),
        ("Wiring", ["Wiring"]),
        ("Wiring and more", []),
        ("Modbus", []),
        ("Status", []),
        ("Verkabelung", []),
    ],
)
def test_english_that_is_left_is_found(line: str, left: list[str]) -> None:
    """A sentence within a line, a few words only as the whole line, and neither loan words nor German that looks like it."""
    english = {
        "a": "The {model} did not answer within {s} seconds",
        "b": "The battery is empty now",
        "c": "Wiring",
        "d": "Modbus",
        "e": "Status",
        "f": "State",
    }
    german = {
        "a": "{model} hat {s} Sekunden lang nicht geantwortet",
        "b": "Die Batterie ist jetzt leer",
        "c": "Verkabelung",
        "d": "Feldbus",
        "e": "Stand",
        "f": "Status",
    }
    assert english_left([line], english, german, {"modbus"}) == left


def test_the_pages_are_read_in_all_languages() -> None:
    """In a job each."""
    workflow = (ROOT / ".github" / "workflows" / "languages.yml").read_text(encoding="utf-8")
    assert f"language: [{', '.join(LANGUAGES)}]" in workflow
