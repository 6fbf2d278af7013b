import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceOf, withDevice } from "../src/model/pytestArgs";
import { settingsWithDevice } from "../src/model/settings";

for (const [args, device] of [
  [["scripts"], null],
  [["--pciaddr=01:00.0"], "01:00.0"],
  [["--pciaddr", "01:00.0", "-s"], "01:00.0"],
  [["--pciaddr=01:00.0", "--pciaddr=sim"], "sim"],
  [["--pciaddr"], null],
  [["--pciaddress=1"], null],
] as const) {
  test(`the device of ${args.join(" ")} is ${device ?? "not named"}`, () => {
    assert.equal(deviceOf(args), device);
  });
}

for (const [args, expected] of [
  [[], ["--pciaddr=sim"]],
  [
    ["scripts", "-s"],
    ["scripts", "-s", "--pciaddr=sim"],
  ],
  [
    ["--pciaddr=01:00.0", "scripts"],
    ["--pciaddr=sim", "scripts"],
  ],
  [
    ["-s", "--pciaddr", "01:00.0", "scripts"],
    ["-s", "--pciaddr=sim", "scripts"],
  ],
  [
    ["--pciaddr=1", "x", "--pciaddr", "2"],
    ["--pciaddr=sim", "x"],
  ],
  [["--pciaddr"], ["--pciaddr=sim"]],
] as const) {
  test(`another device in "${args.join(" ")}" leaves the rest as it is`, () => {
    assert.deepEqual(withDevice(args, "sim"), expected);
  });
}

test("settings keep their comments and everything else", () => {
  const text = `{
  // the interpreter
  "python.defaultInterpreterPath": ".venv/bin/python3",
  "python.testing.pytestArgs": ["scripts", "--pciaddr=sim"], // here
  "files.eol": "\\n",
}
`;

  const changed = settingsWithDevice(text, [], "01:00.0");

  assert.match(changed, /\/\/ the interpreter/);
  assert.match(changed, /"files.eol": "\\n",/);
  assert.match(changed, /\[\s*"scripts",\s*"--pciaddr=01:00.0"\s*\], \/\/ here/);
});

for (const empty of ["", "\n", "{}", "{\n}\n"]) {
  test(`settings that are ${JSON.stringify(empty)} get the arguments that were in force`, () => {
    const changed = settingsWithDevice(empty, ["-s"], "sim");

    assert.deepEqual(JSON.parse(changed), { "python.testing.pytestArgs": ["-s", "--pciaddr=sim"] });
  });
}

test("settings that are no object are left alone", () => {
  assert.throws(() => settingsWithDevice("[1]", [], "sim"), /no object/);
});
