"""Which English texts are left on a page in another language."""

from collections.abc import Iterable, Mapping, Set as AbstractSet
import re
from typing import Final

PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
MARKUP: Final = re.compile(r"\*\*|\]\([^)]*\)|\[|^- ", re.MULTILINE)
WORD: Final = re.compile(r"[^\W\d_]+")
# A text of more words is looked for within a line; a shorter one has to be all of it.
FEW_WORDS: Final = 3


def english_left(
    lines: Iterable[str],
    english: Mapping[str, str],
    translated: Mapping[str, str],
    loan_words: AbstractSet[str],
) -> list[str]:
    """The English texts that are among the lines of a page, or within a line, though there is another text for them.

    A text that consists of loan words only may be the same, and so may one that is another text's translation.
    """
    shown = {" ".join(line.split()) for line in lines}
    whole = "\n".join(sorted(shown))
    as_they_are = set(translated.values())
    found = set()
    for text in {each for key, each in english.items() if translated[key] != each} - as_they_are:
        words = WORD.findall(PLACEHOLDER.sub(" ", text))
        if len(words) > FEW_WORDS:
            if _pattern(text).search(whole):
                found.add(text)
        elif text in shown and not {word.lower() for word in words} <= loan_words:
            found.add(text)
    return sorted(found)


def _pattern(text: str) -> re.Pattern[str]:
    """A text of several lines is there when its longest sentence is; placeholders stand for anything within a line."""
    plain = MARKUP.sub("", text)
    longest = max(re.split(r"\n+", plain), key=len)
    parts = [re.escape(" ".join(part.split())) for part in PLACEHOLDER.split(longest)]
    return re.compile(r"\s?[^\n]*?\s?".join(parts))
