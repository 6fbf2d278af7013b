"""The terminal console."""

from __future__ import annotations

import asyncio
import signal
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static

from nvme.console import view
from nvme.console.feed import Feed, Snapshot
from nvme.console.log_screen import LogScreen
from nvme.console.rates import Rates
from nvme.console.view import Row

#: Of the terminal's own colours, so that they can be read on light and on dark ones.
STYLES = {
    "running": "bold",
    "ended": "dim",
    "closed": "dim",
    "unreadable": "red",
    "problem": "red",
    "gone": "red",
    "fatal": "red",
    "resetting": "magenta",
    "down": "magenta",
}


class Top(App[None]):
    """The tree with live rates; Enter on a queue shows its commands."""

    TITLE = "pynvme top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("space,p", "pause", "Pause", key_display="p"),
        Binding("a", "all", "Deleted too"),
    ]
    CSS = """
    DataTable { height: 1fr; }
    DataTable > .datatable--header { background: ansi_blue; color: ansi_bright_white; }
    DataTable > .datatable--cursor { background: ansi_blue; color: ansi_bright_white; }
    #heading { height: 1; text-style: bold; }
    #details { height: auto; max-height: 12; border-top: solid; }
    """

    def __init__(self, what: str = "", interval_ms: int = 1000, closed: bool = False) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"  # the terminal's own foreground and background
        self.what = what
        self.interval_ms = interval_ms
        self.closed = closed
        self.paused = False
        self.rows: dict[str, Row] = {}
        self._feed = Feed()
        self._rates = Rates()

    def compose(self) -> ComposeResult:
        yield Static(id="heading", markup=False)
        yield DataTable(cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        """The first look, and then one an interval."""
        for number, name in enumerate(view.COLUMNS):
            self.table.add_column(name, key=str(number))
        # Who is told to end leaves the terminal as it was.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self.look()
        self.set_interval(self.interval_ms / 1e3, self._tick)

    @property
    def table(self) -> DataTable[Text]:
        """Of the tree."""
        return self.screen_stack[0].query_one(DataTable)

    def _tick(self) -> None:
        if not self.paused:
            self.look()

    def look(self) -> None:
        """Read everything and show it."""
        snapshot = view.chosen(self._feed.snapshot(), self.what)
        self._show(view.look(snapshot, self._rates, self.closed))
        self._head(snapshot)
        # It is on its way for a moment before it has anything to show.
        if isinstance(self.screen, LogScreen) and self.screen.is_ready:
            self.screen.look(snapshot)

    def _head(self, snapshot: Snapshot) -> None:
        running = sum(session.alive for session in snapshot.sessions)
        text = f"pynvme top   {running} running, {len(snapshot.sessions) - running} ended"
        if not snapshot.sessions and self.what:
            text = f"pynvme top   waiting for {self.what}"
        if self.paused:
            text += "   paused"
        self.screen_stack[0].query_one("#heading", Static).update(text)

    def _show(self, found: list[Row]) -> None:
        rows = {row.id: row for row in found}
        if list(rows) == list(self.rows):
            self._update(rows)
        else:
            self._rebuild(rows)
        self.rows = rows

    def _update(self, rows: dict[str, Row]) -> None:
        for key, row in rows.items():
            before = self.rows[key]
            for column, (new, old) in enumerate(zip(row.cells, before.cells, strict=True)):
                if new != old or row.state != before.state:
                    self.table.update_cell(key, str(column), _text(row, column), update_width=True)

    def _rebuild(self, rows: dict[str, Row]) -> None:
        keys, at = list(self.rows), self.table.cursor_row
        selected = keys[at] if 0 <= at < len(keys) else ""
        self.table.clear()
        for key, row in rows.items():
            self.table.add_row(*(_text(row, i) for i in range(len(row.cells))), key=key)
        if selected in rows:
            self.table.move_cursor(row=list(rows).index(selected))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a queue."""
        row = self.rows.get(event.row_key.value or "")
        if row and row.kind == "queue":
            self.push_screen(LogScreen(row.id, row.cells[0].strip(), self.look))

    def action_pause(self) -> None:
        """Hold everything still, or go on."""
        self.paused = not self.paused
        self.look()

    def action_all(self) -> None:
        """Deleted queues and closed controllers, or only open ones."""
        self.closed = not self.closed
        self.look()


def _text(row: Row, column: int) -> Text:
    style = STYLES.get(row.state, "")
    text = row.cells[column]
    if column == 0 and len(text) > view.LABEL:
        text = text[: view.LABEL - 3] + "..."
    return Text(text, style=style, justify="left" if column < 2 else "right")
