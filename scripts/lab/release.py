"""What a release consists of: the zip that is installed, and the notes, which are the version's part of the changelog.

It needs nothing but Python, so that the workflow of a release has nothing to install.
"""

import argparse
import json
from pathlib import Path
import re
import sys
import tomllib
from typing import Any, Final
import zipfile

REPOSITORY: Final = Path(__file__).parents[2]
INTEGRATION: Final = Path("custom_components") / "hybrid_inverter"
ZIP: Final = "hybrid_inverter.zip"
NOTES: Final = "notes.md"
# Of every file in the zip, so that the same files make the same zip.
TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)


class ReleaseError(Exception):
    """What keeps a version from being released."""


def manifest_of(repository: Path) -> dict[str, Any]:
    """The manifest of the integration."""
    text = (repository / INTEGRATION / "manifest.json").read_text(encoding="utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def versions(repository: Path) -> set[str]:
    """The versions that the manifest and the project give."""
    manifest = manifest_of(repository)
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    return {str(manifest["version"]), str(project["project"]["version"])}


def notes_of(changelog: str, version: str) -> str:
    """The part of a changelog that is about a version; ReleaseError where it has none, or no date yet."""
    parts = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for part in parts:
        heading, _, text = part.partition("\n")
        if not heading.startswith(f"[{version}]"):
            continue
        if re.fullmatch(r"\[[^]]+\] - \d{4}-\d{2}-\d{2}", heading.strip()) is None:
            raise ReleaseError(f"the changelog gives no date for {version}: {heading.strip()}")
        # The links at the end belong to the whole document.
        return re.split(r"^\[[^]]+\]: ", text, flags=re.MULTILINE)[0].strip() + "\n"
    raise ReleaseError(f"the changelog has no part about {version}")


def absolute(notes: str, source: str) -> str:
    """Notes whose links into the repository lead there from any page."""
    return re.sub(r"\]\((?![a-z]+:|#)", f"]({source}/", notes)


def make_zip(folder: Path, target: Path) -> list[str]:
    """Pack a folder as it is installed, its files at the top; their names, in order."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )
    names = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            name = path.relative_to(folder).as_posix()
            packed.writestr(
                zipfile.ZipInfo(name, TIMESTAMP), path.read_bytes(), zipfile.ZIP_DEFLATED
            )
            names.append(name)
    return names


def release(tag: str, repository: Path, target: Path) -> str:
    """Make zip and notes of the version that a tag like v1.2.3 names; returns the version, or raises ReleaseError."""
    version = tag.removeprefix("v")
    if (found := versions(repository)) != {version}:
        raise ReleaseError(f"the tag is {tag}, but the version is {' and '.join(sorted(found))}")
    notes = notes_of((repository / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    source = f"{manifest_of(repository)['documentation']}/blob/{tag}"
    target.mkdir(parents=True, exist_ok=True)
    (target / NOTES).write_text(absolute(notes, source), encoding="utf-8")
    make_zip(repository / INTEGRATION, target / ZIP)
    return version


def main(arguments: list[str] | None = None) -> int:
    """Make them from the command line."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    parser.add_argument("tag", help="the tag of the release, as v1.2.3")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "dist", help="where they go")
    options = parser.parse_args(arguments)
    try:
        version = release(options.tag, REPOSITORY, options.folder)
    except ReleaseError as err:
        print(err, file=sys.stderr)
        return 1
    print(f"{version}: {options.folder / ZIP} and {options.folder / NOTES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
