"""One of the two devices: does a step and says what came of it."""

from __future__ import annotations

import struct
import warnings
import zlib

import nvme as d
from diff import sender, steps
from diff.oracle import Oracle, pattern
from diff.pointers import GUARD, Layout, Prps, Sgls
from diff.protection import interleaved, tuples
from diff.sender import NAMES, Counted, Result, Sender
from diff.views import identify_view, log_view
from nvme import raw

GUARD_PAGE = bytes([GUARD]) * raw.PAGE
#: Features whose values cause events: thresholds, and which events are wanted.
EVENTFUL = (0x04, 0x0B)


class Side(Sender):
    """The methods are the kinds of steps.

    What a result holds must be equal on both sides, but for names that begin with "_";
    "fault" is what is wrong in itself.
    """

    def begin(self) -> None:
        """Both devices as if nothing had been done: no data, no queues, features as they were."""
        self.attach(0, 2)
        self.nvme.reset()
        self.open_queues()
        for nsid, oracle in self.oracles.items():
            if oracle.lba_bytes != 512 or oracle.pi or not self.formatted:
                self.format(nsid, 512, 0)
            for slba, nlb in oracle.window():
                self.plain(steps.WRITE_ZEROES, nsid, slba, nlb)
            oracle.reset(512, self.sizes[nsid] // 512)
        self.formatted = True
        for fid, nsid, value in BASELINE:
            self.admin(sender.SET_FEATURES, nsid, cdw10=fid, cdw11=value)
        self.smart = self.read_log(2, 512)
        self.counted = Counted()
        self.was_reset = False
        self.events.clear()

    # --- steps: IO ---

    def do(self, step: steps.Step) -> Result:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found: Result = getattr(self, step.kind)(**step.args)
            except (TimeoutError, SystemError, ValueError, AssertionError) as error:
                found = {"fault": f"{type(error).__name__}: {error}"}
        return found

    def moves(
        self,
        opc: int,
        nsid: int,
        slba: int,
        nlb: int,
        via: str,
        seed: int,
        flags: int = 0,
        lie: str = "",
        differs: bool = False,
        fields: dict[str, int] | None = None,
        segments: int = 0,
        buckets: bool = False,
    ) -> Result:
        """Read, Write or Compare."""
        oracle = self.oracles.get(nsid, self.oracles[1])
        slba = oracle.at(slba)
        size = min(nlb * oracle.lba_bytes, 256 * 1024)
        data = pattern(seed, size)
        small = nlb <= steps.HEAD and oracle.inside(slba, nlb)
        if opc == steps.COMPARE and small:
            data = oracle.data(slba, nlb)
            if differs:
                at = seed % size
                data = data[:at] + bytes([data[at] ^ 1 << seed % 8]) + data[at + 1 :]
        lba = slba & 0xFFFFFFFFFFFFFFFF
        if via in ("prp", "sgl"):
            layout = self.layout(via, len(data), seed, segments, buckets, lie)
            found, data = self.by_hand(opc, nsid, lba, nlb, layout, flags, fields, data)
            if lie:
                self.memory.clean()
            elif not layout.clean():
                found["fault"] = "memory around the data was written"
        else:
            found, data = self.by_driver(opc, nsid, lba, nlb, via, flags, data)
        if found["status"] != "00/00":
            return found
        if not small:
            found["fault"] = "done, beyond what the namespace or MDTS has"
        elif opc == steps.WRITE and lie:
            for i in range(nlb):
                self.learn(nsid, oracle, slba + i, None, found)
        elif opc == steps.WRITE:
            oracle.store(slba, data)
        elif opc == steps.READ and not lie and (wrong := oracle.differs(slba, data)):
            found["fault"] = wrong
        return found

    def by_driver(
        self, opc: int, nsid: int, lba: int, nlb: int, via: str, flags: int, data: bytes
    ) -> tuple[Result, bytes]:
        buf = d.Buffer(max(len(data), nlb * 512) if via == "method" else len(data))
        if opc != steps.READ:
            buf[:] = data
        if via == "method" and nsid in self.namespaces:
            name = NAMES[opc]
            size = nlb * self.namespaces[nsid].sector_size
            if len(buf) < size:
                buf = d.Buffer(size)
            found = self.method(name, nsid, buf, lba, nlb, flags)
        else:
            cdws = {"cdw10": lba & 0xFFFFFFFF, "cdw11": lba >> 32}
            found = self.io(opc, nsid, buf, **cdws, cdw12=flags << 16 | nlb - 1)
        return found, buf[: len(data)]

    def layout(
        self, via: str, size: int, seed: int, segments: int, buckets: bool, lie: str
    ) -> Layout:
        if via == "prp":
            return Prps(self.memory, size, seed, lie)
        return Sgls(self.memory, size, seed, segments, buckets, lie)

    def by_hand(
        self,
        opc: int,
        nsid: int,
        lba: int,
        nlb: int,
        layout: Layout,
        flags: int,
        fields: dict[str, int] | None,
        data: bytes,
    ) -> tuple[Result, bytes]:
        command = raw.Command(opc, nsid=nsid, psdt=layout.sgl is not None)
        command.dptr = layout.dptr()
        command.cdw10, command.cdw11 = lba & 0xFFFFFFFF, lba >> 32
        command.cdw12 = flags << 16 | nlb - 1
        for name, value in (fields or {}).items():
            setattr(command, name, getattr(command, name) ^ value)
        if opc != steps.READ:
            layout.put(data)
        found = self.raw(command)
        if opc == steps.READ and found["status"] == "00/00":
            read = bytearray(self.oracles.get(nsid, self.oracles[1]).data(lba, nlb))
            for at, piece in layout.take():
                read[at : at + len(piece)] = piece
            data = bytes(read)
        return found, data

    def plain(
        self, opc: int, nsid: int, slba: int = 0, nlb: int = 1, flags: int = 0, via: str = ""
    ) -> Result:
        """Commands without data: Flush, Write Zeroes, Verify, and unknown ones."""
        oracle = self.oracles.get(nsid, self.oracles[1])
        slba = oracle.at(slba)
        lba = slba & 0xFFFFFFFFFFFFFFFF
        if via == "method" and nsid in self.namespaces:
            found = self.method(NAMES[opc], nsid, lba, nlb, flags)
        else:
            cdws = {"cdw10": lba & 0xFFFFFFFF, "cdw11": lba >> 32}
            found = self.io(opc, nsid, None, **cdws, cdw12=flags << 16 | nlb - 1)
        if found["status"] == "00/00" and opc == steps.WRITE_ZEROES:
            oracle.clear(slba, nlb)
        return found

    def dsm(self, nsid: int, ranges: list[list[int]], attribute: int) -> Result:
        oracle = self.oracles.get(nsid, self.oracles[1])
        buf = d.Buffer(4096)
        placed = [(oracle.at(slba), nlb) for slba, nlb in ranges]
        for i, (slba, nlb) in enumerate(placed):
            buf.set_dsm_range(i, slba & 0xFFFFFFFFFFFFFFFF, nlb)
        if nsid in self.namespaces:
            found = self.method("dsm", nsid, buf, len(ranges), attribute)
        else:
            found = self.io(steps.DSM, nsid, buf, cdw10=len(ranges) - 1, cdw11=attribute)
        if attribute & 4:
            # Deallocation is advice: an LBA may keep its data (NVM 3.2.3.2.1).
            for slba, nlb in placed:
                if oracle.inside(slba, nlb):
                    self.learn(nsid, oracle, slba, [oracle.zeros] * nlb, found)
        return found

    def learn(
        self, nsid: int, oracle: Oracle, slba: int, new: list[bytes] | None, found: Result
    ) -> None:
        """Reads LBAs that may be old or new; with None for new they may be anything."""
        for lba in range(slba, slba + (len(new) if new else 1)):
            command = raw.Command(steps.READ, nsid=nsid, prp1=self.memory.arena.phys_addr)
            command.cdw10, command.cdw11 = lba & 0xFFFFFFFF, lba >> 32
            if self.raw(command)["status"] != "00/00":
                oracle.unknown.add(lba)  # DULBE: unwritten LBAs cannot be read
                continue
            data = self.memory.arena[: oracle.lba_bytes]
            wrong = "" if new and data == new[lba - slba] else oracle.differs(lba, data)
            if new and wrong:
                found["fault"] = f"neither old nor new: {wrong}"
            oracle.store(lba, data)
        self.memory.arena[: raw.PAGE] = GUARD_PAGE

    def copy(self, nsid: int, ranges: list[list[int]], sdlba: int, format: int = 0) -> Result:
        oracle = self.oracles.get(nsid, self.oracles[1])
        buf = d.Buffer(4096)
        placed = [(oracle.at(slba), nlb) for slba, nlb in ranges]
        for i, (slba, nlb) in enumerate(placed):
            buf.set_copy_range(i, slba & 0xFFFFFFFFFFFFFFFF, nlb)
        target = oracle.at(sdlba)
        cdws = {"cdw10": target & 0xFFFFFFFF, "cdw11": target >> 32 & 0xFFFFFFFF}
        found = self.io(steps.COPY, nsid, buf, **cdws, cdw12=len(ranges) - 1 | format << 8)
        total = sum(nlb for _, nlb in placed)
        if nsid not in self.oracles:
            return found
        new = b"".join(oracle.data(slba, nlb) for slba, nlb in placed)
        sources = {lba for slba, nlb in placed for lba in range(slba, slba + nlb)}
        if found["status"] == "00/00" and sources.isdisjoint(range(target, target + total)):
            oracle.store(target, new)
            oracle.unknown |= {
                target + i
                for i, lba in enumerate(
                    lba for slba, nlb in placed for lba in range(slba, slba + nlb)
                )
                if lba in oracle.unknown
            }
        else:
            # Ranges that overlap, or ranges before one that failed: what is there is open.
            for lba in range(target, target + total):
                if oracle.inside(lba, 1):
                    self.learn(nsid, oracle, lba, None, found)
        return found

    def tagged(
        self,
        opc: int,
        slba: int,
        nlb: int,
        prinfo: int,
        seed: int,
        application: int = 0,
        mask: int = 0,
        reference: int = 0,
        wrong: int | None = None,
    ) -> Result:
        """A command on protected LBAs of namespace 2; what is read is compared as it is.

        prinfo: PRACT, then the checks of guard, application tag and reference tag
        reference: added to the reference tag that is right; wrong: a bit of the tuples to flip
        """
        oracle = self.oracles[2]
        if not oracle.pi:
            return {}  # the format before it has been shrunk away
        data = pattern(seed, nlb * 512)
        first = (slba + reference) & 0xFFFFFFFF
        metadata = tuples(data, 512, application, first, 0 if oracle.pi == 3 else 1)
        if wrong is not None:
            tag = bytearray(metadata[wrong // 8])
            tag[wrong % 8] ^= 1
            metadata[wrong // 8] = bytes(tag)
        bare = prinfo & 8 and opc != steps.COMPARE  # the device makes the tuples, or strips them
        payload = data if bare or not oracle.extended else interleaved(data, 512, metadata)
        arena, tags = self.memory.arena, self.memory.lists
        arena[: len(payload)] = payload if opc != steps.READ else bytes(len(payload))
        tags[: 8 * nlb] = b"".join(metadata) if opc != steps.READ else bytes(8 * nlb)
        command = raw.Command(opc, nsid=2, prp1=arena.phys_addr, mptr=tags.phys_addr)
        command.dptr = struct.pack("<QQ", arena.phys_addr, arena.phys_addr + raw.PAGE)
        command.cdw10, command.cdw12 = slba, prinfo << 26 | nlb - 1
        command.cdw14, command.cdw15 = first, mask << 16 | application
        found = self.raw(command)
        if opc == steps.READ and found["status"] == "00/00":
            found["data"] = zlib.crc32(arena[: len(payload)])
            found["tags"] = tags[: 8 * nlb].hex() if not (bare or oracle.extended) else ""
        arena[: 2 * raw.PAGE] = GUARD_PAGE * 2
        return found

    # --- steps: admin ---

    def identify(self, cns: int, nsid: int, cntid: int = 0, csi: int = 0, lie: str = "") -> Result:
        buf = d.Buffer(8192)
        buf.offset = {"offset": 2048, "page": 4096}.get(lie, 0)
        buf.size = 4096
        found = self.admin(sender.IDENTIFY, nsid, buf, cdw10=cntid << 16 | cns, cdw11=csi << 24)
        if found["status"] == "00/00":
            start = buf.offset
            found["data"] = identify_view(cns, buf[start : start + 4096], nsid)
        return found

    def log(self, lid: int, size: int, nsid: int, offset: int = 0, rae: int = 0) -> Result:
        buf = d.Buffer(size)
        numd = size // 4 - 1
        found = self.admin(
            sender.GET_LOG,
            nsid,
            buf,
            cdw10=(numd & 0xFFFF) << 16 | rae << 15 | lid,
            cdw11=numd >> 16,
            cdw12=offset & 0xFFFFFFFF,
            cdw13=offset >> 32,
        )
        if found["status"] == "00/00":
            expected = (self.counted.reads, self.counted.writes)
            found["data"] = log_view(lid, buf[:], offset, self.smart, expected)
            found["_counted"] = self.counted
            found["_detached"] = self.detached
            found["_reset"] = self.was_reset
        return found

    def get(self, fid: int, sel: int, nsid: int, cdw11: int = 0) -> Result:
        buf = d.Buffer(4096)
        found = self.admin(sender.GET_FEATURES, nsid, buf, cdw10=sel << 8 | fid, cdw11=cdw11)
        found["_reset"] = self.was_reset
        return found

    def set(self, fid: int, cdw11: int, nsid: int, sv: int = 0) -> Result:
        buf = d.Buffer(4096)
        found = self.admin(sender.SET_FEATURES, nsid, buf, cdw10=sv << 31 | fid, cdw11=cdw11)
        if fid in EVENTFUL:
            self.settle()
        if self.events:
            found["events"], self.events = [f"{event:x}" for event in self.events], []
        return found

    def abort(self, sqid: int, cid: int) -> Result:
        return self.admin(sender.ABORT, 0, cdw10=cid << 16 | sqid)

    def format(
        self,
        nsid: int,
        size: int,
        ses: int,
        ms: int = 0,
        lbaf: int | None = None,
        pi: int = 0,
        mset: int = 0,
    ) -> Result:
        lbaf = self.lbafs[size, ms] if lbaf is None else lbaf
        cdw10 = lbaf & 0xF | mset << 4 | pi << 5 | ses << 9 | lbaf >> 4 << 12
        found = self.admin(sender.FORMAT, nsid, cdw10=cdw10)
        if found["status"] == "00/00" and nsid in self.oracles:
            self.oracles[nsid].reset(size, self.sizes[nsid] // size, pi, bool(mset))
            for slba in range(0, steps.PRIMED if ms else 0, 8):
                self.tagged(steps.WRITE, slba, 8, 8, slba)
        return found

    def attach(self, sel: int, nsid: int) -> Result:
        buf = d.Buffer(4096)
        buf[0:4] = struct.pack("<HH", 1, self.nvme.id_data(79, 78))
        found = self.admin(sender.NS_ATTACHMENT, nsid, buf, cdw10=sel)
        if found["status"] == "00/00":
            self.detached = sel == 1
        return found

    # --- steps: queues ---

    def create_cq(self, qid: int, depth: int, flags: int, iv: int = 0, offset: int = 0) -> Result:
        buf = d.Buffer((depth + 1) * raw.CQE_BYTES + raw.PAGE)
        queue = raw.CompletionQueue(self.nvme, qid, depth + 1, buf=buf)
        found = self.create(sender.CREATE_CQ, queue, depth, offset, iv << 16 | flags)
        if found["status"] == "00/00":
            self.queues["cq", qid] = queue
        return found

    def create_sq(self, qid: int, depth: int, flags: int, cqid: int, offset: int = 0) -> Result:
        buf = d.Buffer((depth + 1) * raw.SQE_BYTES + raw.PAGE)
        queue = raw.SubmissionQueue(self.nvme, qid, depth + 1, cqid, buf=buf)
        found = self.create(sender.CREATE_SQ, queue, depth, offset, cqid << 16 | flags)
        if found["status"] == "00/00":
            self.queues["sq", qid] = queue
        return found

    def create(self, opc: int, queue: raw._Queue, depth: int, offset: int, cdw11: int) -> Result:
        queue.buf.offset = offset
        try:
            return self.admin(opc, 0, queue.buf, cdw10=depth << 16 | queue.qid, cdw11=cdw11)
        finally:
            queue.buf.offset = 0

    def delete(self, opc: int, qid: int) -> Result:
        if qid == 1:
            return {}  # the driver's own, which it would miss
        found = self.admin(opc, 0, cdw10=qid)
        if found["status"] == "00/00":
            self.queues.pop(("cq" if opc == sender.DELETE_CQ else "sq", qid), None)
        return found

    def use(self, qid: int, count: int) -> Result:
        """Reads through the step's own queues, with what each completion says."""
        sq, cq = self.queues.get(("sq", qid)), self.queues.get(("cq", qid))
        if not isinstance(sq, raw.SubmissionQueue) or not isinstance(cq, raw.CompletionQueue):
            return {}
        if sq.cqid != qid or min(sq.depth, cq.depth) < 3:
            return {}
        answers = []
        for cid in range(count):
            page = self.memory.arena.phys_addr + cid * raw.PAGE
            sq.push(raw.Command(steps.READ, cid, 1, prp1=page, cdw10=cid))
            sq.ring()
            entry = cq.wait()
            at = cid * raw.PAGE
            wrong = self.oracles[1].differs(cid, self.memory.arena[at : at + 512])
            self.counted.add(steps.READ, "00/00" if not entry.status else "")
            answers.append((entry.cid, entry.sqid, entry.sqhd, entry.status, wrong))
            self.memory.arena[at : at + 512] = GUARD_PAGE[:512]
        return {"answers": answers}

    def doorbell(self, index: int, value: int) -> Result:
        kind = "cq" if index & 1 else "sq"
        stride = 4 << (self.nvme.cap >> 32 & 0xF)
        self.nvme[raw.DOORBELLS + index * stride] = value
        self.settle(20)
        found = self.outcome(0, 0)
        if (kind, index // 2) in self.queues:
            found["there"] = True
        return found

    # --- steps: registers and the controller ---

    def register(self, offset: int, write: int | None = None) -> Result:
        if write is not None:
            self.nvme[offset] = write
        return {"register": self.nvme[offset]}

    def reset(self) -> Result:
        """A controller reset: CC.EN 1 -> 0 -> 1."""
        self.nvme.reset()
        return self.after_reset()

    def flr(self) -> Result:
        """A Function Level Reset."""
        d.Pcie(self.nvme).flr()
        return self.after_reset()

    def after_reset(self) -> Result:
        self.was_reset = True
        self.open_queues()
        found = {"register": [self.nvme[offset] for offset in (0x14, 0x1C, 0x24)]}
        self.events.clear()
        return found

    def check(self) -> Result:
        """Reads all that was touched, a page at a time through our own queue."""
        found: Result = {}
        for nsid, oracle in self.oracles.items():
            for slba, nlb in oracle.window():
                for lba, count in chunks(slba, nlb, raw.PAGE // oracle.lba_bytes):
                    command = raw.Command(steps.READ, nsid=nsid, prp1=self.memory.arena.phys_addr)
                    command.cdw10, command.cdw11 = lba & 0xFFFFFFFF, lba >> 32
                    command.cdw12 = count - 1
                    answer = self.raw(command)
                    data = self.memory.arena[: count * oracle.lba_bytes]
                    if answer["status"] != "00/00":
                        found.setdefault(f"status of {nsid}", answer["status"])
                    elif wrong := oracle.differs(lba, data):
                        found["fault"] = f"namespace {nsid}: {wrong}"
        self.memory.arena[: raw.PAGE] = GUARD_PAGE
        return found


def chunks(first: int, count: int, size: int) -> list[tuple[int, int]]:
    return [(at, min(size, first + count - at)) for at in range(first, first + count, size)]


#: Feature, NSID and value that both devices begin a sequence with.
BASELINE = (
    (0x01, 0, 0),
    (0x04, 0, 0x157),
    (0x04, 0, 1 << 20),
    (0x05, 0xFFFFFFFF, 0),
    (0x06, 0, 1),
    (0x08, 0, 0),
    (0x0A, 0, 0),
    (0x0B, 0, 0x1F),
)
