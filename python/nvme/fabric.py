"""NVMe over Fabrics: options of an address, and discovery of what a target offers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from nvme import _core

if TYPE_CHECKING:
    from nvme.controller import Controller

TRANSPORTS = {1: "rdma", 2: "fc", 3: "tcp", 254: "loop"}
FAMILIES = {1: "ipv4", 2: "ipv6", 3: "ib", 4: "fc", 254: "loop"}
SUBTYPES = {1: "referral", 2: "nvm", 3: "discovery"}


def options(**given: str | int | bool | None) -> str | None:
    """Options in the form that an address has them; None: none are given."""
    pairs = [
        f"{name}={quoted(str(int(value) if isinstance(value, bool) else value), '&')}"
        for name, value in given.items()
        if value is not None
    ]
    return "&".join(pairs) or None


def quoted(text: str, special: str) -> str:
    """With a percent sign and two hexadecimal digits for each character that means something."""
    return "".join(f"%{ord(char):02X}" if char in "%" + special else char for char in text)


def refuse(nvme: Controller, what: str) -> None:
    """NvmeError on a controller that is reached over a fabric, which has nothing of the kind."""
    if nvme._fabric:
        raise _core.NvmeError(f"{nvme.addr}: an NVMe/TCP controller has no {what}")


class DiscoveryEntry(NamedTuple):
    """An entry of the discovery log: a subsystem, and where it is (Base 2.1, 5.1.12.3.1).

    trtype, adrfam, subtype: "tcp", "ipv4", "nvm" and so on; a number where it has no name
    treq: transport requirements
    sectype: of TCP: 0 none, 1 TLS 1.2, 2 TLS 1.3
    """

    trtype: str
    adrfam: str
    subtype: str
    treq: int
    portid: int
    cntlid: int
    asqsz: int
    eflags: int
    trsvcid: str
    subnqn: str
    traddr: str
    sectype: int

    @property
    def address(self) -> str:
        """What a Controller takes."""
        host = f"[{self.traddr}]" if ":" in self.traddr else self.traddr
        return f"{host}:{self.trsvcid}/{quoted(self.subnqn, '?')}"


def discover(
    addr: str | bytes | os.PathLike[str],
    *,
    hostnqn: str | None = None,
    hostid: str | None = None,
    hdgst: bool | None = None,
    ddgst: bool | None = None,
    timeout_s: int | None = None,
) -> list[DiscoveryEntry]:
    """The discovery log of an NVMe/TCP target, referrals followed once, 16 of them at most.

    addr: like b"192.168.1.7" or "host:8009"; the port is 4420 when it is not given
    hostnqn, hostid, hdgst, ddgst, timeout_s: as of Controller

    Raises NvmeEnumerateError when nothing that speaks NVMe/TCP answers there; the text says why.
    """
    from nvme.controller import address

    given = options(hostnqn=hostnqn, hostid=hostid, hdgst=hdgst, ddgst=ddgst, timeout_s=timeout_s)
    return [
        DiscoveryEntry(
            TRANSPORTS.get(raw[0], str(raw[0])),
            FAMILIES.get(raw[1], str(raw[1])),
            SUBTYPES.get(raw[2], str(raw[2])),
            *raw[3:],
        )
        for raw in _core.discover(address(addr), given)
    ]
