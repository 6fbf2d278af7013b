// A workbench of VS Code in a browser: code-server with the extension, and headless Chromium on it.

import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";

const TOOLS = process.env.WORKBENCH_TOOLS;
const { chromium } = createRequire(path.join(TOOLS, "x.js"))("playwright-core");
const SERVER = path.join(TOOLS, "node_modules/code-server/out/node/entry.js");
const BROWSER = process.env.WORKBENCH_BROWSER ?? "/usr/bin/chromium";
/** The machine may be busy: nothing is late before this has passed. */
export const PATIENCE_MS = 120_000;
/** One try of something that a busy workbench may have missed. */
const TRY_MS = 15_000;
const TRIES = 8;
/** Nothing is asked of other hosts: there is a gallery, which is not there. */
const GALLERY = {
  serviceUrl: "http://127.0.0.1:9",
  itemUrl: "",
  resourceUrlTemplate: "",
  controlUrl: "",
  recommendationsUrl: "",
};
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.colorTheme": "Default Dark Modern",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "window.restoreWindows": "none",
};
const SWITCHES = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until the answer is one; what was asked for is in the error. */
export async function until(what, ask, patience_ms = PATIENCE_MS) {
  const end = Date.now() + patience_ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${patience_ms / 1000} s: ${what}`);
    await delay(200);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function healthy(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  } catch {
    return false;
  }
}

/** The server, in a folder of its own; `environment` is what the extension will see. */
class Server {
  constructor(folder, workspace, environment) {
    this.folder = folder;
    this.workspace = workspace;
    this.environment = {
      ...process.env,
      ...environment,
      HOME: path.join(folder, "home"),
      EXTENSIONS_GALLERY: JSON.stringify(GALLERY),
    };
    this.places = [
      ["--user-data-dir", "data"],
      ["--extensions-dir", "extensions"],
      ["--config", "config.yaml"],
    ].flatMap(([word, name]) => [word, path.join(folder, name)]);
    // The server's own children are not ended by its end, so we must not end without ending them.
    process.once("exit", () => this.stop());
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));
    mkdirSync(path.join(folder, "home"), { recursive: true });
    mkdirSync(path.join(folder, "data/User"), { recursive: true });
    const settings = path.join(folder, "data/User/settings.json");
    writeFileSync(settings, JSON.stringify(SETTINGS));
  }

  install(vsix) {
    const words = [SERVER, ...this.places, "--install-extension", vsix];
    const done = spawnSync(process.execPath, words, { env: this.environment, encoding: "utf8" });
    if (done.status) throw new Error(`not installed: ${done.stdout}${done.stderr}`);
  }

  /** A server whose own parts do not find each other in time ends; then another one is tried. */
  async start() {
    for (let i = 1; ; i++) {
      await this.startOnce();
      const answers = await until("the server answers, or ends", async () => {
        if (await healthy(this.port)) return "yes";
        return this.child.exitCode === null && this.child.signalCode === null ? "" : "ended";
      });
      if (answers === "yes") return;
      if (i === TRIES) throw new Error(`the server ended ${i} times: ${this.folder}/server.log`);
    }
  }

  async startOnce() {
    this.port = await freePort();
    const log = openSync(path.join(this.folder, "server.log"), "w");
    const words = [
      ...[SERVER, ...this.places, "--auth", "none", "--bind-addr", `127.0.0.1:${this.port}`],
      ...["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"],
      ...["--disable-workspace-trust", this.workspace],
    ];
    // It goes with us, whatever ends us.
    this.child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, ...words], {
      env: this.environment,
      detached: true,
      stdio: ["ignore", log, log],
    });
  }

  stop() {
    try {
      if (this.child) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
}

/** The workbench as a person sees it. */
export class Workbench {
  static async open({ folder, workspace, vsix, environment }) {
    const self = new Workbench();
    self.shots = path.join(folder, "shots");
    mkdirSync(self.shots, { recursive: true });
    self.server = new Server(folder, workspace, environment);
    self.server.install(vsix);
    await self.server.start();
    self.context = await chromium.launchPersistentContext(path.join(folder, "browser"), {
      executablePath: BROWSER,
      headless: true,
      args: SWITCHES,
      viewport: { width: 1500, height: 900 },
    });
    self.page = self.context.pages()[0] ?? (await self.context.newPage());
    self.page.setDefaultTimeout(PATIENCE_MS);
    self.foreign = [];
    self.context.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      const own = hostname === "127.0.0.1" || hostname.endsWith(".vscode-resource.vscode-cdn.net");
      if (protocol.startsWith("http") && !own) self.foreign.push(request.url());
    });
    await self.page.goto(`http://127.0.0.1:${self.server.port}/?folder=${workspace}`);
    await self.page.locator(".monaco-workbench .activitybar").waitFor();
    return self;
  }

  async close() {
    await this.context?.close().catch(() => undefined);
    this.server?.stop();
  }

  async shot(name) {
    await this.page.screenshot({ path: path.join(this.shots, `${name}.png`) });
  }

  /** Runs a command by its title in the palette; a busy workbench may need several tries. */
  async command(title) {
    const { page } = this;
    for (let i = 1; ; i++) {
      try {
        await page.keyboard.press("Escape");
        await page.keyboard.press("F1");
        const input = page.locator(".quick-input-widget input.input").first();
        await input.waitFor({ state: "visible", timeout: TRY_MS });
        await input.fill(`>${title}`);
        const row = this.choice(title).first();
        await row.waitFor({ state: "visible", timeout: TRY_MS });
        await row.click({ timeout: TRY_MS });
        return;
      } catch (error) {
        if (i === TRIES) throw error;
      }
    }
  }

  /** Rows of the quick input that have this text. */
  choice(text) {
    return this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: text });
  }

  /** Opens the view of the activity bar with that name. */
  async view(name) {
    const icon = this.page.locator(`.activitybar a.action-label[aria-label^="${name}"]`);
    const pane = this.page.locator(".sidebar .composite.title").filter({ hasText: name });
    await icon.first().waitFor();
    await until(`the view ${name}`, async () => {
      if (await pane.count()) return true;
      await icon.first().click();
      await delay(500);
      return false;
    });
  }

  /** The rows of the side bar's tree, as text. */
  async rows() {
    const rows = this.page.locator(".sidebar .pane-body .monaco-list-row");
    const texts = await rows.evaluateAll((all) =>
      all.map((each) => each.getAttribute("aria-label")),
    );
    return texts.map((text) => (text ?? "").replaceAll("\u00a0", " "));
  }

  row(text) {
    return this.page.locator(".sidebar .pane-body .monaco-list-row").filter({ hasText: text });
  }

  /** The lines of the active editor that are drawn, without what is folded. */
  async lines() {
    const lines = this.page.locator(".editor-group-container.active .view-lines .view-line");
    const found = await lines.evaluateAll((all) =>
      all
        .map((each) => [each.offsetTop, each.textContent ?? ""])
        .sort(([a], [b]) => a - b)
        .map(([, text]) => text),
    );
    return found.map((text) => text.replaceAll("\u00a0", " "));
  }

  /** The frame that has such an element: a webview's page. */
  async frame(selector) {
    return until(`a frame with ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        if (
          await frame
            .locator(selector)
            .count()
            .catch(() => 0)
        )
          return frame;
      }
      return undefined;
    });
  }
}
