"""The English texts, which all others are made from, by their key: `config.error.no_answer`."""

from collections.abc import Iterator, Mapping
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from ..process import REPOSITORY

TRANSLATIONS: Final = Path("custom_components") / "hybrid_inverter" / "translations"
# Hexadecimal digits of a text's hash: enough to tell that a text has changed.
DIGITS: Final = 8


def english(repository: Path = REPOSITORY) -> dict[str, str]:
    """All English texts, in the order of their file."""
    return flat(json.loads((repository / TRANSLATIONS / "en.json").read_text(encoding="utf-8")))


def hash_of(text: str) -> str:
    """What a translation keeps of the English text that it was made from."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def flat(branch: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a nested object by their keys, joined with dots."""
    return dict(_texts(branch, ""))


def nested(texts: Mapping[str, str]) -> dict[str, Any]:
    """The opposite of `flat`."""
    whole: dict[str, Any] = {}
    for key, text in texts.items():
        *above, last = key.split(".")
        branch = whole
        for name in above:
            branch = branch.setdefault(name, {})
        branch[last] = text
    return whole


def _texts(branch: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for key, below in branch.items():
        if isinstance(below, str):
            yield f"{above}{key}", below
        else:
            yield from _texts(below, f"{above}{key}.")
