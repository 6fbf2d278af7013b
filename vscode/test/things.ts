import type {
  Controller,
  Entry,
  IoStat,
  Queue,
  Rates,
  Session,
  Tree,
} from "../src/console/protocol";

export function session(fields: Partial<Session> = {}): Session {
  return {
    id: "s",
    pid: 4711,
    uid: 1000,
    own: true,
    state: "running",
    why: null,
    title: "/x/.venv/bin/python3 -m pytest scripts/my_test.py",
    started_ms: 1000,
    ended_ms: null,
    path: "/dev/shm/pynvme-1000-4711-1.cmdlog",
    controllers: 1,
    queues: 1,
    addresses: ["sim"],
    ...fields,
  };
}

export function controller(fields: Partial<Controller> = {}): Controller {
  return {
    id: "c",
    session: "s",
    address: "sim",
    model: "MODEL",
    serial: "SN",
    firmware: "1.0",
    capacity_bytes: 1e9,
    nvme_version: "1.3.0",
    state: "ready",
    resets: 0,
    temperature_celsius: 40,
    temperature_ms: 1000,
    opened_ms: 1000,
    closed_ms: null,
    outstanding: 4,
    ...fields,
  };
}

export function queue(fields: Partial<Queue> = {}): Queue {
  return {
    id: "q",
    session: "s",
    controller: "c",
    address: "sim",
    sqid: 3,
    kind: "script",
    state: "open",
    depth: 64,
    outstanding: 32,
    commands: 1000,
    errors: 0,
    reads: 600,
    writes: 400,
    read_bytes: 1e6,
    written_bytes: 1e6,
    latency: { mean_us: 11, p50_us: 12, p99_us: 20, p999_us: 32, max_us: 210 },
    updated_ms: 1000,
    worker: null,
    ...fields,
  };
}

export function rates(fields: Partial<Rates> = {}): Rates {
  return {
    id: "q",
    session: "s",
    address: "sim",
    iops: 1000,
    read_bytes_per_s: 0,
    written_bytes_per_s: 0,
    errors_per_s: 0,
    latency: null,
    outstanding: 1,
    temperature_celsius: null,
    ...fields,
  };
}

export function tree(fields: Partial<Tree> = {}): Tree {
  return {
    time_ms: 1000,
    sessions: [session()],
    controllers: [controller()],
    queues: [queue()],
    problems: [],
    ...fields,
  };
}

export function iostat(fields: Partial<IoStat> = {}): IoStat {
  return {
    time_ms: 2000,
    interval_ms: 1000,
    sessions: [],
    controllers: [],
    queues: [],
    problems: [],
    ...fields,
  };
}

export function entry(fields: Partial<Entry> = {}): Entry {
  return {
    key: "c1",
    sqid: 1,
    cid: 5,
    opcode: 2,
    nsid: 1,
    name: "Read",
    submit_ms: 1_764_415_280_500.5,
    complete_ms: 1_764_415_280_500.6,
    latency_us: 101.2,
    status: 0,
    status_name: "Successful Completion",
    text: "Read: slba 0 nlb 8 => Successful Completion",
    details: ["cdw12 00000007: 8 LBAs"],
    sqe: Array.from({ length: 16 }, (_, index) => index),
    cqe: [0, 0, 1, 0xffff0001],
    ...fields,
  };
}
