/** The beginning of a new test file. */

export function fileName(name: string): string {
  const base = name
    .trim()
    .replace(/\.py$/, "")
    .replace(/\W+/g, "_")
    .replace(/^_+|_+$/g, "");
  return base.startsWith("test_") || base.endsWith("_test") ? `${base}.py` : `test_${base}.py`;
}

export const TEMPLATE = `import logging

import pytest

import nvme as d


def test_what_was_written_reads_back(nvme0n1: d.Namespace, qpair: d.Qpair, verify):
    buf = d.Buffer(4096)

    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()

    logging.info(buf.dump(64))
    assert buf.data_head == 0  # the LBA's number, which write() stamps


def test_a_workload(nvme0n1: d.Namespace):
    worker = nvme0n1.ioworker(io_size=8, read_percentage=50, qdepth=32, time=10).start()

    assert worker.close().error == 0


def test_an_error_that_is_expected(nvme0n1: d.Namespace, qpair: d.Qpair):
    beyond = nvme0n1.capacity // nvme0n1.sector_size

    with pytest.warns(UserWarning, match="ERROR status: 00/80"):  # LBA Out of Range
        nvme0n1.read(qpair, d.Buffer(512), beyond).waitdone()
`;
