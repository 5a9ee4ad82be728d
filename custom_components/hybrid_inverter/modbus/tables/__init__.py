"""The register tables: data only, one module a family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..family import Family
from .jso import JSO

FAMILIES: Final[Mapping[str, Family]] = {JSO.key: JSO}
