"""What a person does in the page of Home Assistant, done in a real browser, with a picture of each step.

`python -m lab.browse --folder FOLDER` exits 0 when everything works. The pictures demo-*.png are those of the README.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import functools
import json
import math
from pathlib import Path
import re
import shutil
import sys
import time
from typing import Any, Final

from playwright.async_api import (
    Error as BrowserError,
    FloatRect,
    Locator,
    Page,
    async_playwright,
    expect as expect_shown,
)

from .checking import CheckError, expect
from .home import Home, RefusedError, home_assistant
from .home_folder import USER
from .languages.english import TRANSLATIONS, english, flat
from .plant import ANOTHER, Plant, simulated_plant
from .process import REPOSITORY

# The first of these that is installed; scripts/browser installs one where it may.
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
BROWSER: Final = next(filter(None, map(shutil.which, BROWSERS)), None)
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# High enough for the entities of a device page.
WINDOW: Final = (1280, 1640)
# A person's patience is shorter, but a page on two busy cores is slow at its first visit.
PATIENCE_SECONDS: Final = 40
DEFAULT_TIMEOUT: Final = PATIENCE_SECONDS * 1000
# More than all steps together take on a slow computer.
MAX_SECONDS: Final = 240
# Triggers are drawn when they are scrolled to.
MAX_SCREENS: Final = 10
# Blank space below what a picture shows.
MARGIN: Final = 16

ENGLISH: Final = "en"
INTEGRATION: Final = REPOSITORY / "custom_components" / "hybrid_inverter"
# Home Assistant's page does not catch the answer to a refused number; the answer is an object without a text.
NOT_OURS: Final = re.compile(r"^Object$")


@functools.cache
def texts(language: str) -> dict[str, str]:
    """What the integration says in a language, by key; in English what that language has no text for."""
    found = english()
    if language != ENGLISH:
        translated = json.loads((REPOSITORY / TRANSLATIONS / f"{language}.json").read_text())
        found |= flat(translated)
    return found


def text(key: str, language: str = ENGLISH, /, **placeholders: str) -> str:
    """One text, by its key in the translations, for example `entity.switch.solar_sell.name`."""
    return texts(language)[key].format(**placeholders)


@dataclass(kw_only=True)
class Visit:
    """A person at the page, and the machines that they look after."""

    page: Page
    home: Home
    plant: Plant
    other: Plant
    folder: Path
    # That of the house, and of the page.
    language: str = ENGLISH
    complaints: list[str] = field(default_factory=list)

    @property
    def dialog(self) -> Locator:
        """The dialog in which an entry is added or its options are changed."""
        return self.page.locator("dialog-data-entry-flow")

    @property
    def card(self) -> Locator:
        """The cards of a device page that hold its entities."""
        return self.page.locator("ha-device-entities-card")

    @property
    def toast(self) -> Locator:
        """The messages at the bottom of the page."""
        return self.page.locator("ha-toast .message")

    def text(self, key: str, **placeholders: str) -> str:
        """One text of the integration in the language of the house."""
        return text(key, self.language, **placeholders)

    async def open(self, path: str) -> None:
        """Go to a page by its address."""
        await self.page.goto(f"{self.home.url}/{path}")

    async def open_integration(self) -> None:
        """Go to the page of the integration."""
        await self.open("config/integrations/integration/hybrid_inverter")

    async def open_device(self, serial_number: str, part: str | None = None) -> None:
        """Go to the page of an inverter, and from there to a part of it."""
        devices = await self.home.command("config/device_registry/list")
        inverter = next(device for device in devices if device["serial_number"] == serial_number)
        await self.open(f"config/devices/device/{inverter['id']}")
        if part is not None:
            name = self.text(f"device.{part}.name", inverter=inverter["name"])
            await self.page.get_by_role("link", name=re.compile(f"^{re.escape(name)} ")).click()

    async def expect_reading(self, key: str, pattern: str) -> None:
        """Wait until a sensor on a device page shows a value with its unit."""
        name = self.text(f"entity.sensor.{key}.name")
        card = self.card.filter(has_text=name).first
        await expect_shown(card).to_match_aria_snapshot(f"- list: /{re.escape(name)} {pattern}/")

    def choice(self, key: str) -> Locator:
        """The select of a device page with a key of the translations."""
        name = self.text(f"entity.select.{key}.name")
        return self.card.get_by_role("button", name=re.compile(f"^{re.escape(name)} "))

    async def choose(self, key: str, option: str) -> None:
        """Choose another option in a select."""
        await self.choice(key).click()
        label = self.text(f"entity.select.{key}.state.{option}")
        await self.page.get_by_role("menuitem", name=label, exact=True).click()

    async def expect_choice(self, key: str, option: str) -> None:
        """Wait until a select shows an option."""
        label = self.text(f"entity.select.{key}.state.{option}")
        await expect_shown(self.choice(key)).to_have_accessible_name(
            re.compile(f" {re.escape(label)}$")
        )

    def number(self, key: str) -> Locator:
        """The input of a number on a device page."""
        return self.card.get_by_role("spinbutton", name=self.text(f"entity.number.{key}.name"))

    async def enter(self, key: str, value: int) -> None:
        """Type another value into a number."""
        await self.number(key).fill(str(value))
        await self.number(key).press("Enter")

    async def expect_word(self, address: int, word: int) -> None:
        """Wait until a register of the first inverter holds a word."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (held := await self.plant.word(address)) != word:
            expect(time.monotonic() < deadline, f"register {address} holds {held}, not {word}")
            await asyncio.sleep(0.2)

    async def expect_labels(self, count: int) -> None:
        """Every field of the dialog has a label and a description, which are not the names in the code."""
        selectors = self.dialog.locator("ha-selector")
        await expect_shown(selectors).to_have_count(count)
        fields: list[list[str | None]] = await selectors.evaluate_all(
            "all => all.map(one => [one.name, one.label, one.helper])"
        )
        for name, label, helper in fields:
            expect(bool(label) and label != name and bool(helper), f"{name}: {label!r}, {helper!r}")

    async def picture(
        self, name: str, *, of: Locator | None = None, to: Locator | None = None
    ) -> None:
        """Save what is shown: all, one element, or what is right of the menu and above an element's end."""
        clip: FloatRect | None = None
        if of is not None:
            clip = await _box(of)
        elif to is not None:
            last = await _box(to)
            left = math.ceil((await _box(self.page.locator("ha-sidebar")))["width"]) + 1
            bottom = last["y"] + last["height"] + MARGIN
            clip = {"x": left, "y": 0, "width": WINDOW[0] - left, "height": bottom}
        path = self.folder / f"{name}.png"
        await self.page.screenshot(path=path, clip=clip, animations="disabled")


async def the_integration_has_its_devices(visit: Visit) -> None:
    """After the log-in, with our own picture."""
    page = visit.page
    await visit.open_integration()
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(USER)
    await page.keyboard.press("Enter")
    await expect_shown(page.get_by_role("link", name="7 devices")).to_be_visible()
    picture = page.get_by_role("img", name=text("title"), exact=True)
    await expect_shown(picture).to_have_js_property("complete", True)
    source: str = await picture.evaluate("one => one.src")
    shown = await (await page.request.get(source)).body()
    ours = [file.read_bytes() for file in (INTEGRATION / "brand").glob("icon*.png")]
    expect(shown in ours, f"{source} is not our picture")
    await visit.picture("integration")


async def a_wrong_framing_is_named(visit: Visit) -> None:
    """Home Assistant is given the wrong framing of the gateway of a second inverter."""
    dialog = visit.dialog
    await visit.page.get_by_role("button", name="Add hub").click()
    await dialog.get_by_text(text("config.step.user.menu_options.network")).click()
    fields = "config.step.network.data"
    host = dialog.get_by_role("textbox", name=text(f"{fields}.host"))
    await visit.expect_labels(4)
    # The picture is of an example; the ports of the simulation are others each time.
    await host.fill("192.0.2.10")
    await visit.picture("demo-add", of=dialog.get_by_role("dialog"))
    await host.fill("127.0.0.1")
    await dialog.get_by_role("spinbutton", name=text(f"{fields}.port")).fill(str(visit.other.rtu))
    await dialog.get_by_role("radio", name=text("selector.framing.options.tcp")).click()
    await dialog.get_by_role("button", name="Submit").click()
    framing = text("selector.framing.options.rtu")
    wanted = text("config.error.wrong_framing", found=framing)
    await expect_shown(dialog.locator("ha-alert")).to_have_text(wanted)
    await visit.picture("add-error")


async def another_inverter_is_added(visit: Visit) -> None:
    """Once the framing is left to be found out, the dialog asks who has made the inverter, and says what is next."""
    dialog = visit.dialog
    await dialog.get_by_role("radio", name=text("selector.framing.options.find_out")).click()
    await dialog.get_by_role("button", name="Submit").click()
    maker = text("selector.maker.options.juststandout")
    await expect_shown(dialog.get_by_role("radio", name=maker)).to_be_checked()
    await dialog.get_by_role("button", name="Submit").click()
    await expect_shown(dialog.get_by_text("JSO8048104, serial number JSO0000002")).to_be_visible()
    await visit.picture("added")


async def the_energy_dashboard_is_filled(visit: Visit) -> None:
    """From the page about what is next; what is found is ticked, but for the grid, which two inverters report."""
    dialog = visit.dialog
    await dialog.get_by_text(text("options.step.next_inverter.menu_options.energy")).click()
    boxes = dialog.get_by_role("checkbox")
    await expect_shown(boxes).to_have_count(6)
    await visit.expect_labels(1)
    await visit.picture("energy-offer", of=dialog.get_by_role("dialog"))
    await dialog.get_by_role("button", name="Submit").click()
    await expect_shown(dialog.get_by_text(re.compile("^Added to the"))).to_be_visible()
    await visit.picture("energy-added", of=dialog.get_by_role("dialog"))
    stored = (await visit.home.command("energy/get_prefs"))["energy_sources"]
    expect(
        [source["type"] for source in stored] == ["solar", "battery", "solar", "battery"],
        f"the Energy dashboard has {stored}",
    )
    await dialog.get_by_role("button", name="Close").last.click()
    await expect_shown(visit.page.get_by_role("link", name="14 devices")).to_be_visible()
    await expect_shown(visit.page.locator("ha-config-entry-row")).to_have_count(2)
    await visit.picture("two")


async def the_work_mode_is_changed(visit: Visit) -> None:
    """Register 142: 2 is zero export to CT, 0 selling first."""
    await visit.open_device("JSO0000001")
    await visit.expect_choice("work_mode", "zero_export_to_ct")
    await visit.expect_reading("inverter_power", r"-?[\d,]+ W")
    await visit.choice("work_mode").click()
    await visit.page.get_by_role("menuitem").filter(visible=True).first.wait_for()
    await visit.picture("work-mode")
    await visit.page.keyboard.press("Escape")
    await visit.choose("work_mode", "selling_first")
    await visit.expect_word(142, 0)
    await visit.expect_choice("work_mode", "selling_first")
    logbook = visit.page.locator("ha-logbook")
    # The page draws the entries that can be seen only.
    await logbook.scroll_into_view_if_needed()
    await expect_shown(logbook.get_by_text("Selling first")).to_be_visible()
    # Controls, sensors and events; what follows is seldom looked at.
    await visit.picture("demo-device", to=visit.card.nth(2))


async def a_locked_inverter_is_not_shown_as_changed(visit: Visit) -> None:
    """When it acknowledges and ignores, the page says so and goes back to what is true."""
    await visit.plant.trouble(locked=True)
    await visit.choose("work_mode", "zero_export_to_load")
    await expect_shown(visit.toast).to_contain_text("still holds")
    await visit.picture("locked")
    await visit.expect_choice("work_mode", "selling_first")
    expect(await visit.plant.word(142) == 0, "the locked inverter has changed")
    await visit.plant.trouble(locked=False)
    await expect_shown(visit.toast).to_have_count(0)


async def the_battery_is_set(visit: Visit) -> None:
    """Register 117 is the low state of charge, 130 the grid charge."""
    await visit.open_device("JSO0000001", "battery")
    await visit.expect_reading("battery_power", r"-?[\d,]+ W")
    await visit.expect_reading("battery_soc", r"\d+%")
    await visit.enter("battery_low_soc", 33)
    await visit.expect_word(117, 33)
    await expect_shown(visit.number("battery_low_soc")).to_have_value("33")
    grid_charge = text("entity.switch.grid_charge_enabled.name")
    switch = visit.card.get_by_role("switch", name=re.compile(f" {re.escape(grid_charge)}$"))
    await expect_shown(switch).not_to_be_checked()
    # The thumb lies over the input, and passes the click on.
    await switch.click(force=True)
    await visit.expect_word(130, 1)
    await expect_shown(switch).to_be_checked()
    await visit.picture("demo-battery", to=visit.card.last)


async def an_impossible_value_is_refused(visit: Visit) -> None:
    """Below the low state of charge, 33, the shutdown must stay."""
    before = await visit.plant.word(115)
    await visit.enter("battery_shutdown_soc", 99)
    await expect_shown(visit.toast).to_contain_text("99")
    await expect_shown(visit.toast).to_contain_text("32")
    await visit.picture("refused")
    expect(await visit.plant.word(115) == before, "the refused value was written")


async def the_options_explain_themselves(visit: Visit) -> None:
    """In the dialog behind the cogwheel, each field has a label and a description."""
    await visit.open_integration()
    await visit.page.get_by_role("button", name="Configure").first.click()
    menu = "options.step.init.menu_options"
    await expect_shown(visit.dialog.get_by_text(text(f"{menu}.energy"))).to_be_visible()
    await visit.picture("options-menu", of=visit.dialog.get_by_role("dialog"))
    await visit.dialog.get_by_text(text(f"{menu}.settings")).click()
    await expect_shown(visit.dialog.get_by_role("radio", checked=True)).to_be_visible()
    await visit.expect_labels(6)
    await visit.picture("options", of=visit.dialog.get_by_role("dialog"))


async def the_schedule_is_set_by_its_form(visit: Visit) -> None:
    """A window is added to the list, and the answer begins with a sentence; register 148 is the start of the first slot."""
    page = visit.page
    devices = await visit.home.command("config/device_registry/list")
    inverter = next(one for one in devices if one["serial_number"] == "JSO0000001")
    await page.evaluate(
        "chosen => localStorage.setItem('panel-dev-action-state-service-data', chosen)",
        json.dumps(
            {
                "action": "hybrid_inverter.set_schedule",
                "target": {"device_id": [inverter["id"]]},
                "data": {},
            }
        ),
    )
    await visit.open("config/developer-tools/service")
    await page.locator("ha-selector-object").first.locator("ha-button").last.click()
    window = page.locator("dialog-form")
    times = window.locator("input[type=time]")
    for index, time_of_day in enumerate(("02:00", "05:00")):
        await times.nth(index).fill(time_of_day)
    target = text("selector.window.fields.target.name")
    await window.get_by_role("spinbutton", name=target).fill("80")
    await visit.picture("schedule-window")
    await window.get_by_role("button", name="Add", exact=True).click()
    await expect_shown(page.get_by_text("02:00 · to 05:00 · 80%", exact=True)).to_be_visible()
    await visit.picture("schedule-form")
    await page.get_by_role("button", name="Perform action").click()
    await visit.expect_word(148, 200)
    summary = page.get_by_text("The schedule of JSO8048104 is now: 02:00 to 05:00")
    await expect_shown(summary).to_be_visible()
    await visit.picture("schedule-answer")


async def an_automation_is_built_by_clicking_the_inverter(visit: Visit) -> None:
    """Charge 5 kWh from two until five; the choices are in words from the first moment on."""
    page = visit.page
    await visit.open("config/automation/edit/new")
    await page.get_by_role("button", name="Add trigger").click()
    await page.get_by_text("Time", exact=True).first.click()
    await page.get_by_text("Triggers at a specific time").click()
    for name, value in (("hours", "2"), ("minutes", "0")):
        await page.locator(f"ha-time-input input[name={name}]").fill(value)
    await page.get_by_role("button", name="Add action").click()
    await _click_the_inverter(page)
    await page.get_by_text(text("services.control_battery.name")).first.click()
    choices = "selector.control_mode.options"
    await expect_shown(page.get_by_role("radio", name=text(f"{choices}.no_charge"))).to_be_visible()
    await page.get_by_role("radio", name=text(f"{choices}.charge"), exact=True).click()
    rows = page.locator("ha-service-control ha-settings-row")
    for key, value in (("energy", "5"), ("until", "05:00")):
        name = text(f"services.control_battery.fields.{key}.name")
        row = rows.filter(has=page.get_by_text(name, exact=True))
        await row.locator("ha-checkbox").click()
        await row.locator("input:not([type=checkbox])").fill(value)
    await visit.picture("automation")
    saved = await _save_automation(visit, "Night")
    action = saved["actions"][0]
    wanted = {"mode": "charge", "energy": 5, "until": "05:00"}
    expect(
        saved["triggers"] == [{"trigger": "time", "at": "02:00:00"}]
        and action["action"] == "hybrid_inverter.control_battery"
        and len(action["target"]["device_id"]) > 0
        and wanted.items() <= action["data"].items(),
        f"the automation is {saved}",
    )


async def an_automation_tells_of_a_fault(visit: Visit) -> None:
    """The trigger is found at the inverter, below those that Home Assistant has for every device."""
    page = visit.page
    await visit.open("config/automation/edit/new")
    await page.get_by_role("button", name="Add trigger").click()
    await _click_the_inverter(page)
    trigger = page.get_by_text(text("triggers.fault_appeared.name")).first
    await page.get_by_text("Calendar event started").first.hover()
    for _ in range(MAX_SCREENS):
        if await trigger.count():
            break
        await page.mouse.wheel(0, 400)
        await asyncio.sleep(0.3)
    await trigger.click()
    await page.get_by_role("button", name="Add action").click()
    await page.locator("ha-input-search input").fill("notification")
    await page.get_by_text("Create persistent notification").first.click()
    message = page.locator("ha-service-control").locator("textarea, ha-selector-text input").first
    await message.fill("The inverter has a fault")
    await visit.picture("automation-fault")
    saved = await _save_automation(visit, "Fault")
    expect(
        saved["triggers"][0]["trigger"] == "hybrid_inverter.fault_appeared"
        and len(saved["triggers"][0]["target"]["device_id"]) > 0
        and saved["actions"][0]["data"] == {"message": "The inverter has a fault"},
        f"the automation is {saved}",
    )


async def _click_the_inverter(page: Page) -> None:
    """Choose the inverter where an automation asks for a target."""
    devices = page.locator("wa-tree-item").filter(has_text="Devices")
    await devices.locator("[part=expand-button]").first.click()
    await devices.get_by_text("JSO8048104", exact=True).click()


async def _save_automation(visit: Visit, name: str) -> dict[str, Any]:
    """Save a new automation; what Home Assistant has stored of it."""
    page = visit.page
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("textbox", name="Name").fill(name)
    await page.get_by_role("button", name="Save").last.click()
    await page.wait_for_url(re.compile(r"/config/automation/edit/\d+$"))
    entity_id = f"automation.{name.lower()}"
    stored = await visit.home.command("automation/config", entity_id=entity_id)
    saved: dict[str, Any] = stored["config"]
    return saved


async def nothing_is_to_be_repaired(visit: Visit) -> None:
    """And the browser's console has no error."""
    issues = (await visit.home.command("repairs/list_issues"))["issues"]
    expect(not issues, f"to be repaired: {issues}")
    await visit.open("config/repairs")
    await expect_shown(
        visit.page.locator("ha-config-repairs-dashboard .no-repairs")
    ).to_be_visible()
    await visit.picture("repairs")
    complaints = [one for one in visit.complaints if not NOT_OURS.search(one)]
    expect(not complaints, "\n".join(complaints))


STEPS: Final[tuple[Callable[[Visit], Awaitable[None]], ...]] = (
    the_integration_has_its_devices,
    a_wrong_framing_is_named,
    another_inverter_is_added,
    the_energy_dashboard_is_filled,
    the_work_mode_is_changed,
    a_locked_inverter_is_not_shown_as_changed,
    the_battery_is_set,
    an_impossible_value_is_refused,
    the_options_explain_themselves,
    the_schedule_is_set_by_its_form,
    an_automation_is_built_by_clicking_the_inverter,
    an_automation_tells_of_a_fault,
    nothing_is_to_be_repaired,
)


async def browse(folder: Path) -> int:
    """Take all steps in order, and stop at the first that fails; return 0 when none does, else 1."""
    async with asyncio.timeout(MAX_SECONDS), visiting(folder) as visit:
        return await take(visit, STEPS)


@asynccontextmanager
async def visiting(folder: Path, language: str = ENGLISH) -> AsyncIterator[Visit]:
    """A person in front of the page of a Home Assistant with an inverter, in a language; pictures go into a folder."""
    expect_shown.set_options(timeout=DEFAULT_TIMEOUT)
    async with (
        simulated_plant() as plant,
        simulated_plant(ANOTHER) as other,
        home_assistant(language=language) as home,
        async_playwright() as tools,
    ):
        await home.add_inverter(plant.tcp)
        browser = await tools.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = await browser.new_page(
            viewport={"width": WINDOW[0], "height": WINDOW[1]},
            locale="en-GB" if language == ENGLISH else language,
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        page.set_default_timeout(DEFAULT_TIMEOUT)
        visit = Visit(
            page=page, home=home, plant=plant, other=other, folder=folder, language=language
        )
        page.on("pageerror", lambda err: visit.complaints.append(str(err)))
        page.on(
            "console",
            lambda line: visit.complaints.append(line.text) if line.type == "error" else None,
        )
        try:
            yield visit
        finally:
            await browser.close()


async def take(visit: Visit, steps: Iterable[Callable[[Any], Awaitable[None]]]) -> int:
    """Take steps in order until one fails; 1 when one does, else 0."""
    for step in steps:
        started = time.monotonic()
        name = step.__name__.replace("_", " ")
        try:
            await step(visit)
        except (AssertionError, BrowserError, CheckError, RefusedError) as err:
            print(f"FAILED  {name}: {type(err).__name__}: {err}", flush=True)
            await visit.picture("failed")
            return 1
        print(f"ok      {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


async def _box(locator: Locator) -> FloatRect:
    """Where an element is; CheckError when it is nowhere."""
    box = await locator.bounding_box()
    if box is None:
        raise CheckError(f"{locator} is not shown")
    return box


def main() -> int:
    """Browse, and leave the pictures in a folder; 1 when a step fails."""
    parser = argparse.ArgumentParser(prog="lab.browse", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the pictures go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(browse(folder))


if __name__ == "__main__":
    sys.exit(main())
