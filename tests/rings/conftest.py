"""Turns each ring_*.py into items of this session."""

import importlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from rings.ring import CannotRun, Outcome, Ring


class RingFailure(Exception):
    """A test of a ring failed; the text is what its process said."""


class Lane:
    """Runs early rings one after another, beside the session."""

    def __init__(self, rings: Sequence[Ring]) -> None:
        self.begun = {ring: Event() for ring in rings}
        self.over = False
        self.thread = Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        try:
            for ring, event in self.begun.items():
                event.set()
                if not self.over:
                    ring.work()
        finally:
            # Whoever waits for a ring that did not come to its turn runs it.
            for event in self.begun.values():
                event.set()

    def wait_for_turn(self, ring: Ring) -> None:
        """Until the ring has begun, if it is one of these."""
        if event := self.begun.get(ring):
            event.wait()

    def stop(self) -> None:
        self.over = True


LANE = pytest.StashKey[Lane]()


class RingItem(pytest.Item):
    """One test that another process runs."""

    outcome: Outcome | None = None

    def __init__(self, *, ring: Ring, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.ring = ring

    def runtest(self) -> None:
        self.session.stash[LANE].wait_for_turn(self.ring)
        self.outcome = self.ring.outcome(self.name)
        self.user_properties.extend(self.outcome.figures.items())
        match self.outcome.kind:
            case "passed":
                return
            case "skipped":
                pytest.skip(self.outcome.text)
            case "xfailed":
                pytest.xfail(self.outcome.text)
            case _:
                raise RingFailure(self.outcome.text)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, RingFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class IdleItem(pytest.Item):
    """Stands for a ring that cannot run on this machine."""

    def __init__(self, *, reason: str, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.reason = reason

    def runtest(self) -> None:
        pytest.skip(self.reason)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class RingFile(pytest.File):
    """A file that defines RING."""

    def collect(self) -> Iterator[pytest.Item]:
        ring: Ring = importlib.import_module(f"rings.{self.path.stem}").RING
        try:
            names = ring.names(self.config.getoption("long"))
        except CannotRun as reason:
            yield IdleItem.from_parent(self, name="ring", reason=str(reason))
            return
        for name in names:
            yield RingItem.from_parent(self, name=name, ring=ring)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".py" and file_path.name.startswith("ring_"):
        return RingFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: isinstance(item, RingItem) and item.ring.early)


def selected(session: pytest.Session) -> dict[Ring, list[str]]:
    rings: dict[Ring, list[str]] = {}
    for item in session.items:
        if isinstance(item, RingItem):
            rings.setdefault(item.ring, []).append(item.name)
    return rings


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.option.collectonly:
        rings = selected(session)
        for ring, names in rings.items():
            ring.start(names)
        session.stash[LANE] = Lane([ring for ring in rings if ring.early])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    # What the test took in its own process, not how long this session waited for it.
    if isinstance(item, RingItem) and item.outcome and report.when == "call":
        report.duration = item.outcome.duration_s
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if LANE in session.stash:
        session.stash[LANE].stop()
        for ring in selected(session):
            ring.stop()
