import assert from "node:assert/strict";
import { test } from "node:test";
import { queueFacts, row, Sessions, sessionTitle } from "../src/model/nodes";
import { controller, iostat, queue, rates, session, tree } from "./things";

function shown(sessions: Sessions): string[][] {
  const lines: string[][] = [];
  const walk = (depth: number, node?: Parameters<Sessions["children"]>[0]): void => {
    for (const each of sessions.children(node)) {
      const { label, description } = row(each);
      lines.push(["  ".repeat(depth) + label, description]);
      walk(depth + 1, each);
    }
  };
  walk(0);
  return lines;
}

test("a tree has sessions, their controllers, their queues", () => {
  const sessions = new Sessions();

  sessions.setTree(tree({ queues: [queue({ id: "a", sqid: 0, kind: "admin" }), queue()] }));

  assert.deepEqual(shown(sessions), [
    ["pytest my_test.py", "pid 4711"],
    ["  sim", "40 °C  MODEL"],
    ["    Q00  32/64", "▰▰▰▰▱▱▱▱"],
    ["    Q03  32/64", "▰▰▰▰▱▱▱▱"],
  ]);
});

test("rates change the rows that they are of, and only those are told", () => {
  const sessions = new Sessions();
  sessions.setTree(tree({ queues: [queue(), queue({ id: "r", sqid: 4 })] }));
  const stat = iostat({
    sessions: [rates({ id: "s", iops: 0 })],
    controllers: [rates({ id: "c", iops: 5000, temperature_celsius: 41 })],
    queues: [
      rates({ id: "q", iops: 5000, outstanding: 64 }),
      rates({ id: "r", iops: 0, outstanding: 32 }),
    ],
  });

  const changed = sessions.setRates(stat).map((node) => node.id);

  assert.deepEqual(changed, ["c", "q"]);
  assert.deepEqual(shown(sessions).slice(1, 3), [
    ["  sim", "5.00 kIOPS  41 °C  MODEL"],
    ["    Q03  64/64", "▰▰▰▰▰▰▰▰  5.00 kIOPS"],
  ]);
  assert.deepEqual(sessions.setRates(stat), []);
});

test("a node that stays keeps its identity and its rates over a new tree", () => {
  const sessions = new Sessions();
  sessions.setTree(tree());
  sessions.setRates(iostat({ queues: [rates({ outstanding: 7 })] }));
  const before = sessions.node("q");

  sessions.setTree(tree({ queues: [queue({ id: "new", sqid: 1 }), queue()] }));

  const after = sessions.node("q");
  assert.equal(after, before);
  assert.ok(after);
  assert.equal(row(after).label, "Q03  7/64");
});

test("a new tree tells whose rows or children are other ones", () => {
  const sessions = new Sessions();
  assert.equal(sessions.setTree(tree()), "all");
  assert.deepEqual(sessions.setTree(tree()), []);

  const more = sessions.setTree(tree({ queues: [queue(), queue({ id: "new", sqid: 4 })] }));
  assert.deepEqual(more === "all" ? more : more.map((node) => node.id), ["c"]);

  const down = sessions.setTree(tree({ controllers: [controller({ state: "down" })] }));
  assert.deepEqual(down === "all" ? down : down.map((node) => node.id), ["c"]);

  assert.equal(sessions.setTree(tree({ sessions: [session(), session({ id: "t" })] })), "all");
});

test("what has gone is no longer there", () => {
  const sessions = new Sessions();
  sessions.setTree(tree());

  sessions.setTree(tree({ queues: [] }));

  assert.equal(sessions.node("q"), undefined);
  assert.equal(shown(sessions).length, 2);
});

test("a session that ended says so, and its queues are pale", () => {
  const sessions = new Sessions();

  sessions.setTree(tree({ sessions: [session({ state: "ended", ended_ms: 5000 })] }));

  const [root] = sessions.children();
  const last = sessions.node("q");
  assert.ok(root && last);
  assert.match(row(root).description, /^pid 4711, ended \d\d:\d\d:05$/);
  assert.equal(row(last).colour, "disabledForeground");
});

test("what cannot be read says why", () => {
  const sessions = new Sessions();
  const unreadable = session({ state: "unreadable", why: "permission denied", title: null });

  sessions.setTree(
    tree({
      sessions: [unreadable],
      controllers: [],
      queues: [],
      problems: [{ path: "/dev/shm/pynvme-0-1-2.cmdlog", why: "no regular file" }],
    }),
  );

  assert.deepEqual(shown(sessions), [
    ["process 4711", "permission denied"],
    ["pynvme-0-1-2.cmdlog", "no regular file"],
  ]);
});

test("what is not known is a dash, not a zero", () => {
  const node = queue({ depth: null, outstanding: null });

  const { label, description } = row({
    kind: "queue",
    id: "q",
    queue: node,
    running: true,
    rates: undefined,
  });

  assert.equal(label, "Q03  –/–");
  assert.equal(description, "");
});

test("a controller in trouble says so", () => {
  const gone = controller({ state: "gone", model: null });

  const { description, colour } = row({
    kind: "controller",
    id: "c",
    controller: gone,
    running: true,
    rates: undefined,
  });

  assert.equal(description, "gone  40 °C");
  assert.equal(colour, "errorForeground");
});

for (const [title, text] of [
  ["python3 -m pytest a.py", "pytest a.py"],
  ["/x/.venv/bin/python /x/.venv/bin/pytest a.py", "pytest a.py"],
  ["/x/.venv/bin/pynvme perf sim", "pynvme perf sim"],
  ["pytest -q -k x /a/b_test.py::test_c --pciaddr=sim", "pytest x b_test.py::test_c"],
  ["", "process 4711"],
] as const) {
  test(`the title of "${title}" is "${text}"`, () => {
    assert.equal(sessionTitle(session({ title })), text);
  });
}

test("a worker's workload is told in a line", () => {
  const worker = {
    running: true,
    percent: 19.9,
    elapsed_ms: 1990,
    qdepth: 32,
    ops: [
      { opcode: 2, name: "Read", percent: 70 },
      { opcode: 9, name: "Dataset Management", percent: null },
    ],
    io_size_lbas: [8, 16] as [number, number],
    lba_bytes: 512,
    random_percent: 100,
    iops_limit: null,
    time_s: 10,
    io_count: null,
    why: null,
  };

  const facts = new Map(queueFacts(queue({ worker })));

  assert.equal(
    facts.get("IOWorker"),
    "70 % Read, Dataset Management, 8..16 LBAs of 512 B, random, depth 32, 19 %",
  );
  assert.equal(facts.get("Outstanding"), "32 of 64");
});
