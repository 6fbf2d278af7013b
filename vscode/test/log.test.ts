import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLines, filterText, logText, type LogView } from "../src/model/logText";
import { entry } from "./things";

const VIEW: LogView = { title: "sim Q01", filter: {}, paused: false, compact: false, ended: null };
const NAMES = new Map([[2, "Read"]]);

function log(...entries: ReturnType<typeof entry>[]) {
  return { queue: "q", time_ms: 1, total: 10, matched: entries.length, entries };
}

function lines(text: string): string[] {
  return text.split("\n");
}

test("a command has a line, and below it what it decodes to and its dwords", () => {
  const text = logText(log(entry()), VIEW, NAMES);
  const commands = commandLines(text);

  const [command] = commands;
  assert.ok(command);
  const own = lines(text).slice(command.first, command.last + 1);
  assert.match(own[0] ?? "", /^ {2}\d\d:\d\d:20\.5005\d\d {2}cid 0005 {6}101 us {2}Read: slba 0/);
  assert.deepEqual(
    own.slice(1).map((line) => line.trim().replace(/[\d:.]{15}/, "TIME")),
    [
      "cdw12 00000007: 8 LBAs",
      "completed TIME",
      "sqe dw00  00000000 00000001 00000002 00000003",
      "sqe dw04  00000004 00000005 00000006 00000007",
      "sqe dw08  00000008 00000009 0000000a 0000000b",
      "sqe dw12  0000000c 0000000d 0000000e 0000000f",
      "cqe dw00  00000000 00000000 00000001 ffff0001",
    ],
  );
});

test("commands follow each other without a gap, in the order of the console", () => {
  const text = logText(log(entry({ cid: 0xb }), entry({ cid: 0xa })), VIEW, NAMES);
  const commands = commandLines(text);

  assert.deepEqual(
    commands.map((each) => /cid \w+/.exec(each.headline)?.[0]),
    ["cid 000b", "cid 000a"],
  );
  const [first, second] = commands;
  assert.ok(first && second);
  assert.equal(second.first, first.last + 1);
  assert.equal(lines(text).length, second.last + 2);
});

test("a compact log has a line for each command, and nothing to fold", () => {
  const text = logText(
    log(entry({ cid: 1 }), entry({ cid: 2 })),
    { ...VIEW, compact: true },
    NAMES,
  );

  assert.equal(lines(text).length, 3 + 2 + 1);
  assert.deepEqual(
    commandLines(text).map(({ first, last }) => [first, last]),
    [
      [3, 3],
      [4, 4],
    ],
  );
});

test("errors and outstanding commands are marked", () => {
  const failed = entry({ status: 0x281, text: "Read => Unrecovered Read Error" });
  const outstanding = entry({
    status: null,
    complete_ms: null,
    latency_us: null,
    cqe: null,
    text: "Read: slba 0",
  });

  const text = logText(log(outstanding, failed), VIEW, NAMES);

  const [first, second] = commandLines(text).map((each) => each.headline);
  assert.ok(first && second);
  assert.match(first, /^> .* {9}… {2}Read: slba 0$/);
  assert.match(second, /^! .*Unrecovered Read Error$/);
  assert.equal(text.match(/cqe/g)?.length, 1);
});

test("the head says how many there are, and what is left out", () => {
  const view = { ...VIEW, filter: { status: "error" as const, opcodes: [2, 0xc1] } };

  const text = logText(log(entry()), view, NAMES);

  assert.deepEqual(lines(text).slice(0, 2), [
    "# sim Q01: live",
    "# 1 of 1 that match of 10 commands, newest first; filter: status error; Read, opcode c1h",
  ]);
});

test("the head says when nothing more will come", () => {
  const first = (view: Partial<LogView>): string =>
    lines(logText(null, { ...VIEW, ...view }, NAMES))[0] ?? "";

  assert.equal(first({ paused: true }), "# sim Q01: paused");
  assert.equal(first({ ended: "no such queue" }), "# sim Q01: no such queue");
});

test("no command, and none that passes, are told apart", () => {
  const none = { queue: "q", time_ms: 1, total: 0, matched: 0, entries: [] };

  assert.match(logText(none, VIEW, NAMES), /No command yet/);
  assert.match(logText({ ...none, total: 3 }, VIEW, NAMES), /No command passes the filter/);
});

test("a filter that is none is said to be none", () => {
  assert.equal(filterText({ status: "all" }, NAMES), "none");
  assert.equal(filterText({ text: "fid" }, NAMES), 'text "fid"');
});
