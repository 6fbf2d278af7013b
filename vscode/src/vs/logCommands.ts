import * as vscode from "vscode";
import type { Filter, Queue, StatusFilter } from "../console/protocol";
import { hex } from "../model/format";
import { row } from "../model/nodes";
import type { Link } from "./link";
import type { LogDocument } from "./logDocument";
import type { Logs } from "./logs";

interface QueueItem extends vscode.QuickPickItem {
  queue: Queue;
}

interface FilterItem extends vscode.QuickPickItem {
  status?: StatusFilter;
  opcode?: number;
}

function isQueue(value: unknown): value is Queue {
  return typeof value === "object" && value !== null && "sqid" in value && "id" in value;
}

async function pickQueue(link: Link): Promise<Queue | undefined> {
  const all = link.console.request("queues", { closed: true }) as Promise<{ queues: Queue[] }>;
  const items = all.then(({ queues }) =>
    queues.map((queue): QueueItem => {
      const { label } = row({ kind: "queue", id: "", queue, running: true, rates: undefined });
      const description = `${queue.address}, ${queue.kind}${queue.state === "open" ? "" : ", closed"}`;
      return { label, description, queue };
    }),
  );
  const placeHolder = "Queue whose command log is to be shown";
  if (!(await items).length) {
    void vscode.window.showInformationMessage(
      "pynvme: there is no queue: no test runs, and none has left its last commands.",
    );
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true }))
    ?.queue;
}

const STATUSES: [StatusFilter, string][] = [
  ["error", "Only errors"],
  ["success", "Only successes"],
  ["outstanding", "Only outstanding"],
];

function filterItems(log: LogDocument): FilterItem[] {
  const separator = vscode.QuickPickItemKind.Separator;
  const opcodes = [...log.opcodes].sort(([a], [b]) => a - b);
  return [
    { label: "status", kind: separator },
    ...STATUSES.map(([status, label]) => ({ label, status })),
    { label: "opcode", kind: separator },
    ...opcodes.map(([opcode, name]) => ({
      label: name,
      description: `opcode ${hex(opcode, 2)}h`,
      opcode,
    })),
  ];
}

/** Of several statuses there is none that all commands have: then all are shown. */
function filterOf(items: readonly FilterItem[]): Filter {
  const opcodes = items.flatMap((item) => (item.opcode === undefined ? [] : [item.opcode]));
  const statuses = items.flatMap((item) => item.status ?? []);
  const filter: Filter = {};
  if (opcodes.length) filter.opcodes = opcodes;
  if (statuses.length === 1 && statuses[0]) filter.status = statuses[0];
  return filter;
}

function askFilter(log: LogDocument): Promise<Filter | undefined> {
  const pick = vscode.window.createQuickPick<FilterItem>();
  pick.canSelectMany = true;
  pick.title = "Filter Command Log";
  pick.placeholder = "Nothing chosen: all commands";
  pick.items = filterItems(log);
  const { status, opcodes } = log.filter;
  pick.selectedItems = pick.items.filter(
    (item) =>
      (item.status !== undefined && item.status === status) ||
      (item.opcode !== undefined && opcodes?.includes(item.opcode)),
  );
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      resolve(filterOf(pick.selectedItems));
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

async function filter(logs: Logs, uri?: vscode.Uri): Promise<void> {
  const log = logs.find(uri);
  if (!log) return;
  await log.learnOpcodes().catch(() => undefined); // of a queue that is gone: those seen before
  const chosen = await askFilter(log);
  if (chosen) logs.filter(log, chosen);
}

/** The commands about command logs, by their names. */
export function logCommands(
  link: Link,
  logs: Logs,
): Record<string, (argument?: unknown) => Promise<void> | void> {
  const uriOf = (argument: unknown): vscode.Uri | undefined =>
    argument instanceof vscode.Uri ? argument : undefined;
  return {
    "pynvme.showCommandLog": async (argument) => {
      const node = argument as { queue?: unknown } | undefined;
      const named = isQueue(argument) ? argument : isQueue(node?.queue) ? node.queue : undefined;
      const queue = named ?? (await pickQueue(link));
      if (queue) await logs.open(queue);
    },
    "pynvme.filterCommandLog": (argument) => filter(logs, uriOf(argument)),
    "pynvme.filterErrors": (argument) => {
      const log = logs.find(uriOf(argument));
      if (!log) return;
      const { status, ...rest } = log.filter;
      logs.filter(log, status === "error" ? rest : { ...rest, status: "error" });
    },
    "pynvme.pauseCommandLog": (argument) => {
      const log = logs.find(uriOf(argument));
      log?.pause(!log.paused);
    },
  };
}
