"""How a family is told from other devices: what is read, and what the answers mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

NO_SERIAL_NUMBER: Final = "no_serial_number"


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """What answers instead of a device of the family: a code that has a text, and what fills the text's placeholders."""

    code: str
    details: Mapping[str, str] = field(default_factory=dict)
    # Whether this is certain, so that no other family of the same kind has to be tried.
    certain: bool = True


# It is of the family, it is something else, or nothing can be said.
type Verdict = Literal[True] | OtherDevice | None
type Words = Sequence[int] | None
# Yields the first address and the number of words to read, and is sent the words, or None where they are refused.
type Recognition = Generator[tuple[int, int], Words, Verdict]


async def conclude(
    recognition: Recognition, ask: Callable[[int, int], Awaitable[Words]]
) -> Verdict:
    """The verdict of a recognition; `ask` reads the words that it yields for."""
    try:
        question = next(recognition)
        while True:
            question = recognition.send(await ask(*question))
    except StopIteration as conclusion:
        verdict: Verdict = conclusion.value
        return verdict


def by_code(
    address: int, accepts: Container[int], others: Mapping[int, str] | None = None
) -> Callable[[], Recognition]:
    """Recognise a family by the type in a register; `others` has the codes of other known devices, by type."""

    def recognise() -> Recognition:
        words = yield address, 1
        if words is None:
            return None
        (found,) = words
        if others and found in others:
            return OtherDevice(others[found])
        if found in accepts:
            return True
        return OtherDevice("unknown_type", {"type": f"{found:#06x}"}, certain=False)

    return recognise
