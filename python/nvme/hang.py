"""Ctrl-\\ on a script that hangs: where every thread is, what every queue waits for, a core."""

import faulthandler
import sys

from nvme import _core


def report(fd: int) -> bool:
    """Have SIGQUIT say it to a file descriptor. False: somebody else has a use for the signal."""
    if not _core.quit_report(fd):
        return False
    import signal  # late: an import of the package is to be quick

    # Its handler goes before ours, and passes the signal on.
    faulthandler.register(signal.SIGQUIT, file=fd, all_threads=True, chain=True)
    return True


def report_to_stderr() -> None:
    """The same for a script without pytest, as soon as it has a drive that may hang."""
    try:
        fd = sys.__stderr__.fileno() if sys.__stderr__ else -1
    except (OSError, ValueError):
        return  # closed, or none of the system's
    if fd >= 0:
        report(fd)


def forget() -> None:
    """Take back report()."""
    import signal

    faulthandler.unregister(signal.SIGQUIT)
    _core.quit_default()
