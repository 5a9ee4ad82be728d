"""What every module keeps to: its length, and the field's words."""

import io
from pathlib import Path
import tokenize
from typing import Final

ROOT: Final = Path(__file__).parents[1]
INTEGRATION: Final = ROOT / "custom_components" / "hybrid_inverter"
SIMULATOR: Final = ROOT / "simulator"
TABLES: Final = INTEGRATION / "modbus" / "tables"

LONGEST: Final = 400
SHORTEST: Final = 25

# Names that were the project's own where the field has a term, and the term.
REPLACED: Final = {
    "Block": "WriteRequest",
    "Clue": "MeterFingerprint",
    "Ear": "RtuSniffer",
    "Heard": "ConfirmedReadings",
    "Line": "RequestQueue",
    "Observed": "ConnectionEvents",
    "Overheard": "SnifferStatistics",
    "PATIENCE": "DEFAULT_TIMEOUT",
    "Piece": "Segment",
    "REMEMBERED": "HISTORY_SIZE",
    "Reception": "ResponseMatcher",
    "Roster": "EntityPresence",
    "Share": "PermilleOfRated",
    "Sheet": "RowBuilder",
    "SparingEntity": "WriteOnChangeEntity",
    "Standing": "TimeoutEstimator",
    "Stranger": "OtherDevice",
    "Usage": "Condition",
    "Wish": "RequestedWindow",
    "Written": "AppliedChange",
    "applies": "is_met",
    "async_write_news": "async_write_if_changed",
    "careful_read": "fallback_read_length",
    "endures": "max_silent_requests",
    "foundations": "scaling_inputs",
    "happenings": "merged_occurrences",
    "leads": "prerequisites",
    "look_again": "rediscover",
    "lost_inverted": "undefined_when_inverted",
    "marker": "presence_register",
    "opposites": "swapped_when_inverted",
    "portrait": "identification_dump",
    "resting": "quarantined",
    "scout": "feature_probe",
    "stand_in": "read_only_counterpart",
    "tidied": "restore_tried",
    "usages_of": "conditions_of",
    "used_when": "visible_if",
    "was_there": "registered_before",
}
# The same at the beginning of a name.
REPLACED_BEGINNINGS: Final = ("MOST_", "LONGEST_", "SHORTEST_")


def modules(*folders: Path) -> list[Path]:
    """All modules in some folders."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def names_in(path: Path) -> set[str]:
    """All names in the code of a module; those in comments and strings do not count."""
    text = path.read_text(encoding="utf-8")
    return {
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME
    }


def test_no_module_is_long_or_a_scrap() -> None:
    """Tables are as long as what they describe; the `__init__` of a package may be its name only."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(INTEGRATION, SIMULATOR)
        if not path.is_relative_to(TABLES)
    }
    assert {
        name: lines
        for name, lines in lengths.items()
        if (lines > LONGEST or (lines < SHORTEST and not name.endswith("/__init__.py")))
    } == {}


def test_replaced_names_do_not_come_back() -> None:
    """Neither of a class, nor of an argument or a local."""
    found = {
        str(path.relative_to(ROOT)): names_in(path)
        for path in modules(INTEGRATION, SIMULATOR, ROOT / "scripts" / "lab")
    }
    assert {
        (path, name)
        for path, names in found.items()
        for name in names
        if name in REPLACED or name.startswith(REPLACED_BEGINNINGS)
    } == set()
