"""How a machine is told from others: what it is asked, and what its answers say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Stranger:
    """What was found instead of a machine of ours, in words for a person."""

    name: str
    # Whether the machine is known for what it is, so that nothing else of its kind has to be asked for.
    certain: bool = True


# It is one, it is something else, or nothing can be said.
type Verdict = Literal[True] | Stranger | None
type Words = Sequence[int] | None
# Asks for words by their first address and their number, and is given them, or None where they are refused.
type Recognition = Generator[tuple[int, int], Words, Verdict]


async def conclude(
    recognition: Recognition, ask: Callable[[int, int], Awaitable[Words]]
) -> Verdict:
    """Return what the answers to a recognition's questions say."""
    try:
        question = next(recognition)
        while True:
            question = recognition.send(await ask(*question))
    except StopIteration as conclusion:
        verdict: Verdict = conclusion.value
        return verdict


def by_code(
    address: int, accepts: Container[int], strangers: Mapping[int, str] | None = None
) -> Callable[[], Recognition]:
    """Recognise a family by the code of its type in a register."""

    def recognise() -> Recognition:
        words = yield address, 1
        if words is None:
            return None
        (code,) = words
        if strangers and code in strangers:
            return Stranger(strangers[code])
        if code in accepts:
            return True
        return Stranger(f"an unknown machine of type {code:#06x}", certain=False)

    return recognise
