"""What flows, in words: a text with templates, as "Charging 6.2 kW"."""

import json
from typing import Final

from .cards import FULL, Card, Texts
from .found import Owner

# Below so many watts nothing flows that is worth a word.
STILL_WATTS: Final = 50

# The power of each line, its icon, and the texts for its title, above 0, below 0 and for nothing.
LINES: Final = (
    ("sensor.pv_power", "mdi:solar-power", ("solar", "producing", "no_sun", "no_sun")),
    ("sensor.battery_power", "mdi:home-battery", ("battery", "discharging", "charging", "idle")),
    ("sensor.grid_power", "mdi:transmission-tower", ("grid", "buying", "selling", "balanced")),
    ("sensor.load_power", "mdi:home", ("home", "using", "using", "using_nothing")),
)

# Watts in kilowatts, whichever of the two units an owner has chosen for the sensor.
MACROS: Final = f"""\
{{% macro flow(entity, above, below, nothing, unknown) -%}}
{{% set shown = states(entity) | float(none) -%}}
{{% set kilo = 1 if state_attr(entity, 'unit_of_measurement') == 'kW' else 0.001 -%}}
{{% if shown is none -%}} {{{{ unknown }}}}
{{%- elif shown * kilo >= {STILL_WATTS / 1000} -%}} {{{{ above }}}} **{{{{ '%.1f' | format(shown * kilo) }}}} kW**
{{%- elif shown * kilo <= -{STILL_WATTS / 1000} -%}} {{{{ below }}}} **{{{{ '%.1f' | format(-shown * kilo) }}}} kW**
{{%- else -%}} {{{{ nothing }}}}
{{%- endif %}}
{{%- endmacro -%}}
"""


def in_words(owner: Owner, text: Texts) -> Card | None:
    """What flows at a plant or an inverter; None where nothing is known of it."""
    lines = []
    for name, icon, keys in LINES:
        if (entity := owner.entities.get(name)) is None:
            continue
        title, *said = (text(key) for key in (*keys, "unknown"))
        arguments = ", ".join([f"'{entity}'", *map(_quoted, said)])
        line = f'<ha-icon icon="{icon}"></ha-icon> {title}: {{{{ flow({arguments}) }}}}'
        soc = owner.entities.get("sensor.battery_soc")
        if name == "sensor.battery_power" and soc is not None:
            line += f"{{% if has_value('{soc}') %}}, {{{{ states('{soc}') | float(0) | round(0) | int }}}} %{{% endif %}}"
        lines.append(line)
    if not lines:
        return None
    return {
        "type": "markdown",
        "content": MACROS + "\n\n".join([*lines, *_order(owner, text)]),
        "grid_options": dict(FULL),
    }


def _order(owner: Owner, text: Texts) -> list[str]:
    """The order that is in force, if battery control has one."""
    if not owner.has("select.battery_control", "sensor.control_until"):
        return []
    mode, until = owner.entities["select.battery_control"], owner.entities["sensor.control_until"]
    said = text(
        "order_until",
        mode=f"{{{{ state_translated('{mode}') }}}}",
        time=f"{{{{ states('{until}') | as_timestamp | timestamp_custom('%H:%M') }}}}",
    )
    line = f'<ha-icon icon="mdi:battery-clock"></ha-icon> {text("control")}: {said}'
    return [f"{{% if has_value('{until}') %}}{line}{{% endif %}}"]


def _quoted(text: str) -> str:
    """A text as a template has it."""
    return json.dumps(text, ensure_ascii=False)
