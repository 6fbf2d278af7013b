import type { Controller, IoStat, Problem, Queue, Rates, Session, Tree } from "../console/protocol";
import { bar, bytes, clock, duration, iops, microseconds, UNKNOWN, whole } from "./format";

export type Node =
  | { kind: "session"; id: string; session: Session; rates: Rates | undefined }
  | {
      kind: "controller";
      id: string;
      controller: Controller;
      running: boolean;
      rates: Rates | undefined;
    }
  | { kind: "queue"; id: string; queue: Queue; running: boolean; rates: Rates | undefined }
  | { kind: "problem"; id: string; problem: Problem };

/** What a row of the tree looks like; colours are names of the theme's. */
export interface Row {
  label: string;
  description: string;
  icon: string;
  colour: string | null;
}

const GOOD = "testing.iconPassed";
const BAD = "errorForeground";
const WARN = "notificationsWarningIcon.foreground";
const PALE = "disabledForeground";

/** What is shown of the sessions; keeps the identity of a node for as long as it is there. */
export class Sessions {
  private nodes = new Map<string, Node>();
  private roots: Node[] = [];
  private below = new Map<string, Node[]>();

  /**
   * A new tree: nodes that stay keep their rates. Returns the nodes whose rows or children are other
   * ones now, or "all" when the sessions are.
   */
  setTree(tree: Tree): Node[] | "all" {
    const looks = this.looks();
    this.take(tree);
    const now = this.looks();
    if (now.get("") !== looks.get("")) return "all";
    const all = [...this.nodes.values()];
    return all.filter((node) => looks.has(node.id) && now.get(node.id) !== looks.get(node.id));
  }

  /** What there is to see of each node, by its id, and of the roots, by "". */
  private looks(): Map<string, string> {
    const ids = (nodes: Node[]): string => nodes.map((node) => node.id).join();
    const found = new Map([["", ids(this.roots)]]);
    for (const node of this.nodes.values()) {
      found.set(node.id, JSON.stringify(row(node)) + ids(this.children(node)));
    }
    return found;
  }

  private take(tree: Tree): void {
    const before = this.nodes;
    this.nodes = new Map();
    this.below = new Map();
    this.roots = [];
    const keep = (made: Node): Node => {
      const old = before.get(made.id);
      const node = old?.kind === made.kind ? Object.assign(old, made, ratesOf(old)) : made;
      this.nodes.set(node.id, node);
      return node;
    };
    const running = new Set<string>();
    for (const session of tree.sessions) {
      if (session.state === "running") running.add(session.id);
      this.roots.push(keep({ kind: "session", id: session.id, session, rates: undefined }));
    }
    for (const controller of tree.controllers) {
      const { id } = controller;
      const is = running.has(controller.session);
      this.put(
        controller.session,
        keep({ kind: "controller", id, controller, running: is, rates: undefined }),
      );
    }
    for (const queue of tree.queues) {
      const { id } = queue;
      const is = running.has(queue.session);
      const parent = queue.controller ?? queue.session;
      this.put(parent, keep({ kind: "queue", id, queue, running: is, rates: undefined }));
    }
    for (const problem of tree.problems) {
      this.roots.push(keep({ kind: "problem", id: `problem ${problem.path}`, problem }));
    }
  }

  /** New rates; returns the nodes whose rows are other ones now. */
  setRates(stat: IoStat): Node[] {
    const changed: Node[] = [];
    for (const rates of [...stat.sessions, ...stat.controllers, ...stat.queues]) {
      const node = this.nodes.get(rates.id);
      if (!node || node.kind === "problem") continue;
      const before = JSON.stringify(row(node));
      node.rates = rates;
      if (JSON.stringify(row(node)) !== before) changed.push(node);
    }
    return changed;
  }

  children(node?: Node): Node[] {
    return node ? (this.below.get(node.id) ?? []) : this.roots;
  }

  has(node: Node): boolean {
    return this.nodes.get(node.id) === node;
  }

  node(id: string): Node | undefined {
    return this.nodes.get(id);
  }

  private put(parent: string, node: Node): void {
    const list = this.below.get(parent);
    if (list) list.push(node);
    else this.below.set(parent, [node]);
  }
}

function ratesOf(node: Node): { rates?: Rates | undefined } {
  return node.kind === "problem" ? {} : { rates: node.rates };
}

/** The process's command line in short: no interpreter, no options, no folders. */
export function sessionTitle(session: Session): string {
  const words = (session.title ?? "").split(/\s+/).filter((word) => word && !word.startsWith("-"));
  const names = words.map((word) => word.replace(/^\S*\/(?=[^/])/, ""));
  if (/^python[\d.]*$/.test(names[0] ?? "")) names.shift();
  return names.join(" ") || `process ${session.pid}`;
}

export function queueName(sqid: number): string {
  return `Q${sqid.toString().padStart(2, "0")}`;
}

function sessionRow(session: Session, rates: Rates | undefined): Row {
  const label = sessionTitle(session);
  const pid = `pid ${session.pid}`;
  if (session.state === "unreadable") {
    return { label, description: session.why ?? pid, icon: "warning", colour: WARN };
  }
  if (session.state === "ended") {
    const when = session.ended_ms === null ? "" : ` ${clock(session.ended_ms)}`;
    return { label, description: `${pid}, ended${when}`, icon: "debug-stop", colour: PALE };
  }
  const rate = rates?.iops ? `  ${iops(rates.iops)}` : "";
  return { label, description: `${pid}${rate}`, icon: "debug-start", colour: GOOD };
}

const STATE_COLOURS: Record<string, string> = {
  ready: GOOD,
  resetting: WARN,
  down: WARN,
  fatal: BAD,
  gone: BAD,
};

function controllerRow(controller: Controller, running: boolean, rates: Rates | undefined): Row {
  const celsius = rates?.temperature_celsius ?? controller.temperature_celsius;
  const words = [controller.state === "ready" ? "" : controller.state];
  if (rates?.iops) words.push(iops(rates.iops));
  if (running && celsius !== null) words.push(`${Math.round(celsius)} °C`);
  words.push(controller.model ?? "");
  return {
    label: controller.address,
    description: words.filter(Boolean).join("  "),
    icon: "server",
    colour: running ? (STATE_COLOURS[controller.state] ?? null) : PALE,
  };
}

function queueRow(queue: Queue, running: boolean, rates: Rates | undefined): Row {
  const now = rates ? rates.outstanding : queue.outstanding;
  const depth = queue.depth;
  const count = `${now ?? UNKNOWN}/${depth ?? UNKNOWN}`;
  const words = [depth === null ? "" : bar(now ?? 0, depth)];
  if (running && rates?.iops) words.push(iops(rates.iops));
  const errors = (rates?.errors_per_s ?? 0) > 0 || (queue.errors ?? 0) > 0;
  return {
    label: `${queueName(queue.sqid)}  ${count}`,
    description: words.filter(Boolean).join("  "),
    icon: queue.kind === "admin" ? "gear" : queue.kind === "worker" ? "zap" : "list-ordered",
    colour: !running || queue.state === "closed" ? PALE : errors ? WARN : null,
  };
}

export function row(node: Node): Row {
  switch (node.kind) {
    case "session":
      return sessionRow(node.session, node.rates);
    case "controller":
      return controllerRow(node.controller, node.running, node.running ? node.rates : undefined);
    case "queue":
      return queueRow(node.queue, node.running, node.rates);
    case "problem":
      return {
        label: node.problem.path.split("/").pop() ?? node.problem.path,
        description: node.problem.why,
        icon: "warning",
        colour: WARN,
      };
  }
}

/** Lines "name", "value" of a tooltip; what is not known is left out. */
export type Facts = [string, string][];

export function sessionFacts(session: Session): Facts {
  const facts: Facts = [
    ["Command", session.title ?? UNKNOWN],
    ["Process", `${session.pid}, user ${session.uid}`],
    ["State", session.why ? `${session.state}: ${session.why}` : session.state],
  ];
  if (session.started_ms !== null) facts.push(["Started", clock(session.started_ms)]);
  if (session.ended_ms !== null) facts.push(["Ended", clock(session.ended_ms)]);
  facts.push(["Record", session.path]);
  return facts;
}

export function controllerFacts(controller: Controller): Facts {
  const facts: Facts = [["State", controller.state]];
  const add = (name: string, value: string | null): void => {
    if (value) facts.push([name, value]);
  };
  add("Model", controller.model);
  add("Serial number", controller.serial);
  add("Firmware", controller.firmware);
  add("Capacity", controller.capacity_bytes === null ? null : bytes(controller.capacity_bytes));
  add("NVMe", controller.nvme_version);
  if (controller.temperature_celsius !== null) {
    const at =
      controller.temperature_ms === null ? "" : `, read at ${clock(controller.temperature_ms)}`;
    facts.push(["Temperature", `${Math.round(controller.temperature_celsius)} °C${at}`]);
  }
  if (controller.resets !== null) facts.push(["Resets", whole(controller.resets)]);
  return facts;
}

function workerText(queue: Queue): string | null {
  const worker = queue.worker;
  if (!worker) return null;
  const ops = worker.ops
    .map((op) => (op.percent === null ? op.name : `${Math.round(op.percent)} % ${op.name}`))
    .join(", ");
  const [least, most] = worker.io_size_lbas;
  const size = least === most ? `${least}` : `${least}..${most}`;
  const way =
    worker.random_percent === 100
      ? "random"
      : worker.random_percent === 0
        ? "sequential"
        : `${worker.random_percent} % random`;
  const far =
    worker.percent === null ? duration(worker.elapsed_ms) : `${Math.floor(worker.percent)} %`;
  return `${ops}, ${size} LBAs of ${worker.lba_bytes} B, ${way}, depth ${worker.qdepth}, ${worker.running ? far : "ended"}`;
}

export function queueFacts(queue: Queue): Facts {
  const facts: Facts = [
    ["Outstanding", `${queue.outstanding ?? UNKNOWN} of ${queue.depth ?? UNKNOWN}`],
    ["Commands", whole(queue.commands)],
    ["Errors", whole(queue.errors)],
    ["Read", `${whole(queue.reads)} commands, ${bytes(queue.read_bytes)}`],
    ["Written", `${whole(queue.writes)} commands, ${bytes(queue.written_bytes)}`],
  ];
  if (queue.latency) {
    const { mean_us, p50_us, p99_us, p999_us, max_us } = queue.latency;
    facts.push(["Latency, mean", microseconds(mean_us)]);
    const [p50, p99, p999, max] = [p50_us, p99_us, p999_us, max_us].map(microseconds);
    facts.push(["Percentiles", `50 %: ${p50}, 99 %: ${p99}, 99.9 %: ${p999}, most: ${max}`]);
  }
  const worker = workerText(queue);
  if (worker) facts.push(["IOWorker", worker]);
  if (queue.worker?.why) facts.push(["Ended early", queue.worker.why]);
  return facts;
}
