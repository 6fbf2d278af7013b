import assert from "node:assert/strict";
import { test } from "node:test";
import { driveChoice, parseDrives } from "../src/model/drives";
import {
  bar,
  bytes,
  clock,
  duration,
  iops,
  microseconds,
  scaled,
  whole,
} from "../src/model/format";
import { History } from "../src/model/history";
import { locate } from "../src/model/locate";
import { fileName } from "../src/model/tests";
import { rates } from "./things";

for (const [value, text] of [
  [null, "–"],
  [0, "0"],
  [7, "7"],
  [7.25, "7.3"],
  [999.4, "999"],
  [999.6, "1.00 k"],
  [9990, "9.99 k"],
  [9996, "10.0 k"],
  [99_960, "100 k"],
  [921_600, "922 k"],
  [999_600, "1.00 M"],
  [NaN, "–"],
] as const) {
  test(`${value} is shown as "${text}"`, () => {
    assert.equal(scaled(value), text);
  });
}

test("units follow the prefix", () => {
  assert.equal(iops(12_345), "12.3 kIOPS");
  assert.equal(bytes(1_073_741_824), "1.07 GB");
  assert.equal(bytes(0), "0 B");
});

for (const [us, text] of [
  [null, "–"],
  [0.5, "0.5 us"],
  [99.94, "99.9 us"],
  [101.2, "101 us"],
  [999.6, "1.00 ms"],
  [9990, "9.99 ms"],
  [41_940, "41.9 ms"],
  [200_000, "200 ms"],
  [30_000_000, "30.00 s"],
] as const) {
  test(`a latency of ${us} us is shown as "${text}"`, () => {
    assert.equal(microseconds(us), text);
  });
}

test("whole numbers have groups of three", () => {
  assert.equal(whole(1_843_200), "1,843,200");
  assert.equal(whole(999), "999");
});

test("a time of the day has its microseconds", () => {
  assert.match(clock(1_764_415_283_123.4, 6), /^\d\d:\d\d:23\.123(399|400)$/);
  assert.match(clock(1_764_415_283_003, 3), /^\d\d:\d\d:23\.003$/);
});

for (const [ms, text] of [
  [59_400, "59 s"],
  [60_000, "1 min 0 s"],
  [3_600_000, "1 h 0 min"],
] as const) {
  test(`${ms} ms are "${text}"`, () => {
    assert.equal(duration(ms), text);
  });
}

for (const [part, all, text] of [
  [0, 32, "▱▱▱▱▱▱▱▱"],
  [1, 1000, "▰▱▱▱▱▱▱▱"],
  [16, 32, "▰▰▰▰▱▱▱▱"],
  [31, 32, "▰▰▰▰▰▰▰▱"],
  [32, 32, "▰▰▰▰▰▰▰▰"],
  [64, 32, "▰▰▰▰▰▰▰▰"],
  [1, 0, "▱▱▱▱▱▱▱▱"],
] as const) {
  test(`a bar of ${part} in ${all}`, () => {
    assert.equal(bar(part, all), text);
  });
}

const places = { setting: "", interpreter: "", folders: ["/w", "/v"], home: "/home/me" };
const everywhere = (): boolean => true;

test("the program of the settings wins", () => {
  const at = (setting: string): string => locate({ ...places, setting }, everywhere);

  assert.equal(at("/opt/pynvme"), "/opt/pynvme");
  assert.equal(at("~/bin/pynvme"), "/home/me/bin/pynvme");
  assert.equal(at("${workspaceFolder}/x/pynvme"), "/w/x/pynvme");
  assert.equal(at("x/pynvme"), "/w/x/pynvme");
  assert.equal(at("pynvme-next"), "pynvme-next");
});

test("then the one of a folder, then the interpreter's, then PATH", () => {
  const interpreter = "/opt/py/bin/python3";
  const at = (there: string): string => locate({ ...places, interpreter }, (f) => f === there);

  assert.equal(at("/v/.venv/bin/pynvme"), "/v/.venv/bin/pynvme");
  assert.equal(at("/opt/py/bin/pynvme"), "/opt/py/bin/pynvme");
  assert.equal(at("/nowhere"), "pynvme");
});

for (const [name, file] of [
  ["trim", "test_trim.py"],
  ["test_trim.py", "test_trim.py"],
  ["trim_test.py", "trim_test.py"],
  [" my new/trim ", "test_my_new_trim.py"],
] as const) {
  test(`the file of a new test "${name}" is ${file}`, () => {
    assert.equal(fileName(name), file);
  });
}

test("a drive says whether a test can have it", () => {
  const of = (fields: object): string => {
    const drive = { address: "01:00.0", model: "M", serial: "S", driver: "nvme", ...fields };
    const [first] = parseDrives(JSON.stringify({ drives: [drive] }));
    assert.ok(first);
    return driveChoice(first).detail;
  };

  assert.equal(of({ used: "mounted at /" }), "in use: mounted at /");
  assert.equal(of({}), "the kernel's (nvme): set it up first");
  assert.equal(of({ driver: "vfio-pci", ready: true }), "ready for tests");
  assert.equal(of({ driver: null }), "set it up first");
});

for (const text of ["", "no drives", "[]", '{"drives": 1}', "null"]) {
  test(`"${text}" is no list of drives`, () => {
    assert.throws(() => parseDrives(text), /printed no list of drives/);
  });
}

test("the history has the last seconds, of each controller its own", () => {
  const history = new History(10);
  const stat = (time_s: number, ...ids: string[]) => ({
    time_ms: time_s * 1000,
    interval_ms: 1000,
    sessions: [],
    queues: [],
    problems: [],
    controllers: ids.map((id) => rates({ id, iops: time_s, read_bytes_per_s: 2e6 })),
  });

  history.add(stat(100, "a", "b"));
  history.add(stat(110, "b"));
  const fresh = history.add(stat(111, "b"));

  assert.deepEqual(
    history.list().map((each) => [each.controller, each.samples.map((s) => s.time_s)]),
    [["b", [110, 111]]],
  );
  assert.deepEqual(
    fresh.map((each) => each.samples.map((s) => [s.iops, s.read_MB_s, s.mean_us])),
    [[[111, 2, null]]],
  );
});
