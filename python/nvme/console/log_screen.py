"""The command log of a queue, on a screen of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from nvme.console import entries, words
from nvme.console.feed import Snapshot, reason
from nvme.console.params import RpcError
from nvme.console.service import find_queue

COUNT = 200


def dwords(entry: dict[str, Any]) -> str:
    """A command in full: what its dwords mean, then all of them."""
    lines = list(entry["details"])
    for start in range(0, 16, 8):
        some = " ".join(f"{word:08x}" for word in entry["sqe"][start : start + 8])
        lines.append(f"sqe {start:2}: {some}")
    if entry["cqe"]:
        lines.append("cqe  0: " + " ".join(f"{word:08x}" for word in entry["cqe"]))
    return "\n".join(lines)


class LogScreen(Screen[None]):
    """Newest first, decoded, with a filter; Enter shows the raw dwords."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("slash", "filter", "Filter"),
        Binding("e", "errors", "Errors only"),
    ]

    def __init__(self, queue: str, title: str, when_ready: Callable[[], None]) -> None:
        super().__init__()
        self.is_ready = False
        self._when_ready = when_ready
        self.queue = queue
        self.heading = title
        self.wanted = entries.Filter()
        self.shown: dict[str, dict[str, Any]] = {}
        self._note = ""
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="heading", markup=False)
        yield DataTable(cursor_type="row", zebra_stripes=False)
        yield Static(id="details", markup=False)
        yield Input(placeholder=words.HELP, id="filter")
        yield Footer()

    def on_mount(self) -> None:
        """An empty table, which whoever made it fills at once."""
        self.table.add_columns("time", "command", "us")
        self.query_one("#filter").display = False
        self.query_one("#details").display = False
        self.table.focus()
        self.is_ready = True
        self._when_ready()

    @property
    def table(self) -> DataTable[Text]:
        """Of the commands."""
        return self.query_one(DataTable)

    def look(self, snapshot: Snapshot) -> None:
        """Show the log as it is now; of a queue that is gone, what was last seen."""
        self._snapshot = snapshot
        try:
            session, slot = find_queue(snapshot, self.queue)
            log = entries.read(session, slot, COUNT, self.wanted)
        except (RpcError, OSError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            self._head(f"{why.partition(':')[0]}: this is what was last seen")
            return
        self._fill({entry["key"]: entry for entry in log.entries})
        self._head(f"{log.matched} of {log.total} commands")

    def _head(self, text: str) -> None:
        parts = [self.heading, text, self._note]
        self.query_one("#heading", Static).update("   ".join(part for part in parts if part))

    def _fill(self, found: dict[str, dict[str, Any]]) -> None:
        if list(found) == list(self.shown):
            return
        table = self.table
        before = self._selected()
        self.shown = found
        table.clear()
        for key, entry in found.items():
            table.add_row(*_cells(entry), key=key)
        if before in found:
            table.move_cursor(row=table.get_row_index(before))
        self._show_details()

    def _selected(self) -> str:
        row, keys = self.table.cursor_row, list(self.shown)
        return keys[row] if 0 <= row < len(keys) else ""

    def _show_details(self) -> None:
        entry = self.shown.get(self._selected())
        self.query_one("#details", Static).update(dwords(entry) if entry else "")

    def on_data_table_row_selected(self) -> None:
        """Enter."""
        details = self.query_one("#details")
        details.display = not details.display
        self._show_details()

    def on_data_table_row_highlighted(self) -> None:
        """Another command."""
        self._show_details()

    def action_back(self) -> None:
        """To the filter's end, or to the tree."""
        if self.query_one("#filter").display:
            self._end_filter("")
        else:
            self.dismiss()

    def action_filter(self) -> None:
        """Type one."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def action_errors(self) -> None:
        """Only commands that failed, or all again."""
        self._end_filter("" if self.wanted.status == "error" else "error")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter is complete."""
        self._end_filter(event.value)

    def _end_filter(self, text: str) -> None:
        try:
            self.wanted = words.parse(text)
        except ValueError as error:
            self._note = str(error)
            self._head("")
            return
        self._note = f"filter: {text}" if text else ""
        box = self.query_one("#filter", Input)
        box.value = text
        box.display = False
        self.table.focus()
        if self._snapshot:
            self.look(self._snapshot)


def _cells(entry: dict[str, Any]) -> tuple[Text, Text, Text]:
    from datetime import datetime

    when = datetime.fromtimestamp(entry["submit_ms"] / 1e3)
    status, latency = entry["status"], entry["latency_us"]
    style = "red" if status else "magenta" if status is None else ""
    return (
        Text(f"{when:%H:%M:%S.%f}"),
        Text(entry["text"], style=style),
        Text("" if latency is None else f"{latency:.1f}", justify="right"),
    )
