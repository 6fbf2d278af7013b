"""nvme.Subsystem."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nvme import _core, fabric
from nvme.number import optional_callable, seconds

__tracebackhide__ = True

if TYPE_CHECKING:
    from nvme.controller import Controller


class Subsystem:
    """The NVM subsystem of a controller: its power and its reset.

    Prefer the fixture "subsystem" in test scripts.

    nvme: a Controller of the subsystem
    poweron_cb, poweroff_cb: called without arguments to switch the power, where the tool cannot
    """

    def __init__(
        self,
        nvme: Controller,
        poweron_cb: Callable[[], Any] | None = None,
        poweroff_cb: Callable[[], Any] | None = None,
    ) -> None:
        if not isinstance(nvme, _core.Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme)}")
        optional_callable(poweron_cb, "poweron_cb")
        optional_callable(poweroff_cb, "poweroff_cb")
        self._nvme = nvme
        self._poweron_cb = poweron_cb
        self._poweroff_cb = poweroff_cb

    def __repr__(self) -> str:
        return f"<subsystem of {getattr(self, '_nvme', None)!r}>"

    def power_cycle(self, sec: int | float = 10) -> None:
        """Lose power for `sec` seconds, then initialise the controller again.

        By the callbacks, by the software SSD's own power, by PCIe slot power control, or by
        suspending the system (rtcwake); NvmeError where there is no such means.

        An exception on the way, as of the callback of a command that lost its power, cuts it
        short: the power is on again, and the controller initialised, when it is raised.
        """
        sec = seconds(sec, "sec")
        self._check()
        if self._poweroff_cb is None:
            self._needs_power()
        cut = True  # for all that is known when _off() raises
        try:
            cut = self._off()
            if cut:
                time.sleep(sec)
        finally:
            if cut:
                self.poweron()
        if not cut:
            self._suspend(sec)

    def poweroff(self) -> None:
        """Cut the power; commands in flight end with 00/08."""
        self._check()
        if not self._off():
            raise self._no_means()

    def poweron(self) -> None:
        """Switch the power on and initialise the controller again."""
        if self._poweron_cb is not None:
            self._poweron_cb()
            self._nvme._step("reinit")
        elif not self._nvme._power(True):
            raise self._no_means()

    def _no_means(self) -> Exception:
        return _core.NvmeError(
            f"{self._nvme.addr}: no means to switch its power: give Subsystem() poweron_cb "
            "and poweroff_cb"
        )

    def _check(self) -> None:
        """An error if the controller is closed or another process's: it keeps its power."""
        _ = self._nvme.addr

    def _needs_power(self) -> None:
        fabric.refuse(self._nvme, "power of its own: give Subsystem() poweron_cb and poweroff_cb")

    def _off(self) -> bool:
        """Cut the power, and only then raise what the script's commands in flight led to."""
        if self._poweroff_cb is None:
            self._needs_power()
            return self._nvme._power(False)
        try:
            self._nvme._step("quiesce")
        finally:
            try:
                self._poweroff_cb()
            finally:
                # Cut or not, if it failed: what may be lost is not verified.
                self._nvme._step("power_lost")
        return True

    def _suspend(self, sec: int | float) -> None:
        """System suspend takes the power from its devices; the clock wakes it."""
        import subprocess

        try:
            self._nvme._step("quiesce")
            reason = _no_suspend()
            if reason is None:
                command = ["rtcwake", "-m", "mem", "-s", str(max(1, round(sec)))]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    self._nvme._step("power_lost")
                else:
                    reason = f"suspend failed: {done.stderr.strip() or done.stdout.strip()}"
        finally:
            self._nvme._step("reinit")
        if reason is not None:
            raise _core.NvmeError(
                f"{self._nvme.addr}: no means to switch its power, and the system cannot be "
                f"suspended instead: {reason}"
            )

    def shutdown_notify(self, abrupt: bool = False) -> None:
        """Tell the subsystem of a shutdown (CC.SHN).

        An orderly one waits for CSTS.SHST = 10b up to max(RTD3E, 10 s), then TimeoutError;
        an abrupt one returns at once.
        """
        self._nvme._shutdown(abrupt)

    def reset(self) -> None:
        """NVM subsystem reset (NSSR = 4E564D65h), then initialise the controller again."""
        self._nvme._reset(3)


def _no_suspend() -> str | None:
    """Why the system cannot suspend and wake by its clock; None if it looks as if it can."""
    import os
    import shutil
    from pathlib import Path

    state = Path("/sys/power/state")
    if not state.exists() or "mem" not in state.read_text().split():
        return "the kernel has no sleep state 'mem' (/sys/power/state)"
    if not Path("/sys/class/rtc/rtc0").exists():
        return "no real-time clock to wake it (/sys/class/rtc/rtc0)"
    if os.geteuid() != 0:
        return "only root may"
    if shutil.which("rtcwake") is None:
        return "rtcwake is not installed (package util-linux-extra or util-linux)"
    return None
