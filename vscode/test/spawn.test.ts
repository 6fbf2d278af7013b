import assert from "node:assert/strict";
import { test } from "node:test";
import { spawned } from "../src/console/spawn";

interface End {
  code: number | null;
  error: Error | undefined;
}

function end(program: ReturnType<typeof spawned>): Promise<End> {
  return new Promise((resolve) => {
    program.onExit((code, error) => {
      resolve({ code, error });
    });
  });
}

function output(program: ReturnType<typeof spawned>): () => string {
  let text = "";
  program.onOutput((piece) => (text += Buffer.from(piece).toString()));
  return () => text;
}

test("what is written comes to the program, and what it prints comes back", async () => {
  const program = spawned("sh", ["-c", "read line; echo got $line"], undefined);
  const text = output(program);

  program.write("hello\n");
  const { code } = await end(program);

  assert.equal(code, 0);
  assert.equal(text(), "got hello\n");
});

test("a program that is not there says so, and writing to it does no harm", async () => {
  const program = spawned("/nowhere/pynvme", ["console"], undefined);
  program.write("hello\n");

  const { error } = await end(program);

  assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
});

test("writing to a program that has ended does no harm", async () => {
  const program = spawned("true", [], undefined);
  const ended = end(program);

  for (let i = 0; i < 100; i++) program.write("x".repeat(10_000) + "\n");

  assert.equal((await ended).code, 0);
});

test("a program that is ended ends", async () => {
  const program = spawned("sleep", ["1000"], undefined);
  const ended = end(program);

  program.end();

  assert.equal((await ended).code, null);
});
