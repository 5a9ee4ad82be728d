"""The texts in other languages: which are stale or missing, what is wrong with them, and the files that are made of them."""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Mapping
import json
from pathlib import Path
import sys
from typing import Any, Final

from .languages.english import english, hash_of
from .languages.language import (
    MACHINE,
    MAKERS,
    NATIVE,
    Language,
    String,
    built,
    built_path,
    languages,
    load,
    save,
)
from .languages.rules import faults
from .process import REPOSITORY

BUILD: Final = "run scripts/translate build"


def check(repository: Path, *, release: bool) -> int:
    """Print what is stale, missing or wrong; 1 when something is wrong, at a release also when something is not there."""
    texts = english(repository)
    known = languages(repository)
    wrong = [fault for language in known for fault in faults(language, texts)]
    wrong += [
        f"{language.code}: the built file is not what its strings make: {BUILD}"
        for language in known
        if not _is_built(language, texts, repository)
    ]
    stale = _by_key((language.code, language.stale(texts)) for language in known)
    missing = _by_key((language.code, language.missing(texts)) for language in known)
    for what, keys in (("stale", stale), ("missing", missing)):
        for key, codes in keys.items():
            print(f"{what}: {key} ({', '.join(codes)})")
    for fault in wrong:
        print(f"wrong: {fault}")
    for language in known:
        shown = len(language.valid(texts))
        native = sum(string.by == NATIVE for string in language.strings.values())
        print(
            f"{language.code}: {shown} of {len(texts)} strings, {native} of them by native readers"
        )
    return int(bool(wrong) or (release and bool(stale or missing)))


def build(repository: Path) -> int:
    """Make the files that Home Assistant reads, without what is stale; forget strings that English no longer has."""
    texts = english(repository)
    for language in languages(repository):
        if language.surplus(texts):
            save(language.code, language.strings, texts, repository)
        built_path(language.code, repository).write_text(built(language, texts), encoding="utf-8")
    return 0


def show(repository: Path, code: str, *, begins: str, everything: bool) -> int:
    """Print what is to be translated, in the form in which it is taken."""
    texts = english(repository)
    language = load(code, repository)
    valid = language.valid(texts)
    # The same words may stand elsewhere.
    same = {texts[key]: text for key, text in valid.items()}
    lines = [
        f"{_json(key)}: {_json({'en': text, 'text': valid.get(key) or same.get(text, '')})}"
        for key, text in texts.items()
        if key.startswith(begins) and (everything or key not in valid)
    ]
    print("{\n" + ",\n".join(lines) + "\n}")
    return 0


def take(repository: Path, code: str, file: Path, *, by: str) -> int:
    """Take the strings of a file that `missing` printed and somebody filled in, and build."""
    texts = english(repository)
    language = load(code, repository)
    given: Mapping[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    taken = {
        key: String(text=one["text"], by=by, en=hash_of(one["en"]))
        for key, one in given.items()
        if one["text"] and not (by == MACHINE and _is_native(language.strings.get(key), one["en"]))
    }
    if unknown := sorted(taken.keys() - texts.keys()):
        print(f"English has no such text: {', '.join(unknown)}", file=sys.stderr)
        return 1
    save(code, {**language.strings, **taken}, texts, repository)
    print(f"{code}: {len(taken)} strings taken")
    return build(repository)


def main(arguments: list[str] | None = None) -> int:
    """Do one of these from the command line."""
    parser = argparse.ArgumentParser(prog="scripts/translate", description=__doc__)
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    checked = commands.add_parser("check", help=check.__doc__)
    checked.add_argument("--release", action="store_true", help="nothing may be stale or missing")
    commands.add_parser("build", help=build.__doc__)
    shown = commands.add_parser("missing", help=show.__doc__)
    shown.add_argument("language", help="its code, as de")
    shown.add_argument("begins", nargs="?", default="", help="how the keys begin, as config.error")
    shown.add_argument("--all", action="store_true", help="also what is translated already")
    taken = commands.add_parser("take", help=take.__doc__)
    taken.add_argument("language", help="its code, as de")
    taken.add_argument("file", type=Path)
    taken.add_argument("--by", choices=MAKERS, required=True, help="who made the strings")
    options = parser.parse_args(arguments)
    repository: Path = options.repository
    match options.command:
        case "check":
            return check(repository, release=options.release)
        case "missing":
            return show(repository, options.language, begins=options.begins, everything=options.all)
        case "take":
            return take(repository, options.language, options.file, by=options.by)
    return build(repository)


def _by_key(found: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """The languages by key."""
    codes = defaultdict(list)
    for code, keys in found:
        for key in keys:
            codes[key].append(code)
    return dict(codes)


def _is_native(string: String | None, text: str) -> bool:
    """Whether a native reader has made a string of this English text."""
    return string is not None and string.by == NATIVE and string.en == hash_of(text)


def _is_built(language: Language, texts: Mapping[str, str], repository: Path) -> bool:
    path = built_path(language.code, repository)
    return path.exists() and path.read_text(encoding="utf-8") == built(language, texts)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
