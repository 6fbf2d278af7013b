import { Console, type Means, type State } from "../src/console/console";
import type { Program } from "../src/console/connection";

interface Message {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

export const HELLO = { protocol: 1, minor: 0, version: "0.1.0", pid: 1 };

/** A console program that answers what a test tells it to. */
export class FakeProgram implements Program {
  readonly received: Message[] = [];
  ended = false;
  private output: (piece: Uint8Array) => void = () => undefined;
  private errors: (piece: Uint8Array) => void = () => undefined;
  private exit: (code: number | null, error?: Error) => void = () => undefined;

  write(line: string): void {
    this.received.push(JSON.parse(line) as Message);
  }

  end(): void {
    this.ended = true;
  }

  onOutput(handler: (piece: Uint8Array) => void): void {
    this.output = handler;
  }

  onError(handler: (piece: Uint8Array) => void): void {
    this.errors = handler;
  }

  onExit(handler: (code: number | null, error?: Error) => void): void {
    this.exit = handler;
  }

  /** The newest request of a method. */
  request(method: string): Message {
    const found = this.received.filter((each) => each.method === method).pop();
    if (!found) throw new Error(`no request ${method}`);
    return found;
  }

  count(method: string): number {
    return this.received.filter((each) => each.method === method).length;
  }

  say(...messages: object[]): void {
    const lines = messages.map((each) => JSON.stringify({ jsonrpc: "2.0", ...each }) + "\n");
    this.output(Buffer.from(lines.join("")));
  }

  answer(method: string, result: unknown): void {
    this.say({ id: this.request(method).id, result });
  }

  refuse(method: string, code: number, message: string): void {
    this.say({ id: this.request(method).id, error: { code, message, data: null } });
  }

  complain(text: string): void {
    this.errors(Buffer.from(text));
  }

  die(code: number | null, error?: Error): void {
    this.exit(code, error);
  }
}

/** Lets everything go on that only waits for promises. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** A supervisor with a clock and programs of the test's own. */
export class Stage {
  readonly programs: FakeProgram[] = [];
  readonly states: State[] = [];
  readonly log: string[] = [];
  readonly console: Console;
  now_ms = 0;
  private timers: { at_ms: number; call: () => void }[] = [];

  constructor() {
    const means: Means = {
      start: () => {
        const program = new FakeProgram();
        this.programs.push(program);
        return { name: "/x/pynvme", program };
      },
      after: (ms, call) => {
        const timer = { at_ms: this.now_ms + ms, call };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((each) => each !== timer);
        };
      },
      log: (line) => this.log.push(line),
    };
    this.console = new Console(means, "test", (state) => this.states.push(state));
  }

  get program(): FakeProgram {
    const last = this.programs.at(-1);
    if (!last) throw new Error("no program was started");
    return last;
  }

  get state(): State {
    return this.console.state;
  }

  /** Time goes on; what is due is called. */
  async pass(ms: number): Promise<void> {
    this.now_ms += ms;
    const due = this.timers.filter((each) => each.at_ms <= this.now_ms);
    this.timers = this.timers.filter((each) => each.at_ms > this.now_ms);
    for (const each of due) each.call();
    await settled();
  }

  /** The newest program says hello, and serves the subscriptions that wait for it. */
  async greet(): Promise<void> {
    this.program.answer("hello", HELLO);
    await settled();
  }
}
