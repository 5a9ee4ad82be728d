"""Looks at the dashboards of the demo's house in a real browser, with a picture of each.

`python -m lab.browse_house --folder FOLDER` takes pictures of the afternoon after a day; house-*.png are those of the
README. With `--now` it takes them of the first screens of the demo, wide and narrow, light and dark.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
import sys
import time
from typing import Any, Final

from playwright.async_api import Error as BrowserError, Page, async_playwright

from .browse import BROWSER, DEFAULT_TIMEOUT, FLAGS, NOT_OURS
from .checking import CheckError, expect
from .home import Home
from .home_folder import USER
from .house import DASHBOARD, House, house, midnight, order_something

WIDTH: Final = 1400
# The width of a phone.
PHONE_WIDTH: Final = 390
# How high the window is for each view.
HEIGHTS: Final = {"now": 985, "battery": 860, "schedule": 700, "controls": 1300, "health": 800}
PHONE_HEIGHT: Final = 2600
# Home Assistant's own pages that show the house.
OTHER_PAGES: Final = {"energy": "energy", "power": "energy/now", "home": "home"}
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


async def dashboard_of(home: Home) -> dict[str, Any]:
    """The dashboard that the integration has made."""
    found: dict[str, Any] = await home.command("lovelace/config", url_path=DASHBOARD)
    return found


def cards_of(dashboard: Mapping[str, Any]) -> Mapping[str, int]:
    """How many cards each view has, by its path; one that is shown at times only is not counted."""
    return {
        view["path"]: sum(
            "visibility" not in card for one in view["sections"] for card in one["cards"]
        )
        for view in dashboard["views"]
    }


def entity_ids(part: Any) -> Iterator[str]:
    """Every entity id in a dashboard, or a part of it."""
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


@dataclass(frozen=True, kw_only=True)
class Look:
    """How the pages are looked at."""

    # Pixels.
    width: int = WIDTH
    dark: bool = False

    @property
    def name(self) -> str:
        """For the names of the pictures; empty for what the documents show."""
        if self == Look():
            return ""
        return f"-{self.width}-{'dark' if self.dark else 'light'}"

    def height(self, path: str) -> int:
        """How high the window is for a view."""
        return HEIGHTS.get(path, 1000) if self.width == WIDTH else PHONE_HEIGHT


EVERY_LOOK: Final = tuple(
    Look(width=width, dark=dark) for width in (WIDTH, PHONE_WIDTH) for dark in (False, True)
)


@asynccontextmanager
async def logged_in(
    home: Home, complaints: list[str], look: Look, now: datetime | None = None
) -> AsyncIterator[Page]:
    """Open a browser, and log in; it may be told what time it is."""
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=BROWSER, args=FLAGS)
        try:
            page = await browser.new_page(
                viewport={"width": look.width, "height": 1000},
                locale="en-GB",
                timezone_id=(await home.request("GET", "config"))["time_zone"],
                reduced_motion="reduce",
                color_scheme="dark" if look.dark else "light",
            )
            page.set_default_timeout(DEFAULT_TIMEOUT)
            page.on("pageerror", lambda err: complaints.append(str(err)))
            page.on(
                "console",
                lambda line: complaints.append(line.text) if line.type == "error" else None,
            )
            if now is not None:
                await page.clock.install(time=now)
            await page.goto(f"{home.url}/{DASHBOARD}")
            await page.locator("input[name=username]").fill(USER)
            await page.locator("input[name=password]").fill(USER)
            await page.keyboard.press("Enter")
            await page.locator("hui-card").first.wait_for()
            yield page
        finally:
            await browser.close()


async def see(home: Home, page: Page, path: str, cards: int) -> list[str]:
    """Open a view, wait until it has so many cards, and return those that are not what they should be."""
    await page.goto(f"{home.url}/{DASHBOARD}/{path}")
    deadline = time.monotonic() + DEFAULT_TIMEOUT / 1000
    while (await page.evaluate(FIND))[0] < cards:
        if time.monotonic() > deadline:
            raise CheckError(f"{path} does not have {cards} cards")
        await asyncio.sleep(0.3)
    await asyncio.sleep(SETTLING)
    return [f"{path}: {text}" for text in (await page.evaluate(FIND))[1]]


async def look_at_all(
    home: Home,
    *,
    now: datetime | None = None,
    folder: Path | None = None,
    looks: Sequence[Look] = (Look(),),
) -> None:
    """Look at all views; CheckError when one is not whole, or when the browser complains."""
    complaints: list[str] = []
    wrong = []
    views = cards_of(await dashboard_of(home))
    try:
        for look in looks:
            async with logged_in(home, complaints, look, now) as page:
                for path, cards in views.items():
                    height = look.height(path)
                    await page.set_viewport_size({"width": look.width, "height": height})
                    wrong += await see(home, page, path, cards)
                    if folder is not None:
                        await _picture(page, folder / f"house-{path}{look.name}.png", look, height)
                if folder is not None:
                    await _picture_others(home, page, folder, look)
    except BrowserError as err:
        raise CheckError(f"the browser says: {err}") from err
    wrong += [text for text in complaints if not NOT_OURS.search(text)]
    expect(not wrong, "\n".join(wrong))


async def _picture(page: Page, file: Path, look: Look, height: float) -> None:
    """Save what is shown right of the menu, down to a height."""
    left = 0.0
    if look.width == WIDTH:
        menu = await page.locator("ha-sidebar").bounding_box()
        if menu is None:
            raise CheckError("nothing is shown")
        left = menu["width"] + 1
    await page.screenshot(
        path=file,
        clip={"x": left, "y": 0, "width": look.width - left, "height": height},
        animations="disabled",
    )


async def _picture_others(home: Home, page: Page, folder: Path, look: Look) -> None:
    """Save Home Assistant's own pages that show the house."""
    window, shown = ENERGY_HEIGHTS
    await page.set_viewport_size({"width": look.width, "height": window})
    pages = OTHER_PAGES
    for name, path in pages.items():
        await page.goto(f"{home.url}/{path}")
        await asyncio.sleep(3 * SETTLING)
        await _picture(page, folder / f"house-{name}{look.name}.png", look, shown)


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


async def _look_now(folder: Path) -> None:
    """Take pictures of the first screens of the demo, as large as a desk and as small as a phone, light and dark."""
    async with house() as one:
        await order_something(one)
        await look_at_all(one.home, folder=folder, looks=EVERY_LOOK)


def main() -> int:
    """Take pictures; 1 when a card is not what it should be."""
    parser = argparse.ArgumentParser(prog="lab.browse_house", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the pictures go")
    parser.add_argument(
        "--now", action="store_true", help="the first screens of the demo, in every look"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    run = _look_now if options.now else _run
    try:
        asyncio.run(run(options.folder))
    except CheckError as err:
        print(f"FAILED  {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
