"""What a release consists of: a zip that can be installed, and notes."""

import json
from pathlib import Path
import zipfile

import pytest

from scripts.lab.release import ReleaseError, main, make_zip, notes_of, release

CHANGELOG = """# Changelog

## [1.1.0] - unreleased

- Not yet

## [1.0.0] - 2026-11-30

### Added

- The first line
- The last line

## [0.9.0] - 2026-01-01

- Earlier

[1.0.0]: https://example.com
"""


def repository(folder: Path, *, manifest: str = "1.0.0", project: str = "1.0.0") -> Path:
    """Return a repository that gives these versions."""
    files = {
        "custom_components/hybrid_inverter/manifest.json": json.dumps(
            {"version": manifest, "documentation": "https://example.com/repository"}
        ),
        "custom_components/hybrid_inverter/modbus/__init__.py": '"""A package."""\n',
        "custom_components/hybrid_inverter/__pycache__/sensor.cpython-314.pyc": "compiled",
        "pyproject.toml": f'[project]\nversion = "{project}"\n',
        "CHANGELOG.md": CHANGELOG,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_zip_has_the_integration_at_its_top_and_nothing_that_was_compiled(
    tmp_path: Path,
) -> None:
    """HACS unpacks it into the folder of the integration; the same files make the same zip."""
    target = tmp_path / "dist"
    assert release("v1.0.0", repository(tmp_path), target) == "1.0.0"
    with zipfile.ZipFile(target / "hybrid_inverter.zip") as packed:
        assert packed.namelist() == ["manifest.json", "modbus/__init__.py"]
        assert json.loads(packed.read("manifest.json"))["version"] == "1.0.0"
    first = (target / "hybrid_inverter.zip").read_bytes()
    release("v1.0.0", tmp_path, target)
    assert (target / "hybrid_inverter.zip").read_bytes() == first


def test_the_notes_are_the_part_of_the_version() -> None:
    """Without the heading, the other versions and the links."""
    assert notes_of(CHANGELOG, "1.0.0") == "### Added\n\n- The first line\n- The last line\n"
    assert notes_of(CHANGELOG, "0.9.0") == "- Earlier\n"


def test_links_of_the_notes_lead_into_the_repository_from_the_page_of_the_release(
    tmp_path: Path,
) -> None:
    """To the files of the same version; those that lead elsewhere stay."""
    folder = repository(tmp_path)
    changelog = "## [1.0.0] - 2026-11-30\n\n[A](docs/a.md#b), [C](https://example.com/c), [D](#d)\n"
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    release("v1.0.0", folder, tmp_path / "dist")
    assert (tmp_path / "dist" / "notes.md").read_text(encoding="utf-8") == (
        "[A](https://example.com/repository/blob/v1.0.0/docs/a.md#b), [C](https://example.com/c), [D](#d)\n"
    )


@pytest.mark.parametrize(
    ("tag", "manifest", "project", "reason"),
    [
        ("v1.0.1", "1.0.0", "1.0.0", "the tag is v1.0.1, but the version is 1.0.0"),
        ("v1.0.0", "1.0.1", "1.0.0", "the tag is v1.0.0, but the version is 1.0.0 and 1.0.1"),
        ("v1.0.0", "1.0.0", "0.9.0", "the tag is v1.0.0, but the version is 0.9.0 and 1.0.0"),
        ("v1.1.0", "1.1.0", "1.1.0", "the changelog gives no date for 1.1.0"),
        ("v2.0.0", "2.0.0", "2.0.0", "the changelog has no part about 2.0.0"),
    ],
)
def test_a_version_that_does_not_add_up_is_not_released(
    tmp_path: Path, tag: str, manifest: str, project: str, reason: str
) -> None:
    """Nothing is written."""
    with pytest.raises(ReleaseError, match=reason):
        release(tag, repository(tmp_path, manifest=manifest, project=project), tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_this_integration_can_be_packed(tmp_path: Path) -> None:
    """All that Home Assistant and HACS look for is in it."""
    root = Path(__file__).parents[1]
    names = make_zip(root / "custom_components" / "hybrid_inverter", tmp_path / "all.zip")
    assert {
        "__init__.py",
        "manifest.json",
        "icons.json",
        "services.yaml",
        "translations/en.json",
        "brand/icon.png",
        "modbus/py.typed",
    } <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]


def test_what_keeps_it_from_being_released_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The workflow ends with an error."""
    assert main(["v0.0.0", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("the tag is v0.0.0, but the version is ")
