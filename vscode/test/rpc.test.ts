import assert from "node:assert/strict";
import { test } from "node:test";
import { Rpc, RpcError } from "../src/console/rpc";

interface Peer {
  rpc: Rpc;
  sent: string[];
  notified: [string, object][];
  odd: string[];
  say: (...messages: unknown[]) => void;
}

function peer(): Peer {
  const sent: string[] = [];
  const notified: [string, object][] = [];
  const odd: string[] = [];
  const rpc = new Rpc(
    (line) => sent.push(line),
    (method, params) => notified.push([method, params]),
    (what) => odd.push(what),
  );
  const say = (...messages: unknown[]): void => {
    const text = messages.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
    rpc.receive(Buffer.from(text.join("\n") + "\n"));
  };
  return { rpc, sent, notified, odd, say };
}

test("a request is one line", () => {
  const { rpc, sent } = peer();

  void rpc.request("queues", { session: "a\nb" });

  assert.deepEqual(sent, [
    '{"jsonrpc":"2.0","id":1,"method":"queues","params":{"session":"a\\nb"}}\n',
  ]);
});

test("an answer goes to its request, in any order", async () => {
  const { rpc, say } = peer();
  const first = rpc.request("a");
  const second = rpc.request("b");

  say({ jsonrpc: "2.0", id: 2, result: "two" }, { jsonrpc: "2.0", id: 1, result: null });

  assert.equal(await second, "two");
  assert.equal(await first, null);
});

test("an error that was answered has its code and its text", async () => {
  const { rpc, say } = peer();
  const request = rpc.request("cmdlog");

  say({ jsonrpc: "2.0", id: 1, error: { code: -32001, message: "no such queue", data: null } });

  await assert.rejects(request, (error: RpcError) => {
    return error instanceof RpcError && error.code === -32001 && error.message === "no such queue";
  });
});

for (const [what, line] of [
  ["no JSON", "Traceback (most recent call last):"],
  ["half a line of JSON", '{"jsonrpc":"2.0","id":1'],
  ["no object", "[1]"],
  ["null", "null"],
  ["another version", '{"id":1,"result":2}'],
  ["an answer to nothing", '{"jsonrpc":"2.0","id":77,"result":2}'],
  ["an answer with an id that is no number", '{"jsonrpc":"2.0","id":null,"result":2}'],
] as const) {
  test(`a line that is ${what} is left out, and the next one is read`, async () => {
    const { rpc, say, odd } = peer();
    const request = rpc.request("a");

    say(line, { jsonrpc: "2.0", id: 1, result: "fine" });

    assert.equal(await request, "fine");
    assert.equal(odd.length, 1);
  });
}

test("an answer without a result is an error", async () => {
  const { rpc, say } = peer();
  const request = rpc.request("a");

  say({ jsonrpc: "2.0", id: 1 });

  await assert.rejects(request, /without a result/);
});

test("a notification has its method and its params", () => {
  const { say, notified } = peer();

  say({ jsonrpc: "2.0", method: "tree", params: { subscription: 1 } });

  assert.deepEqual(notified, [["tree", { subscription: 1 }]]);
});

test("a call knows its answer before the notification in the same piece is looked at", () => {
  const { rpc, say, notified } = peer();
  const seen: number[] = [];
  rpc.call(
    "subscribe",
    {},
    { resolve: () => seen.push(notified.length), reject: () => seen.push(-1) },
  );

  say({ jsonrpc: "2.0", id: 1, result: {} }, { jsonrpc: "2.0", method: "tree", params: {} });

  assert.deepEqual(seen, [0]);
  assert.equal(notified.length, 1);
});

test("with the other side gone every request fails, those to come too", async () => {
  const { rpc, sent } = peer();
  const before = rpc.request("a");

  rpc.close(new Error("it died"));

  await assert.rejects(before, /it died/);
  await assert.rejects(rpc.request("b"), /it died/);
  assert.equal(sent.length, 1);
});
