"""One language: its strings, its glossary, and the file that Home Assistant reads.

`languages/LL/strings.json` has a line for each string: its text, who made it, and the hash of the English text that it
was made from. `languages/LL/glossary.json` has the words that are used for the terms of the field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
import json
from pathlib import Path
from typing import Any, Final

from ..process import REPOSITORY
from .english import TRANSLATIONS, hash_of, nested

FOLDER: Final = Path("languages")
# Who made a string.
MACHINE: Final = "machine"
NATIVE: Final = "native"
MAKERS: Final = (MACHINE, NATIVE)


@dataclass(frozen=True)
class String:
    """A text in another language."""

    text: str
    by: str
    # The hash of the English text that it was made from.
    en: str


@dataclass(frozen=True)
class Glossary:
    """The words of a language for the terms of the field."""

    # By the English term.
    terms: Mapping[str, str] = field(default_factory=dict)
    # By the English term: beginnings of words, of which a text has one wherever the English text has the term.
    stems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Words that are the same as in English.
    loan_words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Language:
    """The strings of a language by their keys."""

    code: str
    strings: Mapping[str, String]
    glossary: Glossary = field(default_factory=Glossary)

    def stale(self, english: Mapping[str, str]) -> list[str]:
        """The keys whose English text is no longer what the string was made from."""
        return [
            key
            for key, string in self.strings.items()
            if key in english and hash_of(english[key]) != string.en
        ]

    def missing(self, english: Mapping[str, str]) -> list[str]:
        """The keys that have no string."""
        return [key for key in english if key not in self.strings]

    def surplus(self, english: Mapping[str, str]) -> list[str]:
        """The keys that English does not have, or not any more."""
        return [key for key in self.strings if key not in english]

    def valid(self, english: Mapping[str, str]) -> dict[str, str]:
        """The texts that may be shown: Home Assistant says in English what is not among them."""
        return {
            key: string.text
            for key, text in english.items()
            if (string := self.strings.get(key)) is not None and string.en == hash_of(text)
        }


def languages(repository: Path = REPOSITORY) -> list[Language]:
    """All languages, in order."""
    folders = sorted(path.parent for path in (repository / FOLDER).glob("*/strings.json"))
    return [load(folder.name, repository) for folder in folders]


def load(code: str, repository: Path = REPOSITORY) -> Language:
    """A language; one without files has no strings yet."""
    folder = repository / FOLDER / code
    strings = {key: String(**value) for key, value in _json(folder / "strings.json").items()}
    found = _json(folder / "glossary.json")
    glossary = Glossary(
        terms=found.get("terms", {}),
        stems={term: tuple(stems) for term, stems in found.get("stems", {}).items()},
        loan_words=frozenset(word.lower() for word in found.get("loan_words", ())),
    )
    return Language(code, strings, glossary)


def save(
    code: str,
    strings: Mapping[str, String],
    english: Iterable[str],
    repository: Path = REPOSITORY,
) -> None:
    """Keep the strings of a language, a line for each, in the order of English; without those that English lacks."""
    lines = [f"{_line(key)}: {_line(asdict(strings[key]))}" for key in english if key in strings]
    path = repository / FOLDER / code / "strings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def built(language: Language, english: Mapping[str, str]) -> str:
    """The file that Home Assistant reads of a language."""
    return json.dumps(nested(language.valid(english)), ensure_ascii=False, indent=2) + "\n"


def built_path(code: str, repository: Path = REPOSITORY) -> Path:
    """Where that file is."""
    return repository / TRANSLATIONS / f"{code}.json"


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
