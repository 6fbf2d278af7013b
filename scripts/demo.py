#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A first look: identify, hello world with a callback, a short benchmark.

.venv/bin/python scripts/demo.py               on the software SSD: no hardware is touched
sudo .venv/bin/python scripts/demo.py 01:00.0  on a drive: THE FIRST LBA AND MORE IS OVERWRITTEN
"""

import sys

import nvme as d

SECONDS = 3
QDEPTH = 32


def title(text: str) -> None:
    print(f"\n== {text}")


def identify(nvme0: d.Controller) -> None:
    title("1. Identify: who is there?")
    print(">>> nvme0.identify(buf).waitdone()")
    buf = d.Buffer(4096, "identify data of the controller")
    nvme0.identify(buf).waitdone()
    print(buf.dump(80))
    print(f"model {buf.data(63, 24, str)!r}, serial {buf.data(23, 4, str)!r}, ", end="")
    print(f"firmware {buf.data(71, 64, str)!r}")


def hello_world(nvme0: d.Controller, nvme0n1: d.Namespace) -> None:
    title("2. Hello world: write an LBA, read it back in the write's callback")
    read_buf, data_buf = d.Buffer(4096, "what was read"), d.Buffer(4096)
    data_buf[10:21] = b"hello world"
    qpair = d.Qpair(nvme0, 16)

    def write_cb(cdw0: int, status1: int) -> None:
        print(f"    the write is complete, status {status1 >> 1:04x}: now read")
        nvme0n1.read(qpair, read_buf, 0, 1)

    print(">>> nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb)")
    nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb)
    print(">>> qpair.waitdone(2)")
    qpair.waitdone(2)
    print(read_buf.dump(32))
    assert read_buf[10:21] == b"hello world"

    title("3. What really went over the wire, newest first")
    print(">>> qpair.cmdlog()")
    qpair.cmdlog()


def benchmark(nvme0n1: d.Namespace) -> None:
    title(f"4. Random reads of 4 KiB for {SECONDS} seconds, {QDEPTH} at once")
    lbas = 4096 // nvme0n1.sector_size
    print(f">>> nvme0n1.ioworker(io_size={lbas}, time={SECONDS}, qdepth={QDEPTH}).start().close()")
    percentiles = {50: 0, 99: 0, 99.9: 0}
    worker = nvme0n1.ioworker(
        io_size=lbas,
        lba_random=True,
        read_percentage=100,
        time=SECONDS,
        qdepth=QDEPTH,
        output_percentile_latency=percentiles,
    )
    r = worker.start().close()
    iops = r.io_count_read * 1000 / r.mseconds
    print(f"    {r.io_count_read:,} reads in {r.mseconds / 1000:.1f} seconds")
    errors = f"error status {r.error:04x}" if r.error else "no errors"
    print(f"    {iops:,.0f} IOPS, {iops * 4096 / 1e6:,.0f} MB/s, {errors}")
    latencies = ", ".join(f"{p}% within {us:.1f}" for p, us in percentiles.items())
    print(f"    latency in microseconds: average {r.latency_average_us:.1f}, {latencies}")


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"pynvme {d.__version__}")
    nvme0 = d.Controller(address)
    kind = "the software SSD of this process" if nvme0.addr.startswith("sim") else nvme0.addr
    nvme0n1 = d.Namespace(nvme0)
    size = nvme0n1.capacity / 1e9
    print(f"the device is {kind}: {size:.1f} GB in LBAs of {nvme0n1.sector_size} bytes")
    if nvme0.addr.startswith("sim"):
        print("(latencies like a fast drive's; nothing on this machine is touched)")

    identify(nvme0)
    hello_world(nvme0, nvme0n1)
    benchmark(nvme0n1)

    title("Next: write a test, and run it with pytest")
    print("    # my_test.py")
    print("    def test_size(nvme0n1):\n        assert nvme0n1.id_data(7, 0) != 0")
    print("\n    .venv/bin/python3 -m pytest my_test.py")


if __name__ == "__main__":
    main()
