"""What has to hold of a string, whatever its language: each rule says what is wrong, or nothing."""

from collections.abc import Callable, Mapping
import re
from typing import Final

from .language import Glossary, Language

# A text may be so much longer than English, unless it is a short one.
STRETCH: Final = 1.6
SHORT: Final = 20
# What a name may have of characters, unless the English one has more itself.
NAME_LENGTH: Final = 32
NAME_STRETCH: Final = 1.1
# The integration is called so everywhere, or nobody would find it by what they have read.
OWN_NAME: Final = "Hybrid Inverter"
# Up to so many characters, a text is a phrase or a name, which may have to abbreviate a term.
PHRASE: Final = 40
# A word of so few letters may be the same in two languages by chance.
CHANCE: Final = 3

NAME: Final = re.compile(r"entity\..*\.name")
# Texts that quote the beginning of an id, which is no term.
QUOTING: Final = frozenset(
    {"exceptions.adopt_no_prefix.message", "services.adopt_entities.fields.prefix.description"}
)
# What every text has to keep, as a set with repetitions.
PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
CODE: Final = re.compile(r"\b[EFW]\d+\b|\b0x[0-9A-Fa-f]+|`[^`]+`|\b\w+_\w+\b")
UNIT: Final = re.compile(r"\d[\s-]?(%|°C|kWh|kW|Wh|W|VA|V|Ah|A|Hz|Ω|kΩ)(?!\w)")
MARKUP: Final = re.compile(r"\*\*|\]\([^)]*\)|^- |\n", re.MULTILINE)
FORBIDDEN: Final = re.compile(r"<[a-zA-Z/]|\w+://(?!host)|\bwww\.")
# In the page, an apostrophe before a placeholder makes it plain text.
QUOTED: Final = re.compile(r"'[{}<]")
WORD: Final = re.compile(r"[A-Za-z][A-Za-z-]+")

# Names of products and protocols, which stay; Polish has an ending for Home Assistant.
PROPER: Final = re.compile(
    r"Modbus TCP|RTU over TCP|Home Assistan|Solarman|Deye|Sunsynk|JUSTSTANDOUT|SAJ|CHINT|JSO8048104|AIO3"
    r"|DTSU666|DDSU666|RS485|ESPHome|EMHASS|evcc|PredBat|Node-RED|configuration\.yaml|SOC\b|BMS\b|EEPROM"
)

# What a fault is called at the sensor, and what it means at the event.
FAULT: Final = re.compile(r"entity\.sensor\.(?:fault|warning)\.state\.(?P<code>[efw]\d+)")
MEANING: Final = "entity.event.fault.state_attributes.event_type.state."

Rule = Callable[[str, str, str, Glossary], "str | None"]


def _kept(pattern: re.Pattern[str], what: str) -> Rule:
    """A rule: what the pattern finds in the English text is found in the other one, too, and nothing else."""

    def rule(_key: str, english: str, text: str, _glossary: Glossary) -> str | None:
        wanted, found = _found(pattern, english), _found(pattern, text)
        return None if wanted == found else f"{what}: {found} instead of {wanted}"

    return rule


def _numbers(_key: str, english: str, text: str, _glossary: Glossary) -> str | None:
    """Numbers stay, but for the sign before their decimals; those of codes are looked at with the codes."""
    wanted, found = (
        sorted(
            number.replace(",", ".")
            for number in NUMBER.findall(CODE.sub("", PLACEHOLDER.sub("", each)))
        )
        for each in (english, text)
    )
    return None if wanted == found else f"numbers: {found} instead of {wanted}"


def _plain(_key: str, english: str, text: str, _glossary: Glossary) -> str | None:
    """No HTML and no address; Home Assistant's own check forbids both."""
    found = FORBIDDEN.search(text)
    return None if found is None or FORBIDDEN.search(english) else f"HTML or address: {found[0]}"


def _proper(_key: str, english: str, text: str, _glossary: Glossary) -> str | None:
    """A text may name a thing once more or once less, but not in another way."""
    lacking = sorted({*PROPER.findall(english)} - {*PROPER.findall(text)})
    return f"proper names: {', '.join(lacking)} not named" if lacking else None


def _apostrophe(_key: str, _english: str, text: str, _glossary: Glossary) -> str | None:
    return "an apostrophe before a placeholder" if QUOTED.search(text) else None


def _spaces(_key: str, _english: str, text: str, _glossary: Glossary) -> str | None:
    return None if text == text.strip() and text else "empty, or a space at an end"


def _length(_key: str, english: str, text: str, _glossary: Glossary) -> str | None:
    most = int(STRETCH * len(english))
    if len(english) <= SHORT or len(text) <= most:
        return None
    return f"{len(text)} characters, at most {most}"


def _name_length(key: str, english: str, text: str, _glossary: Glossary) -> str | None:
    most = NAME_LENGTH if len(english) <= NAME_LENGTH else int(NAME_STRETCH * len(english))
    if not NAME.fullmatch(key) or len(text) <= most:
        return None
    return f"a name of {len(text)} characters, at most {most}"


def _translated(_key: str, english: str, text: str, glossary: Glossary) -> str | None:
    """What is the same as in English consists of proper names, loan words, abbreviations and very short words."""
    if text != english:
        return None
    words = WORD.findall(PROPER.sub("", PLACEHOLDER.sub("", english.replace(OWN_NAME, ""))))
    english_words = [
        word
        for word in words
        if len(word) > CHANCE and not word.isupper() and word.lower() not in glossary.loan_words
    ]
    return f"the same as in English: {', '.join(english_words)}" if english_words else None


def _terms(key: str, english: str, text: str, glossary: Glossary) -> str | None:
    """Where English has a term, there is the glossary's word for it; what is short may be phrased freely."""
    if len(english) <= PHRASE or key in QUOTING:
        return None
    lacking = [
        f"{term} ({'/'.join(stems)})"
        for term, stems in glossary.stems.items()
        if _has_term(english, term) and not any(stem in text.lower() for stem in stems)
    ]
    return f"not the glossary's words: {', '.join(lacking)}" if lacking else None


RULES: Final[tuple[Rule, ...]] = (
    _kept(PLACEHOLDER, "placeholders"),
    _numbers,
    _kept(CODE, "codes"),
    _kept(UNIT, "units"),
    _kept(MARKUP, "markup"),
    _proper,
    _plain,
    _apostrophe,
    _spaces,
    _length,
    _name_length,
    _translated,
    _terms,
)


def faults(language: Language, english: Mapping[str, str]) -> list[str]:
    """What is wrong with a language, a line for each; what is stale or missing is not wrong."""
    texts = language.valid(english)
    found = [
        f"{language.code}: {key}: {fault}"
        for key, text in texts.items()
        for rule in RULES
        if (fault := rule(key, english[key], text, language.glossary)) is not None
    ]
    found += [
        f"{language.code}: {key}: English has no such text" for key in language.surplus(english)
    ]
    for key, text in texts.items():
        code = FAULT.fullmatch(key)
        meaning = texts.get(f"{MEANING}{code['code']}") if code else None
        if code and meaning and not _says(text, code["code"], meaning):
            found.append(f"{language.code}: {key}: the event says {meaning}")
    return found


def _says(text: str, code: str, meaning: str) -> bool:
    """Whether a text is a code and its meaning; in French, a colon has a space before it."""
    return re.fullmatch(rf"{code.upper()}\s?: {re.escape(meaning)}", text) is not None


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    """What a pattern finds, in order; placeholders have no units and no codes in them."""
    if pattern is not PLACEHOLDER and pattern is not MARKUP:
        text = PLACEHOLDER.sub("", text)
    return sorted(pattern.findall(text))


def _has_term(text: str, term: str) -> bool:
    """Whether an English text has a term, in the singular or the plural, and not only in a compound as "off-grid"."""
    plural = f"{re.escape(term[:-1])}(?:y|ies)" if term.endswith("y") else f"{re.escape(term)}s?"
    plain = CODE.sub("", PLACEHOLDER.sub("", text).replace(OWN_NAME, ""))
    return re.search(rf"(?<![\w-]){plural}(?![\w-])", plain, re.IGNORECASE) is not None
