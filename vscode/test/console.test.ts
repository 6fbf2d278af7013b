import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST_RETRY_MS, IDLE_MS, LAST_RETRY_MS, STABLE_MS } from "../src/console/console";
import type { Topics } from "../src/console/protocol";
import { settled, Stage } from "./fake";

const TREE: Topics = { interval_ms: 1000, topics: ["tree"] };
const nothing = (): void => undefined;

function why(stage: Stage): string {
  return stage.state.kind === "failed" ? stage.state.why : stage.state.kind;
}

test("nothing is started before somebody watches", () => {
  assert.equal(new Stage().programs.length, 0);
});

test("who watches has the program started, asked for its version, and subscribed to", async () => {
  const stage = new Stage();

  stage.console.watch(TREE, nothing);
  assert.equal(stage.program.count("subscribe"), 0);
  await stage.greet();

  assert.equal(stage.program.request("hello").params["protocol"], 1);
  assert.deepEqual(stage.program.request("subscribe").params, TREE);
  assert.equal(stage.state.kind, "ready");
});

test("a notification in the piece of the subscription's answer is not lost", async () => {
  const stage = new Stage();
  const seen: string[] = [];
  stage.console.watch(TREE, (method) => seen.push(method));
  await stage.greet();
  const { id } = stage.program.request("subscribe");

  stage.program.say(
    { id, result: { subscription: 7 } },
    { method: "tree", params: { subscription: 7 } },
  );

  assert.deepEqual(seen, ["tree"]);
});

test("a notification goes to its own subscription only", async () => {
  const stage = new Stage();
  const seen: string[] = [];
  stage.console.watch(TREE, () => seen.push("a"));
  await stage.greet();
  stage.program.answer("subscribe", { subscription: 1 });
  stage.console.watch(TREE, () => seen.push("b"));
  stage.program.answer("subscribe", { subscription: 2 });

  stage.program.say({ method: "tree", params: { subscription: 2 } });
  stage.program.say({ method: "tree", params: { subscription: 3 } });

  assert.deepEqual(seen, ["b"]);
});

test("who watches no longer is told nothing more", async () => {
  const stage = new Stage();
  const seen: string[] = [];
  const unwatch = stage.console.watch(TREE, (method) => seen.push(method));
  await stage.greet();
  stage.program.answer("subscribe", { subscription: 1 });

  unwatch();
  stage.program.say({ method: "tree", params: { subscription: 1 } });

  assert.deepEqual(stage.program.request("unsubscribe").params, { subscription: 1 });
  assert.deepEqual(seen, []);
});

test("a subscription that is answered too late is taken back", async () => {
  const stage = new Stage();
  const unwatch = stage.console.watch(TREE, nothing);
  await stage.greet();

  unwatch();
  stage.program.answer("subscribe", { subscription: 4 });

  assert.deepEqual(stage.program.request("unsubscribe").params, { subscription: 4 });
});

test("a subscription that is refused is an error of its own", async () => {
  const stage = new Stage();
  const seen: unknown[] = [];
  stage.console.watch(TREE, (method, params) => seen.push([method, params["message"]]));
  await stage.greet();

  stage.program.refuse("subscribe", -32001, "no such queue");

  assert.deepEqual(seen, [["error", "no such queue"]]);
  assert.equal(stage.state.kind, "ready");
});

test("a program that died is started again, and subscribed to again", async () => {
  const stage = new Stage();
  const seen: string[] = [];
  stage.console.watch(TREE, (method) => seen.push(method));
  await stage.greet();
  stage.program.answer("subscribe", { subscription: 1 });

  stage.program.complain("Segmentation fault\n");
  stage.program.die(139);
  await settled();
  assert.match(why(stage), /\/x\/pynvme ended \(139\): Segmentation fault/);
  await stage.pass(FIRST_RETRY_MS);
  await stage.greet();
  stage.program.answer("subscribe", { subscription: 1 });
  stage.program.say({ method: "tree", params: { subscription: 1 } });

  assert.equal(stage.programs.length, 2);
  assert.deepEqual(seen, ["tree"]);
});

test("a program that dies again and again is started less and less often", async () => {
  const stage = new Stage();
  const waits: (number | null)[] = [];
  stage.console.watch(TREE, nothing);

  for (let i = 0; i < 9; i++) {
    stage.program.die(1);
    await settled();
    const state = stage.state;
    assert.equal(state.kind, "failed");
    waits.push(state.again_ms);
    await stage.pass((state.again_ms ?? 0) - 1);
    assert.equal(stage.programs.length, i + 1);
    await stage.pass(1);
  }

  assert.deepEqual(waits.slice(0, 4), [500, 1000, 2000, 4000]);
  assert.deepEqual(waits.slice(-2), [LAST_RETRY_MS, LAST_RETRY_MS]);
});

test("a program that has worked for a while is started again at once", async () => {
  const stage = new Stage();
  stage.console.watch(TREE, nothing);
  stage.program.die(1);
  await settled();
  await stage.pass(FIRST_RETRY_MS);
  await stage.greet();

  await stage.pass(STABLE_MS);
  stage.program.die(1);
  await settled();

  assert.deepEqual(stage.state.kind === "failed" && stage.state.again_ms, FIRST_RETRY_MS);
});

test("a program that is not there is not tried again, and the text says what to install", async () => {
  const stage = new Stage();
  stage.console.watch(TREE, nothing);

  stage.program.die(null, Object.assign(new Error("spawn"), { code: "ENOENT" }));
  await settled();
  await stage.pass(LAST_RETRY_MS);

  assert.match(why(stage), /\/x\/pynvme was not found. Install pynvme: .\/install.sh/);
  assert.equal(stage.programs.length, 1);
});

test("a program without the command is too old, and the text says what to do", async () => {
  const stage = new Stage();
  stage.console.watch(TREE, nothing);

  stage.program.complain("pynvme: unknown command 'console': known are sim, perf\n");
  stage.program.die(2);
  await settled();
  await stage.pass(LAST_RETRY_MS);

  assert.match(why(stage), /too old: it has no command "console". Update pynvme/);
  assert.equal(stage.programs.length, 1);
});

for (const [what, reply] of [
  [
    "another number",
    (s: Stage) => {
      s.program.answer("hello", { protocol: 2 });
    },
  ],
  [
    "a refusal",
    (s: Stage) => {
      s.program.refuse("hello", -32005, "protocol 2 is spoken here");
    },
  ],
  [
    "no hello at all",
    (s: Stage) => {
      s.program.refuse("hello", -32601, "no such method");
    },
  ],
  [
    "nonsense",
    (s: Stage) => {
      s.program.answer("hello", null);
    },
  ],
] as const) {
  test(`another protocol is not spoken with: ${what}`, async () => {
    const stage = new Stage();
    stage.console.watch(TREE, nothing);

    reply(stage);
    await settled();
    await stage.pass(LAST_RETRY_MS);

    assert.match(why(stage), /version \w+ of the console's protocol, this extension 1/);
    assert.equal(stage.program.count("subscribe"), 0);
    assert.ok(stage.program.ended);
    assert.equal(stage.programs.length, 1);
  });
}

test("after a restart what was given up is tried again", async () => {
  const stage = new Stage();
  stage.console.watch(TREE, nothing);
  stage.program.die(null, Object.assign(new Error("spawn"), { code: "ENOENT" }));
  await settled();

  stage.console.restart();
  await stage.greet();

  assert.equal(stage.state.kind, "ready");
  assert.equal(stage.program.count("subscribe"), 1);
});

test("a request waits for the program to be there", async () => {
  const stage = new Stage();
  const request = stage.console.request("queues", { closed: true });

  await stage.greet();
  stage.program.answer("queues", { queues: [] });

  assert.deepEqual(await request, { queues: [] });
});

test("a request fails with the program, and says why", async () => {
  const stage = new Stage();
  const request = stage.console.request("queues");
  await stage.greet();

  stage.program.die(1);

  await assert.rejects(request, /ended \(1\)/);
  await assert.rejects(stage.console.request("queues"), /ended \(1\)/);
});

test("with nobody watching the program is ended, but not at once", async () => {
  const stage = new Stage();
  const unwatch = stage.console.watch(TREE, nothing);
  await stage.greet();

  unwatch();
  await stage.pass(IDLE_MS - 1);
  assert.ok(!stage.program.ended);
  await stage.pass(1);

  assert.ok(stage.program.ended);
  assert.equal(stage.state.kind, "idle");
});

test("who looks away for a moment finds the program running", async () => {
  const stage = new Stage();
  const unwatch = stage.console.watch(TREE, nothing);
  await stage.greet();

  unwatch();
  await stage.pass(IDLE_MS - 1);
  stage.console.watch(TREE, nothing);
  await stage.pass(IDLE_MS);

  assert.equal(stage.programs.length, 1);
  assert.ok(!stage.program.ended);
});

test("a program that is not watched is not started again when it dies", async () => {
  const stage = new Stage();
  const unwatch = stage.console.watch(TREE, nothing);
  await stage.greet();

  unwatch();
  stage.program.die(1);
  await settled();
  await stage.pass(LAST_RETRY_MS);

  assert.equal(stage.programs.length, 1);
  assert.equal(stage.state.kind, "idle");
});

test("at the end the program is ended, and not started again", async () => {
  const stage = new Stage();
  stage.console.watch(TREE, nothing);
  await stage.greet();

  stage.console.dispose();
  stage.program.die(0);
  await settled();
  await stage.pass(LAST_RETRY_MS);

  assert.ok(stage.program.ended);
  assert.equal(stage.programs.length, 1);
});
