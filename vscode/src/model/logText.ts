import type { CommandLog, Entry, Filter } from "../console/protocol";
import { clock, hex, microseconds } from "./format";

/** How a command log is shown; what is left out of the filter does not filter. */
export interface LogView {
  title: string;
  filter: Filter;
  paused: boolean;
  /** why there is nothing newer to come; null: it goes on */
  ended: string | null;
}

export interface LogText {
  text: string;
  /** for each command: its line, and the last one that belongs to it; both from 0 */
  commands: { key: string; first: number; last: number }[];
}

const INDENT = "        ";
const DWORDS_A_LINE = 4;

export function filterText(filter: Filter, names: ReadonlyMap<number, string>): string {
  const words: string[] = [];
  if (filter.status && filter.status !== "all") words.push(`status ${filter.status}`);
  if (filter.opcodes?.length) {
    words.push(
      filter.opcodes.map((opcode) => names.get(opcode) ?? `opcode ${hex(opcode, 2)}h`).join(", "),
    );
  }
  if (filter.text) words.push(`text "${filter.text}"`);
  return words.join("; ") || "none";
}

function mark(entry: Entry): string {
  if (entry.status === null) return ">";
  return entry.status === 0 ? " " : "!";
}

function headline(entry: Entry): string {
  const when = clock(entry.submit_ms, 6);
  const cid = `cid ${hex(entry.cid, 4)}`;
  const took = (entry.status === null ? "…" : microseconds(entry.latency_us)).padStart(10);
  return `${mark(entry)} ${when}  ${cid}  ${took}  ${entry.text}`;
}

function dwords(name: string, words: readonly number[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += DWORDS_A_LINE) {
    const row = words.slice(at, at + DWORDS_A_LINE).map((word) => hex(word >>> 0, 8));
    lines.push(`${INDENT}${name} dw${at.toString().padStart(2, "0")}  ${row.join(" ")}`);
  }
  return lines;
}

function body(entry: Entry): string[] {
  const lines = entry.details.map((detail) => `${INDENT}${detail}`);
  if (entry.complete_ms !== null) lines.push(`${INDENT}completed ${clock(entry.complete_ms, 6)}`);
  return [...lines, ...dwords("sqe", entry.sqe), ...dwords("cqe", entry.cqe ?? [])];
}

function head(log: CommandLog | null, view: LogView, names: ReadonlyMap<number, string>): string[] {
  const state = view.ended ?? (view.paused ? "paused" : "live");
  const lines = [`# ${view.title}: ${state}`];
  if (log) {
    const shown = log.entries.length;
    const of = log.matched === log.total ? "" : `${log.matched} that match of `;
    lines.push(
      `# ${shown} of ${of}${log.total} commands, newest first; filter: ${filterText(view.filter, names)}`,
    );
  }
  return lines;
}

/** The document of a queue's command log. */
export function logText(
  log: CommandLog | null,
  view: LogView,
  names: ReadonlyMap<number, string>,
): LogText {
  const lines = [...head(log, view, names), ""];
  const commands: LogText["commands"] = [];
  for (const entry of log?.entries ?? []) {
    const first = lines.length;
    lines.push(headline(entry), ...body(entry));
    commands.push({ key: entry.key, first, last: lines.length - 1 });
  }
  if (log && !log.entries.length) {
    lines.push(log.total ? "No command passes the filter." : "No command yet.");
  }
  return { text: lines.join("\n") + "\n", commands };
}
