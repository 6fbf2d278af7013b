import * as vscode from "vscode";
import type { State } from "../console/console";
import type { IoStat, Queue, Topics, Tree } from "../console/protocol";
import {
  controllerFacts,
  type Facts,
  type Node,
  queueFacts,
  queueName,
  row,
  sessionFacts,
  Sessions,
  sessionTitle,
} from "../model/nodes";
import type { Link } from "./link";
import { logUri } from "./logDocument";
import { settings } from "./settings";

/** A row that the mouse rests on is not drawn anew for so long: that would take its tooltip away. */
const HELD_MS = 5000;

function tooltip(title: string, facts: Facts): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.appendMarkdown("**");
  text.appendText(title);
  text.appendMarkdown("**\n\n| | |\n|---|---|\n");
  for (const [name, value] of facts) {
    text.appendMarkdown(`| ${name} | `);
    text.appendText(value.replaceAll("|", "/").replaceAll("\n", " "));
    text.appendMarkdown(" |\n");
  }
  return text;
}

function expandable(node: Node): vscode.TreeItemCollapsibleState {
  switch (node.kind) {
    case "session":
      return node.session.state === "running"
        ? vscode.TreeItemCollapsibleState.Expanded
        : vscode.TreeItemCollapsibleState.Collapsed;
    case "controller":
      return vscode.TreeItemCollapsibleState.Expanded;
    default:
      return vscode.TreeItemCollapsibleState.None;
  }
}

/** Sessions, their controllers, their queues. Read only while somebody sees it. */
export class SessionsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly sessions = new Sessions();
  private readonly changes = new vscode.EventEmitter<Node[] | undefined>();
  private readonly view: vscode.TreeView<Node>;
  private readonly subscriptions: vscode.Disposable[] = [];
  private unwatch: (() => void) | undefined;
  private readonly dirty = new Set<Node>();
  private held: { node: Node; until_ms: number } | undefined;
  readonly onDidChangeTreeData = this.changes.event;

  constructor(private readonly link: Link) {
    this.view = vscode.window.createTreeView("pynvme.sessions", { treeDataProvider: this });
    this.subscriptions.push(
      this.view,
      this.changes,
      this.view.onDidChangeVisibility(() => {
        this.follow();
      }),
      link.onState((state) => {
        this.stateChanged(state);
      }),
    );
    this.follow();
  }

  /** Watches again, at the interval of the settings, if it is visible. */
  follow(): void {
    this.unwatch?.();
    this.unwatch = undefined;
    if (!this.view.visible) return;
    const topics: Topics = { interval_ms: settings().refresh_ms, topics: ["tree", "iostat"] };
    this.unwatch = this.link.console.watch(topics, (method, params) => {
      this.notified(method, params);
    });
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const { label, description, icon, colour } = row(node);
    const item = new vscode.TreeItem(label, expandable(node));
    item.id = node.id;
    item.description = description;
    item.contextValue = node.kind;
    item.iconPath = new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
    if (node.kind === "queue") {
      // A command of VS Code's own: the arguments of others are forgotten when the row is drawn anew,
      // which may be between the click and its command.
      const uri = logUri(node.queue);
      item.command = { command: "vscode.open", title: "Show Command Log", arguments: [uri] };
    }
    return item;
  }

  getChildren(node?: Node): Node[] {
    return this.sessions.children(node);
  }

  /** What the mouse rests on is read anew: the tree itself has no counts that change all the time. */
  async resolveTreeItem(item: vscode.TreeItem, node: Node): Promise<vscode.TreeItem> {
    this.held = { node, until_ms: Date.now() + HELD_MS };
    switch (node.kind) {
      case "session":
        item.tooltip = tooltip(sessionTitle(node.session), sessionFacts(node.session));
        break;
      case "controller":
        item.tooltip = tooltip(node.controller.address, controllerFacts(node.controller));
        break;
      case "queue": {
        const queue = await this.latest(node.queue);
        const name = `${queue.address} ${queueName(queue.sqid)}, ${queue.kind}`;
        item.tooltip = tooltip(name, queueFacts(queue));
        break;
      }
      case "problem":
        item.tooltip = `${node.problem.path}: ${node.problem.why}`;
    }
    return item;
  }

  dispose(): void {
    this.unwatch?.();
    for (const each of this.subscriptions) each.dispose();
  }

  private async latest(queue: Queue): Promise<Queue> {
    try {
      const params = { session: queue.session };
      const found = (await this.link.console.request("queues", params)) as { queues: Queue[] };
      return found.queues.find((each) => each.id === queue.id) ?? queue;
    } catch {
      return queue; // its session has ended meanwhile; what is known of it stays true
    }
  }

  private notified(method: string, params: Record<string, unknown>): void {
    if (method === "tree") {
      const changed = this.sessions.setTree(params as unknown as Tree);
      if (changed === "all") this.changes.fire(undefined);
      else this.redraw(changed);
    } else if (method === "iostat") {
      this.redraw(this.sessions.setRates(params as unknown as IoStat));
    } else {
      this.link.log(`sessions: ${String(params["message"])}`);
    }
  }

  private redraw(changed: Node[]): void {
    for (const node of changed) this.dirty.add(node);
    const held = this.held && Date.now() < this.held.until_ms ? this.held.node : undefined;
    const now = [...this.dirty].filter((node) => node !== held && this.sessions.has(node));
    const waits = held !== undefined && this.dirty.has(held);
    this.dirty.clear();
    if (waits) this.dirty.add(held);
    if (now.length) this.changes.fire(now);
  }

  private stateChanged(state: State): void {
    if (state.kind === "failed") this.view.message = state.why;
    else if (state.kind === "ready") this.view.message = "";
  }
}
