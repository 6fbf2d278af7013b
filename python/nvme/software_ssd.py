"""The handle of a software SSD: its faults, its power, its counters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from nvme import _core
from nvme.dotdict import DotDict
from nvme.number import seconds

if TYPE_CHECKING:
    from nvme.controller import Controller

# enum ssd_fault_action of src/ssd/ssd.h, in its order
ACTIONS = (
    "status",
    "delay",
    "drop",
    "duplicate",
    "wrong_cid",
    "wrong_sqid",
    "no_phase",
    "bitflip",
    "stale",
    "misdirected",
    "torn",
    "lost",
    "fatal",
    "remove",
    "power",
)


class Fault(NamedTuple):
    """A rule: which commands it hits, what it does to them, and how often it did."""

    number: int
    admin: bool | None
    opcode: int | None
    nsid: int
    slba: int
    nlb: int
    nth: int
    times: int
    probability: float
    action: str
    status: int
    delay: float  # seconds
    value: int
    matched: int
    hits: int


class Rule:
    """A fault while it is injected; its counts stay readable when it has ended."""

    def __init__(self, ssd: SoftwareSsd, number: int) -> None:
        self._ssd = ssd
        self._number = number
        self._last = self._look()

    def _look(self) -> Fault | None:
        return next((f for f in self._ssd.faults if f.number == self._number), None)

    @property
    def fault(self) -> Fault:
        """The rule as it is now, or as it was last seen."""
        self._last = self._look() or self._last
        assert self._last is not None
        return self._last

    @property
    def hits(self) -> int:
        """How many commands it hit."""
        return self.fault.hits

    @property
    def matched(self) -> int:
        """How many commands it matched."""
        return self.fault.matched


def _fault(fields: tuple[Any, ...]) -> Fault:
    number, admin, opcode, nsid, slba, nlb, nth, times, probability, action, status, ns, *rest = (
        fields
    )
    return Fault(
        number,
        None if admin < 0 else bool(admin),
        None if opcode < 0 else opcode,
        nsid,
        slba,
        nlb,
        nth,
        times,
        probability,
        ACTIONS[action],
        status,
        ns / 1e9,
        *rest,
    )


def _action(status: int, delay: float, value: int, named: dict[str, int]) -> tuple[str, int]:
    """The one action that keywords name, and its value."""
    unknown = [name for name in named if name not in ACTIONS]
    if unknown:
        raise TypeError(f"fault() got an unexpected keyword argument {unknown[0]!r}")
    names = [name for name, on in named.items() if on is not False]
    names += ["status"] * bool(status) + ["delay"] * bool(delay)
    if len(names) != 1:
        raise ValueError(f"fault() takes one action of {', '.join(ACTIONS)}; got {names or 'none'}")
    given = named.get(names[0], value)
    return names[0], value if given is True else given


class SoftwareSsd(_core.Sim):
    """The software SSD behind a Controller, seen from its own side."""

    @contextmanager
    def fault(
        self,
        action: str | None = None,
        *,
        admin: bool | None = None,
        opcode: int | None = None,
        nsid: int = 0,
        slba: int = 0,
        nlb: int = 0,
        nth: int = 1,
        times: int = 0,
        probability: float = 1.0,
        status: int = 0,
        delay: float = 0.0,
        value: int = 0,
        **named: int,
    ) -> Iterator[Rule]:
        """Inject a fault while the with block runs; yields the Rule, which counts its hits.

        The action is named, or is a keyword of its own with what it needs: status=0x281,
        delay=0.1, drop=True, wrong_cid=77, misdirected=8, ...

        action: status, delay, drop, duplicate, wrong_cid, wrong_sqid, no_phase, bitflip, stale,
        misdirected, torn, lost, fatal (CSTS.CFS), remove or power
        admin: True admin commands only, False IO commands only
        opcode, nsid, slba, nlb: commands with this opcode, on this namespace (0: any), that touch
        these LBAs (nlb 0: any)
        nth: the first hit is the nth match; times: hits before the rule ends (0: no end)
        probability: of each match from the nth on
        status: SCT << 8 | SC of action status; delay: seconds of action delay
        value: CID, SQID or LBA distance of wrong_cid, wrong_sqid, misdirected
        """
        delay = seconds(delay, "delay")
        if action is None:
            action, value = _action(status, delay, value, named)
        elif named:
            raise TypeError(f"fault() has an action already, {action!r}: {', '.join(named)}")
        if action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {action!r}")
        number = self._fault_add(
            -1 if admin is None else int(admin),
            -1 if opcode is None else opcode,
            nsid,
            slba,
            nlb,
            nth,
            times,
            probability,
            ACTIONS.index(action),
            status,
            round(delay * 1e9),
            value,
        )
        rule = Rule(self, number)
        try:
            yield rule
        finally:
            _ = rule.fault
            self._fault_del(number)

    @property
    def faults(self) -> list[Fault]:
        """The rules there are, with their counts."""
        return [_fault(fields) for fields in self._fault_list()]

    def power(self, on: bool) -> None:
        """Cut the power, or switch it on and initialise the controller again."""
        self.nvme._power(on)

    @property
    def stats(self) -> DotDict:
        """What the drive did: commands, reads and writes (LBAs), irqs, media_bytes, faults_hit."""
        return DotDict(self._stats)


def sim(nvme: Controller) -> SoftwareSsd:
    """The handle of the software SSD behind `nvme`; TypeError for any other device."""
    return SoftwareSsd(nvme)
