import assert from "node:assert/strict";
import { test } from "node:test";
import { Lines } from "../src/console/lines";

const piece = (text: string): Uint8Array => Buffer.from(text);

function lines(limit = 100): { lines: Lines; skipped: () => number } {
  let skipped = 0;
  return { lines: new Lines(limit, () => skipped++), skipped: () => skipped };
}

test("a line may come in pieces", () => {
  const { lines: all } = lines();

  assert.deepEqual(all.push(piece('{"a":')), []);
  assert.deepEqual(all.push(piece("1}")), []);
  assert.deepEqual(all.push(piece('\n{"b"')), ['{"a":1}']);
  assert.deepEqual(all.push(piece(":2}\n")), ['{"b":2}']);
});

test("a piece may have several lines", () => {
  assert.deepEqual(lines().lines.push(piece("a\nb\n\nc")), ["a", "b", ""]);
});

test("a piece may end within a character", () => {
  const { lines: all } = lines();
  const text = Buffer.from("40 °C\n");
  const middle = text.indexOf(0xc2) + 1;

  assert.deepEqual(all.push(text.subarray(0, middle)), []);
  assert.deepEqual(all.push(text.subarray(middle)), ["40 °C"]);
});

test("a line of the limit is read, a longer one is left out, and the next one is read", () => {
  const { lines: all, skipped } = lines(4);

  assert.deepEqual(all.push(piece("1234\n123")), ["1234"]);
  assert.deepEqual(all.push(piece("45")), []);
  assert.deepEqual(all.push(piece("6789\nnext\n")), ["next"]);
  assert.equal(skipped(), 1);
});
