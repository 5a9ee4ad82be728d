"""Can a person use the integration in Home Assistant's page? The steps are in scripts/lab/browse.py."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


# Making the environment of the demo, on a fresh checkout, takes part of it.
@pytest.mark.timeout(300)
def test_a_person_can_use_the_page(tmp_path: Path) -> None:
    """Every step succeeds in a real browser, on a real Home Assistant, with a simulated plant."""
    if not any(map(shutil.which, BROWSERS)) and not os.environ.get("CI"):
        pytest.skip("no browser is installed")
    setup = REPOSITORY / "scripts" / "setup"
    subprocess.run([setup, "demo"], check=True)  # noqa: S603 - a program of this repository
    browse = subprocess.run(  # noqa: S603 - a program of this repository
        [REPOSITORY / ".venv-demo" / "bin" / "python", "-m", "lab.browse", "--folder", tmp_path],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "scripts"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=270,
        check=False,
    )
    assert browse.returncode == 0, f"pictures in {tmp_path}\n{browse.stdout}"
