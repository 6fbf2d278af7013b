"""What all commands of ``pynvme`` have in common: one line for an error, and the exit codes."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from nvme import _core

#: Exit codes.
TROUBLE = 1  # the run came to its end, but not well
USAGE = 2  # a wrong option or address: nothing was done
BROKEN_PIPE = 141  # as the shell has it: who reads the output has gone
INTERRUPTED = 130  # as the shell has it: Ctrl-C

EXIT_CODES = (
    "exit codes: 0 all well; 1 the device or the host had trouble, and standard error says which; "
    "2 wrong options, or no such device; 130 ended by Ctrl-C"
)


class UsageError(Exception):
    """What somebody has to write in another way; the text is for them."""


class Formatter(argparse.HelpFormatter):
    """Help with the default of every option that has one."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        if action.default in (None, argparse.SUPPRESS, False, "") or "default" in text:
            return text
        return f"{text} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose help tells the defaults."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", Formatter)
        settings.setdefault("allow_abbrev", False)
        super().__init__(**settings)

    def error(self, message: str) -> NoReturn:
        """One line on standard error; exit code 2."""
        self.exit(USAGE, f"{self.prog}: {message.removeprefix('argument ')}; see --help\n")


def whole(lowest: int, highest: int, unit: str = "") -> Callable[[str], int]:
    """A parser of whole numbers within limits."""
    what = f"{lowest}..{highest}{unit and ' '}{unit}"

    def parse(text: str) -> int:
        try:
            number = int(text, 0)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be {what}, not {text!r}") from None
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"must be {what}, not {text}")
        return number

    return parse


def complain(prog: str, text: object) -> None:
    """A line on standard error."""
    line = " ".join(str(text).split("\n"))
    with contextlib.suppress(BrokenPipeError):
        print(f"{prog}: {line}", file=sys.stderr)


class _Events(logging.Handler):
    """Events of the driver become lines of standard error: the first few, then their number."""

    SHOWN = 3

    def __init__(self, prog: str) -> None:
        super().__init__(logging.WARNING)
        self.prog = prog
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        if self.count <= self.SHOWN:
            complain(self.prog, record.getMessage())

    def end(self) -> None:
        """Says how many were not shown."""
        if self.count > self.SHOWN:
            complain(self.prog, f"and {self.count - self.SHOWN} more events of the driver")


@contextlib.contextmanager
def events_in_lines(prog: str) -> Iterator[None]:
    """Few lines, however much a broken drive gives reason to log."""
    logger = logging.getLogger("nvme")
    events = _Events(prog)
    logger.addHandler(events)
    try:
        yield
    finally:
        logger.removeHandler(events)
        events.end()


@contextlib.contextmanager
def warnings_in_lines(prog: str) -> Iterator[None]:
    """Warnings become lines of standard error, without the place in the source."""

    def show(message: Warning | str, *place: object, **more: object) -> None:
        complain(prog, message)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


def guarded(prog: str, run: Callable[[], int]) -> int:
    """The exit code of `run`, also when it fails: then with one line on standard error."""
    try:
        with warnings_in_lines(prog), events_in_lines(prog):
            code = run()
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        complain(prog, "interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer has nowhere to go; the interpreter would try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except TimeoutError as error:
        complain(prog, error)
        return TROUBLE
    except OSError as error:
        complain(prog, f"{error.filename}: {error.strerror}" if error.filename else error)
        return USAGE
    except (UsageError, AssertionError, ValueError, _core.NvmeError) as error:
        complain(prog, error)
        return USAGE
