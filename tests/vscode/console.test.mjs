// The packaged extension in a real workbench, beside a real test on the software SSD. The steps are
// those of one person in one window, one after the other.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { delay, until, Workbench } from "./workbench.mjs";

const HERE = import.meta.dirname;
const TOP = path.join(HERE, "../..");
const FOLDER = process.env.WORKBENCH_FOLDER;
const WORKSPACE = path.join(FOLDER, "workspace");
const SETTINGS = path.join(WORKSPACE, ".vscode/settings.json");
const RECORDS = path.join(FOLDER, "records");
const BIN = path.join(TOP, ".venv/bin");
const ENVIRONMENT = { PYNVME_CMDLOG_DIR: RECORDS };
const ADDRESS = "sim:size=1G";
const COMMAND = /^[ !>] \d\d:\d\d:\d\d/;

let watched;
let bench;

function writeSettings(more) {
  const settings = {
    "pynvme.executable": path.join(BIN, "pynvme"),
    "python.testing.pytestArgs": ["scripts"],
    ...more,
  };
  writeFileSync(SETTINGS, JSON.stringify(settings, undefined, 2));
}

function readSettings() {
  try {
    return JSON.parse(readFileSync(SETTINGS, "utf8"));
  } catch {
    return {}; // it is being written
  }
}

async function commands() {
  return (await bench.lines()).filter((line) => COMMAND.test(line));
}

async function queueRow(name) {
  return (await bench.rows()).find((row) => row.startsWith(name)) ?? "";
}

async function openLog(name) {
  const tab = bench.page.locator(".tab.active").filter({ hasText: `${name}.cmdlog` });
  await until(`the log of ${name}`, async () => {
    if (await tab.count()) return true;
    await bench.row(name).first().click();
    await delay(1000);
    return false;
  });
  await until("commands in the log", async () => (await commands()).length > 0);
}

before(async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const each of [path.dirname(SETTINGS), RECORDS]) mkdirSync(each, { recursive: true });
  writeSettings();
  const words = ["-m", "pytest", "-q", path.join(HERE, "watched_test.py"), `--pciaddr=${ADDRESS}`];
  const python = path.join(BIN, "python");
  watched = spawn("setpriv", ["--pdeathsig", "KILL", python, ...words], {
    cwd: TOP,
    env: { ...process.env, ...ENVIRONMENT },
    stdio: "ignore",
  });
  bench = await Workbench.open({
    folder: FOLDER,
    workspace: WORKSPACE,
    vsix: process.env.WORKBENCH_VSIX,
    environment: ENVIRONMENT,
  });
});

after(async () => {
  watched?.kill("SIGKILL");
  await bench?.shot("end").catch(() => undefined);
  await bench?.close();
});

test("the tree has the session, its controller and its queues", async () => {
  await bench.view("pynvme");

  await bench.row("Q02").first().waitFor();

  const rows = await bench.rows();
  assert.match(rows[0], /^pytest watched_test.py pid \d+/);
  assert.match(rows[1], new RegExp(`^${ADDRESS} .*pynvme software SSD`));
  assert.match(rows[2], /^Q00 +\d+\/\d+ [▰▱]{8}/);
  assert.match(rows[3], /^Q01 +\d+\/63 [▰▱]{8}/);
  assert.match(rows[4], /^Q02 +\d+\/32 [▰▱]{8}/);
  await bench.shot("tree");
});

test("what is outstanding changes while the test runs", async () => {
  const seen = new Set();

  await until("three numbers of outstanding commands", async () => {
    const [, outstanding] = /^Q01 +(\d+)\//.exec(await queueRow("Q01")) ?? [];
    if (outstanding) seen.add(outstanding);
    return seen.size >= 3;
  });
});

test("the status bar has the address and the IOPS of the running test", async () => {
  const item = bench.page.locator(".statusbar-item").filter({ hasText: ADDRESS });

  await until("IOPS", async () => {
    const text = (await item.count()) ? await item.first().innerText() : "";
    return new RegExp(`${ADDRESS}\\s+[\\d.]+ k?IOPS`).test(text);
  });
});

test("the tooltip of a queue has its counts, its latency and its workload", async () => {
  const hover = bench.page.locator(".workbench-hover").filter({ hasText: "Commands" });
  const row = bench.row("Q02").first();

  await until("the tooltip", async () => {
    await row.hover({ position: { x: 60, y: 8 } });
    await row.hover({ position: { x: 66, y: 12 } });
    await hover
      .first()
      .waitFor({ timeout: 3000 })
      .catch(() => undefined);
    return hover.count();
  });

  const text = (await hover.first().innerText()).replaceAll("\u00a0", " ");
  await bench.shot("tooltip");
  assert.match(text, /Latency, mean\s+[\d.]+ (us|ms)/);
  assert.match(text, /70 % Read, 30 % Write, 8 LBAs of 512 B, random, depth 32/);
});

test("a click opens the queue's command log: decoded, newest first", async () => {
  await openLog("Q01");
  await until("commands, folded", async () => (await commands()).length > 20);

  await bench.shot("log");
  // While the editor draws anew, the first line may be missing.
  const head = new RegExp(
    `^# ${ADDRESS} Q01: live.*\n# \\d+ of \\d+ commands, newest first; filter: none`,
  );
  await until("the head of the log", async () => head.test((await bench.lines()).join("\n")));
  const read = /cid [0-9a-f]{4}.*Read nsid 1 LBA 0x[0-9a-f]+ \+ 8/;
  await until("a read, decoded", async () => read.test((await commands())[0] ?? ""));
  // By when they completed, which in a batch is not the order in which they were sent.
  await until("commands of two batches, the later one first", async () => {
    const done = (await commands())
      .filter((line) => line[0] === " ")
      .map((line) => line.slice(2, 17));
    return done.length > 1 && done[0] > done.at(-1);
  });
});

test("the log goes on while the test runs", async () => {
  const time = async () => (await commands())[0]?.slice(2, 17) ?? "";
  const newest = await time();

  await until("a newer command", async () => (await time()) > newest);
});

test("the log can be held, and its commands fold down to their dwords", async () => {
  await bench.command("Pause Command Log");
  await until("the log stands", async () => /: paused/.test((await bench.lines())[0]));

  await bench.command("Fold All");
  await until("only commands", async () => !/sqe dw/.test((await bench.lines()).join()));
  await bench.shot("folded");
  await bench.command("Unfold All");

  await until("the dwords", async () =>
    /sqe dw00 {2}[0-9a-f]{8} /.test((await bench.lines()).join()),
  );
  await bench.command("Pause Command Log");
  await until("the log goes on", async () => /: live/.test((await bench.lines())[0]));
});

test("the filter by status leaves only the errors that were injected, folded", async () => {
  await bench.command("Command Log: Only Errors");

  await until("the filter", async () => /status error/.test((await bench.lines())[1]));
  await until("an error", async () => (await commands()).length > 0);
  await until("its dwords folded", async () => !/sqe dw/.test((await bench.lines()).join()));
  await bench.shot("errors");
  for (const line of await commands()) {
    assert.match(line, /^! .*Read nsid 1 LBA 0x60 \+ 8 => Unrecovered Read Error \(02\/81\)/);
  }
});

test("the filter by opcode leaves only commands of that name", async () => {
  await openLog("Q00");
  await bench.command("Filter Command Log");
  await bench.choice("Get Log Page").first().waitFor();
  await bench.shot("filter");

  await bench.choice("Get Log Page").first().click();
  await bench.page.keyboard.press("Enter");

  await until("the filter", async () => /filter: Get Log Page/.test((await bench.lines())[1]));
  await until("commands of that name alone", async () => {
    const found = await commands();
    return found.length > 0 && found.every((line) => line.includes("Get Log Page"));
  });
});

test("the charts of the running test move", async () => {
  await bench.command("pynvme: Performance");
  const frame = await bench.frame("section[data-chart] canvas");
  const drawn = () =>
    frame.locator("canvas").evaluateAll((all) => all.map((canvas) => canvas.toDataURL()));
  const values = async () => (await frame.locator("h2").allInnerTexts()).join(" ");

  await until("values", async () =>
    /IOPS\s*[\d.]+.*read [\d.]+.*mean [\d.]+.*\d+ °C/s.test(await values()),
  );
  const before = await drawn();
  await until("every chart moves", async () => {
    const now = await drawn();
    return now.length === 4 && now.every((image, index) => image !== before[index]);
  });

  await delay(10_000); // for something to look at
  await bench.shot("performance");
});

test("Select Device writes the address into pytest's arguments", async () => {
  await bench.command("pynvme: Select Device");
  await bench.choice("software SSD").first().waitFor();
  await bench.shot("device");

  await bench.choice("software SSD").first().click();

  const written = await until("the setting", () =>
    readSettings()["python.testing.pytestArgs"]?.includes("--pciaddr=sim"),
  );
  assert.ok(written);
  assert.deepEqual(readSettings()["python.testing.pytestArgs"], ["scripts", "--pciaddr=sim"]);
});

test("New Test File makes one that begins with a test", async () => {
  await bench.command("pynvme: New Test File");
  const input = bench.page.locator(".quick-input-widget input.input").first();
  await until("the name's box", async () =>
    /test_new/.test(await input.inputValue().catch(() => "")),
  );
  await input.fill("seen");
  await bench.page.keyboard.press("Enter");

  const text = await until("the file", () => {
    try {
      return readFileSync(path.join(WORKSPACE, "test_seen.py"), "utf8");
    } catch {
      return undefined;
    }
  });
  assert.match(text, /^import logging/);
});

test("after the test was killed its last commands are still there", async () => {
  watched.kill("SIGKILL");

  await until("the session ended", async () => / ended \d\d:/.test((await bench.rows())[0]));
  await openLog("Q01");

  await until("the log knows", async () => /the test has ended/.test((await bench.lines())[0]));
  await bench.shot("killed");
  assert.match((await commands())[0], /Read nsid 1/);
});

test("a program that is missing is said once, with what to install", async () => {
  writeSettings({ "pynvme.executable": "/nowhere/pynvme" });
  const toast = bench.page.locator(".notification-toast, .notifications-list-container");

  await toast.filter({ hasText: "was not found. Install pynvme" }).first().waitFor();

  await bench.shot("missing");
  assert.equal(await bench.page.locator(".notification-list-item").count(), 1);
});

test("nothing was asked of another host", () => {
  assert.deepEqual(bench.foreign, []);
});
