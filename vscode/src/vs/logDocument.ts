import * as vscode from "vscode";
import type { CommandLog, Filter, Gone, Queue, Topics } from "../console/protocol";
import { queueName } from "../model/nodes";
import { logText, type LogText } from "../model/logText";
import type { Link } from "./link";
import { settings } from "./settings";

export const SCHEME = "pynvme-cmdlog";

/** A URI that stands for a queue's command log: its path is for people, its query is the queue. */
export function logUri(queue: Queue): vscode.Uri {
  const name = `${queue.address} ${queueName(queue.sqid)}`.replaceAll("/", " ");
  return vscode.Uri.from({ scheme: SCHEME, path: `/${name}.cmdlog`, query: queue.id });
}

/** One command log that is shown, or was shown and is still open. */
export class LogDocument {
  private readonly names = new Map<number, string>();
  private log: CommandLog | null = null;
  private filter_: Filter = {};
  private paused_ = false;
  private ended: string | null = null;
  private unwatch: (() => void) | undefined;
  private text_: LogText;

  constructor(
    readonly uri: vscode.Uri,
    private readonly link: Link,
    private readonly changed: () => void,
  ) {
    this.text_ = this.render();
  }

  get queue(): string {
    return this.uri.query;
  }

  get text(): LogText {
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

  setFilter(filter: Filter): void {
    this.filter_ = filter;
    this.paused_ = false;
    this.restart();
    this.show();
  }

  /** Holds what is shown, so that it can be read; or goes on. */
  pause(paused: boolean): void {
    this.paused_ = paused;
    this.restart();
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
      topics: ["cmdlog"],
      queue: this.queue,
      count: entries,
      filter: this.filter_,
    };
    this.unwatch = this.link.console.watch(topics, (method, params) => {
      if (method === "cmdlog") this.received(params as unknown as CommandLog);
      else if (method === "error") this.gone(params as unknown as Gone);
    });
  }

  private received(log: CommandLog): void {
    this.log = log;
    this.learn(log);
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

  private render(): LogText {
    const title = this.uri.path.slice(1).replace(/\.cmdlog$/, "");
    const view = { title, filter: this.filter_, paused: this.paused_, ended: this.ended };
    return logText(this.log, view, this.names);
  }
}
