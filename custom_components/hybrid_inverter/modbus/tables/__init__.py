"""The register tables: data only, one package a manufacturer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..model.family import Family
from .chint import DDSU666, DTSU666
from .jso import JSO
from .saj import SAJ

FAMILIES: Final[Mapping[str, Family]] = {
    family.key: family for family in (JSO, SAJ, DTSU666, DDSU666)
}
