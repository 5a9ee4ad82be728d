"""Raw words on their way to a device: several requests in order, and one look at all that they have made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from ..errors import ChangedMeanwhileError, DeviceError, NotAppliedError, RejectedError
from ..model.register import Register
from .register_reader import RegisterReader
from .stages import Due, stages
from .wear import Origin, WearBudget
from .write_request import WriteRequest
from .writer import Writer

# How often what is not kept is sent.
TRIES: Final = 2


class WordWriter:
    """Reads and writes whole words, whatever is in them.

    A device settles for as long after one write as after many, and may need a second between two of them: what belongs
    together is sent in one go, and read back in one go.
    """

    def __init__(self, reader: RegisterReader, writer: Writer, wear: WearBudget) -> None:
        self._reader = reader
        self._writer = writer
        self._wear = wear

    def requests(self, words: Iterable[Mapping[int, int]], origin: Origin) -> list[WriteRequest]:
        """The requests that write these words by address; ValueError when one cannot."""
        family = self._reader.family
        requests = [WriteRequest.of_image(some, family.registers, origin) for some in words]
        for request in requests:
            if len(request.addresses) > family.max_write:
                raise ValueError(
                    f"registers {sorted(request.addresses)} are too many for a request"
                )
        return requests

    async def read(self, addresses: Collection[int]) -> dict[int, int]:
        """The words that the device holds now; ValueError for an address that no register has."""
        rows = rows_on(addresses, self._reader.family.registers)
        served = {address for row in rows for address in row.addresses}
        if unknown := sorted(set(addresses) - served):
            raise ValueError(f"the family has no registers {unknown}")
        await self._writer.settling.over()
        image = await self._reader.read_fresh(rows)
        return {address: image[address] for address in addresses}

    def check_budget(self, requests: Sequence[WriteRequest]) -> None:
        """Raise WriteBudgetError when a register may not be written as often as in all these requests today."""
        times = Counter(address for request in requests for address in request.stored)
        for request in requests:
            for key in request.wanted:
                (address,) = request.rows[key].addresses
                if address in times:
                    self._wear.check(key, [address], request.origin, times=times[address])

    async def write(
        self,
        requests: Sequence[WriteRequest],
        *,
        just_read: Mapping[int, int] | None = None,
        all_or_none: bool = True,
    ) -> None:
        """Write in order what the device does not hold already; restore in reverse what was sent when one fails.

        Without `all_or_none`, what it takes stays instead, also after a request that it refuses, and `left` of the error
        has the keys of the rest; no key if it has taken nothing. What was `just_read` is not read once more: on a slow
        line that would take as long again. The requests rest on it: ChangedMeanwhileError when a write has changed it since.
        """
        rows, image = _rows(requests), self._reader.image
        if just_read and any(image.words.get(one) != word for one, word in just_read.items()):
            raise ChangedMeanwhileError
        if just_read is not None and all(image.has(row) for row in rows):
            after = dict(image.words)
        else:
            after = await self._reader.read_fresh(rows)
        due: list[Due] = []
        changed: set[int] = set()
        for request in requests:
            if request.not_applied(after):
                before = dict(after)
                due.append((request, before))
                after.update(zip(request.addresses, request.encode(after), strict=True))
                changed |= {one for one in request.addresses if after[one] != before[one]}
        self._writer.publish({group for request in requests for group in request.groups})
        if not due:
            return
        self.check_budget([request for request, _ in due])
        # Whatever else lies on these words is changed with them, too.
        self._writer.proofs.sending(keys_on(changed, self._reader.family.registers))
        sent: list[Due] = []
        try:
            await self._send_in_stages(due, after, sent, past_refusals=not all_or_none)
        except DeviceError as err:
            if all_or_none:
                await self._writer.take_back(sent, err)
            else:
                err.left = _left(due, after, image.words)
            raise

    async def _send_in_stages(
        self,
        due: Sequence[Due],
        after: Mapping[int, int],
        sent: list[Due],
        *,
        past_refusals: bool,
    ) -> None:
        """Send these like `_send_until_kept`, the next stage only when the last one is held."""
        failure: DeviceError | None = None
        for part in stages(due, self._reader.family):
            try:
                await self._send_until_kept(part, after, sent, past_refusals=past_refusals)
            except (NotAppliedError, RejectedError) as err:
                if not past_refusals or (isinstance(err, RejectedError) and err.is_silence):
                    raise
                failure = failure or err
                held = self._reader.image.words
                if any(held.get(address) != after[address] for address in part[-1][0].addresses):
                    break
        if failure is not None:
            raise failure

    async def _send_until_kept(
        self,
        due: Sequence[Due],
        after: Mapping[int, int],
        sent: list[Due],
        *,
        past_refusals: bool,
    ) -> None:
        """Send these, once more what is not kept, and note what is about to be sent; `after` is held in the end.

        NotAppliedError for the first register that is not kept, or, after all others, the last refusal.
        """
        acknowledged, refusal = False, None
        left, held = due, dict(after)
        for attempt in range(TRIES):
            for request, before in left:
                if not attempt:
                    sent.append((request, before))
                try:
                    acknowledged |= await self._writer.send_or_retry(
                        request, request.not_applied(before), before
                    )
                except RejectedError as err:
                    if err.is_silence or not past_refusals:
                        raise
                    refusal = err
            held = await self._writer.read_settled(*(request for request, _ in due))
            left = [one for one in due if _not_kept(one[0], held, after)]
            if not left:
                return
        if refusal is not None:
            raise refusal
        request, before = left[0]
        address = _not_kept(request, held, after)[0]
        raise NotAppliedError(
            next(key for key in request.wanted if address in request.rows[key].addresses),
            address,
            after[address],
            held[address],
            acknowledged=acknowledged,
            changed=held[address] != before[address],
        )


def rows_on(addresses: Collection[int], registers: Mapping[str, Register]) -> list[Register]:
    """The registers that lie on these addresses, wholly or in part."""
    wanted = set(addresses)
    return [row for row in registers.values() if not wanted.isdisjoint(row.addresses)]


def keys_on(addresses: Collection[int], registers: Mapping[str, Register]) -> list[str]:
    """The keys of the registers that lie on these addresses."""
    return [row.key for row in rows_on(addresses, registers)]


def _rows(requests: Iterable[WriteRequest]) -> list[Register]:
    """All rows of these requests."""
    return [row for request in requests for row in request.rows.values()]


def _left(due: Sequence[Due], after: Mapping[int, int], held: Mapping[int, int]) -> tuple[str, ...]:
    """The keys of these that a device does not hold, as far as anybody knows; none if it holds all that it did before."""
    if all(held.get(a) == before[a] for request, before in due for a in request.addresses):
        return ()
    return tuple(
        key
        for request, _ in due
        for key in request.wanted
        for address in request.rows[key].addresses
        if held.get(address) != after[address]
    )


def _not_kept(
    request: WriteRequest, held: Mapping[int, int], after: Mapping[int, int]
) -> list[int]:
    """The addresses of a request that do not hold what they have to in the end."""
    return [address for address in request.addresses if held[address] != after[address]]
