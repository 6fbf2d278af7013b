import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { IoStat } from "../console/protocol";
import { History } from "../model/history";
import type { ToPage } from "../model/messages";
import type { Node } from "../model/nodes";
import type { Link } from "./link";
import { settings } from "./settings";

const TYPE = "pynvme.performance";

/** The page may run only its own script and style; it reaches nothing else. */
function html(webview: vscode.Webview, dist: vscode.Uri): string {
  const nonce = randomBytes(16).toString("hex");
  const script = webview.asWebviewUri(vscode.Uri.joinPath(dist, "webview.js")).toString();
  const style = webview.asWebviewUri(vscode.Uri.joinPath(dist, "webview.css")).toString();
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Performance</title>
</head>
<body>
<main></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}

/** The panel with charts of every controller; reads on while it is open, draws while visible. */
export class Performance implements vscode.Disposable {
  private readonly history = new History(settings().history_s);
  private panel: vscode.WebviewPanel | undefined;
  private unwatch: (() => void) | undefined;
  private wanted: string | null = null;

  constructor(
    private readonly link: Link,
    private readonly dist: vscode.Uri,
  ) {}

  /** @param node a controller that is to be shown first */
  open(node?: Node): void {
    this.wanted = node?.kind === "controller" ? node.id : null;
    if (this.panel) {
      this.panel.reveal();
      this.sendAll();
      return;
    }
    const column = vscode.ViewColumn.Beside;
    this.adopt(vscode.window.createWebviewPanel(TYPE, "Performance", column));
  }

  /** Takes a panel: a new one, or one of a window that was opened again. */
  adopt(panel: vscode.WebviewPanel): void {
    this.panel?.dispose();
    this.panel = panel;
    panel.webview.options = { enableScripts: true, localResourceRoots: [this.dist] };
    panel.webview.html = html(panel.webview, this.dist);
    panel.webview.onDidReceiveMessage(() => {
      this.sendAll(); // the page has begun, for the first time or again
    });
    panel.onDidDispose(() => {
      if (this.panel === panel) this.close();
    });
    this.follow();
  }

  /** Watches again, as the settings say now. */
  follow(): void {
    this.unwatch?.();
    this.unwatch = undefined;
    if (!this.panel) return;
    const { refresh_ms, history_s } = settings();
    this.history.seconds = history_s;
    const topics = { interval_ms: refresh_ms, topics: ["iostat" as const] };
    this.unwatch = this.link.console.watch(topics, (method, params) => {
      if (method !== "iostat") return;
      const series = this.history.add(params as unknown as IoStat);
      this.send({ kind: "more", seconds: this.history.seconds, series });
    });
  }

  serializer(): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(TYPE, {
      deserializeWebviewPanel: (panel) => {
        this.adopt(panel);
        return Promise.resolve();
      },
    });
  }

  dispose(): void {
    this.panel?.dispose();
    this.close();
  }

  private close(): void {
    this.panel = undefined;
    this.follow();
  }

  private sendAll(): void {
    const series = this.history.list();
    this.send({ kind: "all", seconds: this.history.seconds, series, wanted: this.wanted });
    this.wanted = null;
  }

  private send(message: ToPage): void {
    if (this.panel?.visible) void this.panel.webview.postMessage(message);
  }
}
