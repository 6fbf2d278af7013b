import type { CommandLog, Entry, Filter } from "../console/protocol";
import { clock, hex, microseconds } from "./format";

/** How a command log is shown; what is left out of the filter does not filter. */
export interface LogView {
  title: string;
  filter: Filter;
  paused: boolean;
  /** only the lines of the commands, without what they fold down to */
  compact: boolean;
  /** why there is nothing newer to come; null: it goes on */
  ended: string | null;
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
): string {
  const lines = [...head(log, view, names), ""];
  for (const entry of log?.entries ?? []) {
    lines.push(headline(entry));
    if (!view.compact) lines.push(...body(entry));
  }
  if (log && !log.entries.length) {
    lines.push(log.total ? "No command passes the filter." : "No command yet.");
  }
  return lines.join("\n") + "\n";
}

/** The lines, from 0, that belong to one command of a document; its first one tells it from others. */
export interface CommandLines {
  headline: string;
  first: number;
  last: number;
}

/** The commands of such a document, whatever became of the log since it was made. */
export function commandLines(text: string): CommandLines[] {
  const found: CommandLines[] = [];
  text.split("\n").forEach((line, number) => {
    const before = found.at(-1);
    if (/^[ !>] \d/.test(line)) found.push({ headline: line, first: number, last: number });
    else if (line.startsWith(INDENT) && before) before.last = number;
  });
  return found;
}
