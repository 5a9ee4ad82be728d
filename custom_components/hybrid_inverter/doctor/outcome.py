"""What a test of an owner has come to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..modbus.doctor.owner_test import TestReport


class Result(StrEnum):
    """What a test has shown, in one word: the key of a text."""

    RIGHT = "right"
    WRONG = "wrong"
    # Not every clamp could be told.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of a test that has come to its end, in UTC."""

    ended: datetime
    report: TestReport

    @property
    def result(self) -> Result:
        """What the test has shown, in one word."""
        if self.report.findings:
            return Result.WRONG
        return Result.RIGHT if self.report.is_certain else Result.UNCERTAIN
