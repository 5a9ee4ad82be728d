"""Looks at the dashboards of the demo's house in a real browser, with a picture of each.

`python -m lab.browse_house --folder FOLDER` takes pictures of the afternoon after a day; house-*.png are those of the
README.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
import sys
import time
from typing import Any, Final

from playwright.async_api import Error as BrowserError, Page, async_playwright
import yaml

from .browse import BROWSER, DEFAULT_TIMEOUT, FLAGS, NOT_OURS
from .checking import CheckError, expect
from .home import USER, Home
from .house import House, house, midnight
from .process import REPOSITORY

DASHBOARD: Final = REPOSITORY / "dashboards" / "hybrid_inverter.yaml"
WIDTH: Final = 1400
# How high the window is for each page.
HEIGHTS: Final = {
    "hybrid-inverter/flow": 1120,
    "hybrid-inverter/battery": 860,
    "hybrid-inverter/schedule": 700,
    "hybrid-inverter/controls": 1300,
    "hybrid-inverter/health": 800,
}
# The same for the Energy dashboard, and how much of it is above the bar with the date.
ENERGY_HEIGHTS: Final = (1000, 880)
# What shows that a card is not what it should be, anywhere in the shadows of the page; and how many cards there are.
FIND: Final = """() => {
    const found = [];
    let cards = 0;
    const walk = (node) => {
        if (node.nodeType === Node.ELEMENT_NODE) {
            if (/^(HUI-ERROR-CARD|HUI-WARNING|HUI-WARNING-ELEMENT|HA-ALERT)$/.test(node.tagName)) {
                found.push(`${node.tagName}: ${node.textContent.trim()}`);
            }
            cards += node.tagName === "HUI-CARD" ? 1 : 0;
            if (node.shadowRoot) walk(node.shadowRoot);
        }
        node.childNodes.forEach(walk);
    };
    walk(document.body);
    return [cards, found];
}"""
# Seconds in which a page that has its cards gets what they show.
SETTLING: Final = 4

# The pictures are taken in an afternoon, after a whole night and morning.
PICTURE_HOUR: Final = 15.25
PICTURE_SPAN: Final = (4 + PICTURE_HOUR) * 3600
PICTURE_SPEED: Final = 400.0


def views() -> Mapping[str, int]:
    """How many cards each view of the dashboard has."""
    dashboard: dict[str, Any] = yaml.safe_load(DASHBOARD.read_text())
    return {
        f"hybrid-inverter/{view['path']}": sum(len(one["cards"]) for one in view["sections"])
        for view in dashboard["views"]
    }


def entity_ids(part: Any = None) -> Iterator[str]:
    """Every entity id in the dashboard."""
    if part is None:
        part = yaml.safe_load(DASHBOARD.read_text())
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "entity":
                yield value
            elif key == "entities":
                yield from (one for one in value if isinstance(one, str))
                yield from entity_ids([one for one in value if not isinstance(one, str)])
            else:
                yield from entity_ids(value)
    elif isinstance(part, list):
        for one in part:
            yield from entity_ids(one)


@asynccontextmanager
async def logged_in(
    home: Home, complaints: list[str], now: datetime | None = None
) -> AsyncIterator[Page]:
    """Open a browser, and log in; it may be told what time it is."""
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=BROWSER, args=FLAGS)
        try:
            page = await browser.new_page(
                viewport={"width": WIDTH, "height": 1000},
                locale="en-GB",
                timezone_id="UTC",
                reduced_motion="reduce",
            )
            page.set_default_timeout(DEFAULT_TIMEOUT)
            page.on("pageerror", lambda err: complaints.append(str(err)))
            page.on(
                "console",
                lambda line: complaints.append(line.text) if line.type == "error" else None,
            )
            if now is not None:
                await page.clock.install(time=now)
            await page.goto(f"{home.url}/hybrid-inverter")
            await page.locator("input[name=username]").fill(USER)
            await page.locator("input[name=password]").fill(USER)
            await page.keyboard.press("Enter")
            await page.locator("hui-card").first.wait_for()
            yield page
        finally:
            await browser.close()


async def look(home: Home, page: Page, path: str, cards: int, folder: Path | None) -> list[str]:
    """Open a view, wait until it has so many cards, and return those that are not what they should be."""
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHTS[path]})
    await page.goto(f"{home.url}/{path}")
    deadline = time.monotonic() + DEFAULT_TIMEOUT / 1000
    while (await page.evaluate(FIND))[0] < cards:
        if time.monotonic() > deadline:
            raise CheckError(f"{path} does not have {cards} cards")
        await asyncio.sleep(0.3)
    await asyncio.sleep(SETTLING)
    if folder is not None:
        await _picture(page, folder, path, HEIGHTS[path])
    return [f"{path}: {text}" for text in (await page.evaluate(FIND))[1]]


async def look_at_all(
    home: Home, *, now: datetime | None = None, folder: Path | None = None
) -> None:
    """Look at all views; CheckError when one is not whole, or when the browser complains."""
    complaints: list[str] = []
    wrong = []
    try:
        async with logged_in(home, complaints, now) as page:
            for path, cards in views().items():
                wrong += await look(home, page, path, cards, folder)
            if folder is not None:
                await _picture_energy(home, page, folder)
    except BrowserError as err:
        raise CheckError(f"the browser says: {err}") from err
    wrong += [text for text in complaints if not NOT_OURS.search(text)]
    expect(not wrong, "\n".join(wrong))


async def _picture(page: Page, folder: Path, path: str, height: float) -> None:
    """Save what is shown right of the menu, down to a height."""
    menu = await page.locator("ha-sidebar").bounding_box()
    if menu is None:
        raise CheckError("nothing is shown")
    left = menu["width"] + 1
    await page.screenshot(
        path=folder / f"house-{path.rpartition('/')[2]}.png",
        clip={"x": left, "y": 0, "width": WIDTH - left, "height": height},
        animations="disabled",
    )


async def _picture_energy(home: Home, page: Page, folder: Path) -> None:
    """Save the Energy dashboard."""
    window, shown = ENERGY_HEIGHTS
    await page.set_viewport_size({"width": WIDTH, "height": window})
    await page.goto(f"{home.url}/energy")
    await asyncio.sleep(3 * SETTLING)
    await _picture(page, folder, "energy", shown)


async def take_pictures(one: House, begin: datetime, folder: Path) -> None:
    """Let a day and a half pass, and take pictures of the afternoon."""
    await one.hurry(PICTURE_SPEED, PICTURE_SPAN)
    await asyncio.sleep(PICTURE_SPAN / PICTURE_SPEED + 1)
    now = begin + timedelta(seconds=PICTURE_SPAN + 60)
    await look_at_all(one.home, now=now, folder=folder)


async def _run(folder: Path) -> None:
    begin = midnight(1) - timedelta(hours=4)
    async with house(begin) as one:
        await take_pictures(one, begin, folder)


def main() -> int:
    """Take pictures; 1 when a card is not what it should be."""
    parser = argparse.ArgumentParser(prog="lab.browse_house", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the pictures go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_run(folder))
    except CheckError as err:
        print(f"FAILED  {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
