"""nvme.Pcie."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from nvme import _core
from nvme.number import field, optional_callable

__tracebackhide__ = True

if TYPE_CHECKING:
    from nvme.controller import Controller

# PCI and PCI Express configuration space
CONFIG_BYTES = 4096
COMMAND = 0x04
COMMAND_DECODES = 0b110  # memory space, bus master
GONE = 0xFF  # no function answers: bit 7 is always 0
STATUS = 0x06
STATUS_CAPABILITIES = 1 << 4
CAPABILITIES = 0x34
CAP_POWER = 0x01
PMCSR = 4  # in it
PMCSR_STATE = 0b11
CAPS_MAX = 48


class Pcie(_core.Pcie):
    """Config space of a PCI function. Prefer the fixture "pcie" in test scripts.

    nvme: a Controller, or the address of a function that has none yet; Controller(pcie) then
    makes one of it. Another one that is made of it later initialises the same controller again,
    by its own nvme_init_func: both objects go on, qpairs from before are stale

    p[i] is a byte, p[a:b] a list of bytes, p[i] = v writes one. Writes that stop the function
    decoding are safe at any time: its queues are frozen first. When it decodes again, the
    controller is initialised again.
    """

    def __new__(cls, nvme: Controller | str | bytes | os.PathLike[str]) -> Pcie:
        from nvme.controller import Controller, address

        return super().__new__(cls, nvme if isinstance(nvme, Controller) else address(nvme, "nvme"))

    def _index(self, index: Any) -> int:
        try:
            at = operator.index(index)
        except TypeError:
            raise TypeError(f"index must be an int or a slice, not {type(index)}") from None
        if not -CONFIG_BYTES <= at < CONFIG_BYTES:
            raise IndexError(f"index is beyond the {CONFIG_BYTES} bytes of config space")
        return at % CONFIG_BYTES

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if not isinstance(index, slice):
            return self._read(self._index(index), 1)[0]
        start, stop, step = index.indices(CONFIG_BYTES)
        if step != 1:
            return [self._read(i, 1)[0] for i in range(start, stop, step)]
        return list(self._read(start, max(stop - start, 0)))

    @overload
    def __setitem__(self, index: int, value: int) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: bytes | list[int]) -> None: ...
    def __setitem__(self, index: int | slice, value: int | bytes | list[int]) -> None:
        if isinstance(index, slice):
            start, stop, step = index.indices(CONFIG_BYTES)
            assert not isinstance(value, int), "the value of a slice must be bytes"
            data = bytes(field(byte, "value", 0xFF) for byte in value)
            if step != 1 or stop - start != len(data):
                raise ValueError(f"{len(data)} bytes do not fit {index}")
            self._guarded_write(start, data)
        else:
            self._guarded_write(self._index(index), bytes([field(value, "value", 0xFF)]))

    def __len__(self) -> int:
        return CONFIG_BYTES

    def register(self, offset: int, byte_count: int = 4) -> int:
        """The register of `byte_count` bytes at `offset`, little endian."""
        offset = field(offset, "offset", CONFIG_BYTES - 1)
        byte_count = field(byte_count, "byte_count", CONFIG_BYTES - offset, 1)
        return int.from_bytes(self._read(offset, byte_count), "little")

    def cap_offset(self, cap_id: int) -> int | None:
        """Where the capability lies, or None."""
        field(cap_id, "cap_id", 0xFF)
        if not self.register(STATUS, 2) & STATUS_CAPABILITIES:
            return None
        at = self[CAPABILITIES] & ~3
        for _ in range(CAPS_MAX):
            if at < 0x40 or at == 0xFC:
                break
            if self[at] == cap_id:
                return at
            at = self[at + 1] & ~3
        return None

    def reset(self, rst_fn: Callable[[], Any] | None = None) -> None:
        """Hot reset of the function (secondary bus), then initialise the controller again.

        rst_fn: called without arguments to reset it in place of that, as by a board of one's own
        """
        optional_callable(rst_fn, "rst_fn")
        nvme = self._controller()
        if rst_fn is None:
            nvme._reset(2)
            return
        try:
            nvme._step("quiesce")
        finally:
            try:
                rst_fn()
            finally:
                nvme._step("reinit")

    def flr(self) -> None:
        """Function level reset, then initialise the controller again."""
        self._controller()._reset(1)

    @property
    def aspm(self) -> int:
        """Active State Power Management of the link: 0 off, 1 L0s, 2 L1, 3 both.

        Set at both ends and read back; an error where it cannot be done.
        """
        return self._aspm

    @aspm.setter
    def aspm(self, control: int) -> None:
        self._aspm = field(control, "aspm", 3)

    @property
    def power_state(self) -> int:
        """D0..D3hot as 0..3."""
        return self.register(self._pm() + PMCSR, 2) & PMCSR_STATE

    @power_state.setter
    def power_state(self, state: int) -> None:
        field(state, "power_state", 3)
        at = self._pm() + PMCSR
        control = self.register(at, 2) & ~PMCSR_STATE | state
        self._guarded_write(at, control.to_bytes(2, "little"))
        if self.power_state != state:
            raise _core.NvmeError(f"the function refuses D{state}: it is in D{self.power_state}")

    def _controller(self) -> Controller:
        nvme = self._nvme
        if nvme is None:
            raise _core.NvmeError("the function has no Controller yet")
        return nvme

    def _pm(self) -> int:
        at = self.cap_offset(CAP_POWER)
        if at is None:
            raise _core.NvmeError("the function has no power management capability")
        return at

    def _decodes(self, command: int, pmcsr: int) -> bool:
        return command & COMMAND_DECODES == COMMAND_DECODES and not pmcsr & PMCSR_STATE

    def _guarded_write(self, offset: int, data: bytes) -> None:
        """Freeze the queues before the function stops decoding, start them when it does again."""
        power = self.cap_offset(CAP_POWER)
        watched = {COMMAND: 2} | ({power + PMCSR: 2} if power else {})
        nvme = self._nvme
        touched = any(offset < at + 2 and at < offset + len(data) for at in watched)
        if nvme is None or not touched:
            self._write(offset, data)
            return
        before = self._decodes(*self._watched(power))
        after = self._decodes(*self._watched(power, offset, data))
        if before and not after:
            self._freezing_write(nvme, power, offset, data)
            return
        self._write(offset, data)
        if after and not before:
            self._settle(power)
            nvme._step("reinit")

    def _freezing_write(
        self, nvme: Controller, power: int | None, offset: int, data: bytes
    ) -> None:
        """A write that stops the decoding.

        The commands that end with the queues may raise, by their callbacks or as warnings: then
        that reaches the script when the write is done, as it does after a reset.
        """
        try:
            nvme._step("quiesce")
        finally:
            try:
                self._write(offset, data)
            finally:
                self._settle(power)
                # Not written, or refused like a power state that there is not: it goes on.
                command, pmcsr = self._watched(power)
                if command != GONE and self._decodes(command, pmcsr):
                    nvme._step("reinit")

    def _settle(self, power: int | None) -> None:
        """PCI-PM 1.2, 5.6.1: 10 ms from D0 to D3hot, and from there to D0."""
        if power:
            import time

            time.sleep(0.01)

    def _watched(self, power: int | None, offset: int = 0, data: bytes = b"") -> tuple[int, int]:
        """Command and PMCSR as they are, or would be after a write of `data` at `offset`."""
        space = bytearray(self._read(0, 256))
        space[offset : offset + len(data)] = data
        pmcsr = space[power + PMCSR] if power else 0
        return space[COMMAND], pmcsr
