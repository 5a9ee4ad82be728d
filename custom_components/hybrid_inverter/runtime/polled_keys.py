"""Which keys of a group are polled: those that are shown, and those that other values rest on."""

from collections.abc import Callable, Collection, Iterable

from ..modbus.device.device import Device
from ..modbus.model.register import Group


class PolledKeys:
    """The keys of one group of a device that its polls ask for."""

    def __init__(
        self, device: Device, group: Group, shown: Callable[[], Iterable[frozenset[str]]]
    ) -> None:
        """`shown` returns the keys of everything that is shown now."""
        self._device = device
        self._group = group
        self._shown = shown
        # What is polled until the entities have been added, and as long as none shows anything.
        self._first = frozenset[str]()
        self._entities_added = False
        # What entities show that are being added.
        self.expected = frozenset[str]()
        # What is polled; None when that has to be worked out again.
        self._keys: frozenset[str] | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The keys that enabled entities and the device page show, and those that other values rest on."""
        if self._keys is None:
            self._keys = self._wanted()
        return self._keys

    def take(self) -> frozenset[str]:
        """The keys for a poll that begins now; by the next one entities that are being added will have said so themselves."""
        if (keys := self._keys) is None:
            keys = self.keys
        if self.expected:
            self.expected = frozenset()
            self._keys = None
        return keys

    def begin_with(self, keys: Collection[str]) -> None:
        """Poll these keys until the entities have been added."""
        self._first = frozenset(keys)
        self._keys = None

    def end_beginning(self) -> None:
        """Poll from now on what is shown: the entities have been added."""
        self._entities_added = True
        self._keys = None

    def expect(self, keys: Collection[str]) -> None:
        """Poll these keys, too: entities that show them are about to be added."""
        self.expected |= frozenset(keys)
        self._keys = None

    def forget(self) -> None:
        """Work the keys out again: something else is shown now."""
        self._keys = None

    def _wanted(self) -> frozenset[str]:
        """Work out the keys, after what is shown has changed."""
        shown = frozenset[str]().union(*self._shown())
        if not shown or not self._entities_added:
            shown |= self._first
        shown |= self.expected
        if not shown and self._group is Group.POWER:
            # Somebody shows whether it answers, and nothing else.
            shown = frozenset({self._device.family.presence_register})
        device, family = self._device, self._device.family
        if self._group is Group.IDENTITY:
            return shown.union(family.firmware, device.scaling_inputs)
        # A mode may be left at the machine itself, whether or not an entity shows it.
        return shown.union(
            residue.key
            for residue in family.residues
            if family.group_of(residue.key) is self._group
        )
