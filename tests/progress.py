"""How far a long session is: the test that runs now, for how long, of how many, what is left.

On a terminal it is one line below pytest's own, written anew every second and taken away when the
test ends; elsewhere a line a minute. Time left is known once a session has come to its end: each
test is expected to take as long as it did then.
"""

import fcntl
import os
import termios
import threading
import time
from collections.abc import Generator

import pytest

TERMINAL_PERIOD_S, PIPE_PERIOD_S = 1.0, 60.0
CACHE = "progress/seconds"
STDERR = 2
#: Below the cursor, wherever that is: make room, remember the place, go down, write, come back.
ERASE_BELOW = "\x1b[J"
BELOW = "\x1b[J\x1bD\x1b[A\x1b7\x1b[B\r{}\x1b8"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--progress-every",
        type=float,
        metavar="S",
        help="say how far the session is, every S seconds; long sessions do so anyway",
    )


def pytest_configure(config: pytest.Config) -> None:
    period_s = config.getoption("--progress-every")
    if period_s or config.getoption("--long", False):
        config.pluginmanager.register(Progress(config, period_s), "session-progress")


def clock_text(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def is_terminal(stream: int) -> bool:
    return os.isatty(stream) and os.environ.get("TERM", "dumb") != "dumb"


def columns(stream: int) -> int:
    size = fcntl.ioctl(stream, termios.TIOCGWINSZ, bytes(8))
    return int.from_bytes(size[2:4], "little") or 80


class Progress:
    def __init__(self, config: pytest.Config, period_s: float | None) -> None:
        # While a test runs its output is captured; this is where the session's own goes.
        self.stream = os.dup(STDERR)
        self.terminal = is_terminal(self.stream)
        self.period_s = period_s or (TERMINAL_PERIOD_S if self.terminal else PIPE_PERIOD_S)
        self.cache = config.cache if hasattr(config, "cache") else None
        self.expected: dict[str, float] = self.cache.get(CACHE, {}) if self.cache else {}
        self.took: dict[str, float] = {}
        self.left: list[str] = []
        self.total = 0
        self.test = ""
        self.begin = self.since = time.monotonic()
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.alone = False
        self.thread = threading.Thread(target=self.run, name="progress", daemon=True)

    def text(self) -> str:
        now = time.monotonic()
        words = f"{clock_text(now - self.begin)}  test {len(self.took) + 1} of {self.total}"
        if self.expected:
            here = max(0.0, self.expected.get(self.test, 0.0) - (now - self.since))
            rest = here + sum(self.expected.get(name, 0.0) for name in self.left)
            words += f", about {clock_text(rest)} left"
        return f"{words}: {self.test} for {clock_text(now - self.since)}"

    def write(self, text: str) -> None:
        os.write(self.stream, text.encode(errors="replace"))

    def show(self) -> None:
        if self.terminal:
            self.write(BELOW.format(self.text()[: columns(self.stream) - 1]))
            return
        # pytest may be in the middle of a line of dots.
        self.write(f"{'' if self.alone else chr(10)}{self.text()}\n")
        self.alone = True

    def run(self) -> None:
        while not self.over.wait(self.period_s):
            with self.lock:
                # A test that has just begun may still be over before anybody can read the line.
                if self.test and time.monotonic() >= self.since + min(self.period_s, 1.0) / 2:
                    self.show()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.left = [item.nodeid for item in session.items]
        self.total = len(self.left)
        if not session.config.option.collectonly:
            self.thread.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        with self.lock:
            self.test, self.since, self.alone = item.nodeid, time.monotonic(), False
            self.left.remove(item.nodeid)
        try:
            return (yield)
        finally:
            with self.lock:
                self.took[self.test] = time.monotonic() - self.since
                self.test = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        """What pytest is about to print comes where the line is."""
        with self.lock:
            if self.terminal:
                self.write(ERASE_BELOW)
            self.alone = False

    def pytest_unconfigure(self) -> None:
        self.over.set()
        if self.thread.ident:
            self.thread.join()
        os.close(self.stream)
        if self.cache and len(self.took) == self.total > 1:
            self.cache.set(CACHE, self.expected | self.took)
