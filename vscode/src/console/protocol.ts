/** The console's protocol 1.0, as docs/console.md has it. What is not known is null. */

/** The major number that this client speaks. */
export const PROTOCOL = 1;

export interface Hello {
  protocol: number;
  minor: number;
  version: string;
  pid: number;
}

export interface Problem {
  path: string;
  why: string;
}

export interface Session {
  id: string;
  pid: number;
  uid: number;
  own: boolean;
  state: "running" | "ended" | "unreadable";
  why: string | null;
  title: string | null;
  started_ms: number | null;
  ended_ms: number | null;
  path: string;
  controllers: number | null;
  queues: number | null;
  addresses: string[];
}

export interface Controller {
  id: string;
  session: string;
  address: string;
  model: string | null;
  serial: string | null;
  firmware: string | null;
  capacity_bytes: number | null;
  nvme_version: string | null;
  state: string;
  resets: number | null;
  temperature_celsius: number | null;
  temperature_ms: number | null;
  opened_ms: number | null;
  closed_ms: number | null;
  outstanding: number | null;
}

export interface Latency {
  mean_us: number;
  p50_us: number;
  p99_us: number;
  p999_us: number;
  max_us: number;
}

export interface Worker {
  running: boolean;
  percent: number | null;
  elapsed_ms: number;
  qdepth: number;
  ops: { opcode: number; name: string; percent: number | null }[];
  io_size_lbas: [number, number];
  lba_bytes: number;
  random_percent: number;
  iops_limit: number | null;
  time_s: number | null;
  io_count: number | null;
  why: string | null;
}

export interface Queue {
  id: string;
  session: string;
  controller: string | null;
  address: string;
  sqid: number;
  kind: "admin" | "script" | "worker";
  state: "open" | "closed";
  depth: number | null;
  outstanding: number | null;
  commands: number | null;
  errors: number | null;
  reads: number | null;
  writes: number | null;
  read_bytes: number | null;
  written_bytes: number | null;
  latency: Latency | null;
  updated_ms: number | null;
  worker: Worker | null;
}

export interface Entry {
  key: string;
  sqid: number;
  cid: number;
  opcode: number;
  nsid: number;
  name: string;
  submit_ms: number;
  complete_ms: number | null;
  latency_us: number | null;
  status: number | null;
  status_name: string | null;
  text: string;
  details: string[];
  sqe: number[];
  cqe: number[] | null;
}

export type StatusFilter = "all" | "error" | "success" | "outstanding";

export interface Filter {
  opcodes?: number[];
  status?: StatusFilter;
  text?: string;
}

export interface CommandLog {
  queue: string;
  time_ms: number;
  total: number;
  matched: number;
  entries: Entry[];
}

export interface Rates {
  id: string;
  session: string;
  address: string | null;
  iops: number | null;
  read_bytes_per_s: number | null;
  written_bytes_per_s: number | null;
  errors_per_s: number | null;
  latency: Latency | null;
  outstanding: number | null;
  temperature_celsius: number | null;
}

export interface Tree {
  time_ms: number;
  sessions: Session[];
  controllers: Controller[];
  queues: Queue[];
  problems: Problem[];
}

export interface IoStat {
  time_ms: number;
  interval_ms: number | null;
  sessions: Rates[];
  controllers: Rates[];
  queues: Rates[];
  problems: Problem[];
}

/** What a subscription is asked for. */
export interface Topics {
  interval_ms: number;
  topics: ("tree" | "iostat" | "cmdlog")[];
  session?: string;
  queue?: string;
  count?: number;
  filter?: Filter;
}

/** A topic that can no longer be served. */
export interface Gone {
  topic: string;
  code: number;
  message: string;
}

export const NOT_FOUND = -32001;
export const METHOD_NOT_FOUND = -32601;
export const OTHER_PROTOCOL = -32005;
