"""Whether the processors of a guest still run: each of them touches a file of the share.

Under emulation a processor now and then gets no timer interrupt any more. The guest then waits for
ever, its host is idle, and nothing that runs inside is to blame.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

PERIOD_S = 5
#: A host under load delays a guest by seconds; this long it has never been.
STILL_S = 180

#: For the guest's shell, which is root and may run on every processor.
BEAT = """
for cpu in $(busybox seq 0 $(($(nproc) - 1))); do
    busybox taskset $((1 << cpu)) \\
        sh -c 'while :; do : >{share}/beat.$0; sleep {period}; done' $cpu &
done
"""


def beats(share: str) -> str:
    """Shell text that starts the heartbeats of all processors."""
    return BEAT.format(share=share, period=PERIOD_S)


@dataclass
class Pulse:
    """Listens to the heartbeats; a guest that has not begun to beat is not judged.

    Time is counted in looks of a second each, so that a harness that was stopped itself does not
    take its own absence for the guest's.
    """

    share: Path
    still_s: float = STILL_S
    looked: float = field(default=0.0, init=False)
    beats: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)

    def silent(self) -> str:
        """The name of a heartbeat that has stopped, or ''."""
        now = time.monotonic()
        if now - self.looked < 1:
            return ""
        self.looked = now
        for file in self.share.glob("beat.*"):
            stamp = file.stat().st_mtime_ns
            last, looks = self.beats.get(file.name, (0, 0))
            self.beats[file.name] = (stamp, looks + 1 if stamp == last else 0)
        return next((name for name, (_, looks) in self.beats.items() if looks > self.still_s), "")
