"""What an owner reads in a language other than English, in a real browser: no English is left where the words are ours.

`python -m lab.browse_language --folder FOLDER de` exits 0 when that holds; the pictures are of a wide and a narrow page.
"""

import argparse
import asyncio
import functools
from importlib.resources import files
import json
from pathlib import Path
import re
import sys
from typing import Any, Final

from playwright.async_api import Locator, expect as expect_shown

from .browse import ENGLISH, Visit, take, texts, visiting
from .checking import expect
from .home_folder import USER
from .languages.english import flat
from .languages.language import load
from .languages.left import english_left

# A step takes longer in a page that was drawn in another language before; the starts of Home Assistant come on top.
MAX_SECONDS: Final = 400
# The two widths of the pictures: a screen and a telephone.
WIDTHS: Final = (1400, 390)
HEIGHT: Final = 1000
# What is drawn within half a second is drawn.
DRAWN_SECONDS: Final = 0.5
SUBMIT_PLACES: Final = ("common", "panel.config.integrations.config_flow")
# Those whose states and attributes are shown with our entities.
COMPONENTS: Final = ("binary_sensor", "button", "calendar", "number", "select", "sensor", "switch")
# The inverter's first fault with a remedy in the manual: F23, an earth fault.
FAULT_BIT: Final = 22
REMEDY: Final = "fault_f23"

# All text below an element, also in its shadow roots, a line for each text; and what is cut off with an ellipsis.
READ: Final = """
root => {
  const lines = [], cut = [];
  const walk = node => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent.replace(/\\s+/g, ' ').trim();
      const parent = node.parentElement;
      if (text && (!parent || parent.checkVisibility())) {
        lines.push(text);
        let box = parent;
        for (let level = 0; box && level < 4; level++) {
          if (getComputedStyle(box).textOverflow === 'ellipsis' && box.scrollWidth > box.clientWidth + 1) {
            cut.push(text);
            break;
          }
          box = box.assignedSlot || box.parentElement || (box.getRootNode() || {}).host;
        }
      }
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE && node.nodeType !== Node.DOCUMENT_FRAGMENT_NODE) return;
    if (['STYLE', 'SCRIPT', 'SVG', 'svg'].includes(node.nodeName)) return;
    if (node.nodeName === 'SLOT') {
      const given = node.assignedNodes();
      (given.length ? given : [...node.childNodes]).forEach(walk);
      return;
    }
    (node.shadowRoot || node).childNodes.forEach(walk);
  };
  walk(root);
  return [lines, cut];
}
"""


@functools.cache
def page_texts(language: str) -> dict[str, str]:
    """What Home Assistant's own page says in a language, by key."""
    folder = Path(str(files("hass_frontend"))) / "static" / "translations"
    found: dict[str, str] = {}
    for place in (folder, folder / "config"):
        for path in place.glob(f"{language}-*.json"):
            if re.fullmatch(rf"{language}-[0-9a-f]{{32}}", path.stem):
                found |= flat(json.loads(path.read_text(encoding="utf-8")))
    return found


@functools.cache
def left_by_home_assistant(language: str) -> set[str]:
    """What Home Assistant itself says in English, as it has no text for it in that language."""
    left = {text for key, text in page_texts(ENGLISH).items() if key not in page_texts(language)}
    components = Path(str(files("homeassistant"))) / "components"
    for component in COMPONENTS:
        english, translated = (
            flat(json.loads((components / component / "translations" / f"{each}.json").read_text()))
            for each in (ENGLISH, language)
        )
        left |= {text for key, text in english.items() if key not in translated}
    return left


def page_text(visit: Visit, key: str) -> str:
    """One of these texts."""
    return page_texts(visit.language)[f"ui.{key}"]


def submit_button(visit: Visit) -> Locator:
    """What sends a form of a dialog; its word is not the same in all of them."""
    words = {page_text(visit, f"{place}.submit") for place in SUBMIT_PLACES}
    name = re.compile(f"^(?:{'|'.join(map(re.escape, words))})$")
    return visit.dialog.get_by_role("button", name=name)


async def read(visit: Visit, name: str, *places: Locator) -> list[str]:
    """Take a picture at each width, and return the lines of some places; CheckError when English is among them."""
    await asyncio.sleep(DRAWN_SECONDS)
    lines: list[str] = []
    for place in places:
        for element in await place.all():
            shown, _ = await element.evaluate(READ)
            lines += shown
    for width in WIDTHS:
        await visit.page.set_viewport_size({"width": width, "height": HEIGHT})
        await asyncio.sleep(DRAWN_SECONDS)
        await visit.page.screenshot(
            path=visit.folder / f"{visit.language}-{width}-{name}.png", animations="disabled"
        )
        for place in places:
            for element in await place.all():
                _, cut = await element.evaluate(READ)
                for text in cut:
                    print(f"cut     {visit.language} at {width}: {text}", flush=True)
    await visit.page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    left = english_left(
        [line for line in lines if line not in left_by_home_assistant(visit.language)],
        texts(ENGLISH),
        texts(visit.language),
        load(visit.language).glossary.loan_words,
    )
    expect(not left, f"English is left in {name}: {left}")
    return lines


def expect_text(lines: list[str], text: str, what: str) -> None:
    """CheckError where a text of ours is not among the lines, whose markup is drawn."""
    plain = re.sub(r"\*\*|\[([^]]*)\]\([^)]*\)", lambda found: found[1] or "", text)
    shown = " ".join(lines)
    for part in plain.split("\n"):
        wanted = " ".join(re.sub(r"^(?:-|\d+\.) ", "", part).split())
        expect(wanted in shown, f"{what}: {wanted!r} is not shown, but {shown!r}")


async def the_devices_are_listed(visit: Visit) -> None:
    """After the log-in."""
    page = visit.page
    await visit.open_integration()
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(USER)
    await page.keyboard.press("Enter")
    rows = page.locator("ha-config-entry-row")
    await expect_shown(rows).to_have_count(1)
    await read(visit, "integration", rows)


async def two_mistakes_are_explained(visit: Visit) -> None:
    """The framing of another gateway, then a port on which nothing listens."""
    page, dialog = visit.page, visit.dialog
    key = "panel.config.integrations.integration_page.add_hub"
    await page.get_by_role("button", name=page_text(visit, key)).click()
    choice = visit.text("config.step.user.menu_options.network")
    await expect_shown(dialog.get_by_text(choice, exact=True)).to_be_visible()
    await read(visit, "menu", dialog)
    await dialog.get_by_text(choice, exact=True).click()
    fields = "config.step.network.data"
    await dialog.get_by_role("textbox", name=visit.text(f"{fields}.host")).fill("127.0.0.1")
    port = dialog.get_by_role("spinbutton", name=visit.text(f"{fields}.port"))
    await port.fill(str(visit.other.rtu))
    framing = "selector.framing.options"
    await dialog.get_by_role("radio", name=visit.text(f"{framing}.tcp"), exact=True).click()
    submit = submit_button(visit)
    await submit.click()
    wrong = visit.text("config.error.wrong_framing", found=visit.text(f"{framing}.rtu"))
    await expect_shown(dialog.locator("ha-alert")).to_have_text(wrong)
    await read(visit, "wrong-framing", dialog)
    # Nothing listens on the port of echo.
    await port.fill("7")
    await submit.click()
    refused = visit.text("config.error.connection_refused")
    await expect_shown(dialog.locator("ha-alert")).to_have_text(refused)
    await read(visit, "refused-connection", dialog)


async def another_inverter_is_added(visit: Visit) -> None:
    """And it is said what is next."""
    dialog = visit.dialog
    fields = "config.step.network.data"
    port = dialog.get_by_role("spinbutton", name=visit.text(f"{fields}.port"))
    await port.fill(str(visit.other.rtu))
    found_out = visit.text("selector.framing.options.find_out")
    await dialog.get_by_role("radio", name=found_out).click()
    submit = submit_button(visit)
    await submit.click()
    maker = visit.text("selector.maker.options.juststandout")
    await expect_shown(dialog.get_by_role("radio", name=maker)).to_be_checked()
    await read(visit, "maker", dialog)
    await submit.click()
    energy = visit.text("options.step.next_inverter.menu_options.energy")
    await expect_shown(dialog.get_by_text(energy, exact=True)).to_be_visible()
    lines = await read(visit, "next", dialog)
    title = visit.text("options.step.next_inverter.title")
    expect(title in lines, f"{title!r} is not among {lines}")
    finish = visit.text("options.step.next_inverter.menu_options.finish")
    await dialog.get_by_text(finish, exact=True).click()
    await expect_shown(visit.page.locator("ha-config-entry-row")).to_have_count(2)


async def a_device_is_read_and_a_value_refused(visit: Visit) -> None:
    """The battery: its sensors and settings, and why its shutdown must stay below another one."""
    await visit.open_device("JSO0000001")
    await visit.expect_choice("work_mode", "zero_export_to_ct")
    await read(visit, "inverter", visit.card)
    await visit.open_device("JSO0000001", "battery")
    await expect_shown(visit.number("battery_shutdown_soc")).to_be_visible()
    await read(visit, "battery", visit.card)
    before = await visit.plant.word(115)
    await visit.enter("battery_shutdown_soc", 99)
    await expect_shown(visit.toast).to_contain_text("99")
    lines = await read(visit, "refused-value", visit.toast)
    # In French, some spaces are not to be broken at.
    template = " ".join(texts(visit.language)["exceptions.too_high.message"].split())
    refusal = re.split(r"\{\w+\}", template)
    pattern = ".+".join(map(re.escape, refusal))
    expect(any(re.fullmatch(pattern, line) for line in lines), f"another reason: {lines}")
    expect(await visit.plant.word(115) == before, "the refused value was written")


async def a_fault_has_its_remedy(visit: Visit) -> None:
    """In the list of repairs, and in its dialog."""
    await visit.plant.trouble(faults=[FAULT_BIT])
    await visit.open("config/repairs")
    name = visit.text(f"issues.{REMEDY}.title", name="JSO8048104")
    item = visit.page.get_by_text(name, exact=True).first
    await expect_shown(item).to_be_visible()
    await read(visit, "repairs", visit.page.locator("ha-config-repairs"))
    await item.click()
    dialog = visit.page.locator("dialog-repairs-issue, dialog-repairs-flow, step-flow-form")
    await expect_shown(dialog.first).to_be_attached()
    lines = await read(visit, "repair", dialog)
    description = visit.text(f"issues.{REMEDY}.description", name="JSO8048104")
    expect_text(lines, description, "the remedy")


async def the_calendar_is_read(visit: Visit) -> None:
    """What the inverter does by the clock today."""
    await visit.open("calendar")
    calendar = visit.page.locator("ha-panel-calendar")
    event = calendar.get_by_role("button", name=re.compile("JSO8048104.*: ")).first
    await expect_shown(event).to_be_visible()
    await event.click()
    dialog = visit.page.locator("dialog-calendar-event-detail")
    await expect_shown(dialog).to_be_attached()
    lines = await read(visit, "calendar", calendar, dialog)
    expect(any("JSO8048104" in line for line in lines), f"nothing of the inverter: {lines}")


async def the_schedule_has_a_form(visit: Visit) -> None:
    """The action with its fields, and the form of a window."""
    page = visit.page
    form = await open_action(visit, "set_schedule", "windows")
    await read(visit, "schedule", form)
    await page.locator("ha-selector-object").first.locator("ha-button").last.click()
    window = page.locator("dialog-form")
    target = visit.text("selector.window.fields.target.name")
    await expect_shown(window.get_by_role("spinbutton", name=target)).to_be_visible()
    await read(visit, "window", window)


async def an_order_has_a_form(visit: Visit) -> None:
    """Its choices are in the language of the house from the first moment on."""
    form = await open_action(visit, "control_battery", "mode")
    mode = visit.text("selector.control_mode.options.no_charge")
    await expect_shown(form.get_by_role("radio", name=mode)).to_be_visible()
    await read(visit, "order", form)


async def open_action(visit: Visit, action: str, field: str) -> Locator:
    """Open the form of an action of the first inverter; it is there when one of its fields is."""
    devices = await visit.home.command("config/device_registry/list")
    inverter = next(one for one in devices if one["serial_number"] == "JSO0000001")
    chosen: dict[str, Any] = {
        "action": f"hybrid_inverter.{action}",
        "target": {"device_id": [inverter["id"]]},
        "data": {},
    }
    await visit.page.evaluate(
        "chosen => localStorage.setItem('panel-dev-action-state-service-data', chosen)",
        json.dumps(chosen),
    )
    await visit.open("config/developer-tools/service")
    form = visit.page.locator("ha-service-control")
    name = visit.text(f"services.{action}.fields.{field}.name")
    await expect_shown(form.get_by_text(name, exact=True).first).to_be_visible()
    return form


STEPS: Final = (
    the_devices_are_listed,
    two_mistakes_are_explained,
    another_inverter_is_added,
    a_device_is_read_and_a_value_refused,
    a_fault_has_its_remedy,
    the_calendar_is_read,
    the_schedule_has_a_form,
    an_order_has_a_form,
)


async def browse(language: str, folder: Path) -> int:
    """Take all steps in a language, and stop at the first that fails; return 0 when none does, else 1."""
    print(f"{language}:", flush=True)
    async with asyncio.timeout(MAX_SECONDS), visiting(folder, language) as visit:
        return await take(visit, STEPS)


def main() -> int:
    """Browse in languages, one after the other; 1 when a step fails in any."""
    parser = argparse.ArgumentParser(prog="scripts/browse-languages", description=__doc__)
    parser.add_argument("languages", nargs="+", help="their codes, as de")
    parser.add_argument("--folder", type=Path, required=True, help="where the pictures go")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    return max(asyncio.run(browse(one, options.folder)) for one in options.languages)


if __name__ == "__main__":
    sys.exit(main())
