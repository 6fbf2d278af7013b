import * as vscode from "vscode";
import type { CommandLog, Filter, Gone, Queue, Topics, Tree } from "../console/protocol";
import { queueName } from "../model/nodes";
import { logText } from "../model/logText";
import type { Link } from "./link";
import { settings } from "./settings";

export const SCHEME = "pynvme-cmdlog";

/** A URI that stands for a queue's command log: its path is for people, its query for us. */
export function logUri(queue: Queue): vscode.Uri {
  const name = `${queue.address} ${queueName(queue.sqid)}`.replaceAll("/", " ");
  const query = JSON.stringify([queue.session, queue.id]);
  return vscode.Uri.from({ scheme: SCHEME, path: `/${name}.cmdlog`, query });
}

function idsOf(uri: vscode.Uri): { session: string; queue: string } {
  const [session = "", queue = ""] = JSON.parse(uri.query) as string[];
  return { session, queue };
}

/** One command log that is shown, or was shown and is still open. */
export class LogDocument {
  private readonly names = new Map<number, string>();
  private log: CommandLog | null = null;
  private filter_: Filter = {};
  private paused_ = false;
  private compact = true;
  private readonly session: string;
  readonly queue: string;
  /** why nothing can be read any more */
  private ended: string | null = null;
  private sessionEnded = false;
  private unwatch: (() => void) | undefined;
  private text_: string;

  constructor(
    readonly uri: vscode.Uri,
    private readonly link: Link,
    private readonly changed: () => void,
  ) {
    ({ session: this.session, queue: this.queue } = idsOf(uri));
    this.text_ = this.render();
  }

  get text(): string {
    return this.text_;
  }

  get filter(): Filter {
    return this.filter_;
  }

  get paused(): boolean {
    return this.paused_;
  }

  /** Opcodes that were seen in this log, with their names. */
  get opcodes(): ReadonlyMap<number, string> {
    return this.names;
  }

  /** Reads anew with that filter; of a queue that is gone nothing can be read, and what is there stays. */
  setFilter(filter: Filter): void {
    if (this.ended !== null) return;
    this.filter_ = filter;
    this.paused_ = false;
    this.log = null; // it was made with another filter
    this.restart();
    this.show();
  }

  /** Holds what is shown, so that it can be read; or goes on. */
  pause(paused: boolean): void {
    this.paused_ = paused;
    this.restart();
    this.show();
  }

  /**
   * With what the commands fold down to, or without. VS Code folds in the active editor only: in
   * another one every new command would be there with all its dwords.
   */
  setCompact(compact: boolean): void {
    if (compact === this.compact) return;
    this.compact = compact;
    this.show();
  }

  /** Asks the console for what the filter hides, too: the names to choose from. */
  async learnOpcodes(): Promise<void> {
    const params = { queue: this.queue, count: 4096 };
    const log = (await this.link.console.request("cmdlog", params)) as CommandLog;
    this.learn(log);
  }

  /** Reads on while it is visible. */
  follow(visible: boolean): void {
    if (visible === (this.unwatch !== undefined)) return;
    this.stop();
    if (visible && !this.paused_ && this.ended === null) this.start();
  }

  /** Anew, with the filter and the settings of now, if it is read at all. */
  restart(): void {
    const running = this.unwatch !== undefined;
    this.stop();
    if (!this.paused_ && this.ended === null && (running || this.isVisible())) this.start();
  }

  stop(): void {
    this.unwatch?.();
    this.unwatch = undefined;
  }

  private isVisible(): boolean {
    const uri = this.uri.toString();
    return vscode.window.visibleTextEditors.some((each) => each.document.uri.toString() === uri);
  }

  private start(): void {
    const { refresh_ms, entries } = settings();
    const topics: Topics = {
      interval_ms: refresh_ms,
      topics: ["tree", "cmdlog"],
      session: this.session,
      queue: this.queue,
      count: entries,
      filter: this.filter_,
    };
    this.unwatch = this.link.console.watch(topics, (method, params) => {
      if (method === "cmdlog") this.received(params as unknown as CommandLog);
      else if (method === "tree") this.looked(params as unknown as Tree);
      else if (method === "error") this.gone(params as unknown as Gone);
    });
  }

  private received(log: CommandLog): void {
    this.log = log;
    this.learn(log);
    this.show();
  }

  private looked(tree: Tree): void {
    const state = tree.sessions.find((each) => each.id === this.session)?.state;
    const ended = state === "ended";
    if (ended === this.sessionEnded) return;
    this.sessionEnded = ended;
    this.show();
  }

  private gone(gone: Gone): void {
    this.ended = gone.message;
    this.stop();
    this.show();
  }

  private learn(log: CommandLog): void {
    for (const entry of log.entries) this.names.set(entry.opcode, entry.name);
  }

  private show(): void {
    this.text_ = this.render();
    this.changed();
  }

  private render(): string {
    const title = this.uri.path.slice(1).replace(/\.cmdlog$/, "");
    const view = {
      title,
      filter: this.filter_,
      paused: this.paused_,
      compact: this.compact,
      ended: this.ended ?? (this.sessionEnded ? "the test has ended" : null),
    };
    return logText(this.log, view, this.names);
  }
}
