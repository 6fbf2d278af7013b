import { Connection, type Program, Unusable } from "./connection";
import type { Gone, Hello, Topics } from "./protocol";
import { RpcError } from "./rpc";

export type State =
  | { kind: "idle" }
  | { kind: "starting" }
  | { kind: "ready"; hello: Hello }
  /** `again_ms`: when it will be tried again; null: not before somebody asks for it */
  | { kind: "failed"; why: string; again_ms: number | null };

/** What the supervisor needs from outside, so that tests can bring their own. */
export interface Means {
  /** Starts the program. Throws when there is none to start. */
  start(): { name: string; program: Program };
  /** Calls back after some time; returns what takes that back. */
  after(ms: number, call: () => void): () => void;
  log(line: string): void;
}

export type Handler = (method: string, params: Record<string, unknown>) => void;

interface Watch {
  topics: Topics;
  handler: Handler;
  /** The server's number for it, while it is subscribed. */
  number: number | undefined;
}

export const FIRST_RETRY_MS = 500;
export const LAST_RETRY_MS = 30_000;
/** A program that has lived so long is not one that fails at once. */
export const STABLE_MS = 10_000;
/** How long it runs on when nobody watches. */
export const IDLE_MS = 10_000;

/**
 * The console program, started when somebody watches, started again when it dies, ended when nobody
 * watches any more; subscriptions survive all that.
 */
export class Console {
  private readonly watches = new Set<Watch>();
  private readonly numbers = new Map<number, Watch>();
  private connection: Connection | undefined;
  private current: State = { kind: "idle" };
  private retry_ms = FIRST_RETRY_MS;
  private cancelRetry: (() => void) | undefined;
  private cancelIdle: (() => void) | undefined;
  private ready: { promise: Promise<void>; resolve: () => void; reject: (e: Error) => void };

  constructor(
    private readonly means: Means,
    private readonly client: string,
    private readonly changed: (state: State) => void,
  ) {
    this.ready = this.pending();
  }

  get state(): State {
    return this.current;
  }

  /** Has the handler called with notifications of these topics, until the returned call. */
  watch(topics: Topics, handler: Handler): () => void {
    const watch: Watch = { topics, handler, number: undefined };
    this.watches.add(watch);
    this.cancelIdle?.();
    this.cancelIdle = undefined;
    if (this.current.kind === "ready") this.subscribe(watch);
    else this.wake();
    return () => {
      this.drop(watch);
    };
  }

  /** One request, as soon as there is a console; throws why there is none. */
  async request(method: string, params: object = {}): Promise<unknown> {
    this.wake();
    if (this.current.kind === "failed") throw new Error(this.current.why);
    await this.ready.promise;
    if (!this.connection) throw new Error("the console has ended");
    const result = await this.connection.rpc.request(method, params);
    this.sleepSoon();
    return result;
  }

  /** Ends what runs, and tries at once: the settings have changed, or somebody asks for it. */
  restart(): void {
    this.shutDown({ kind: "idle" });
    this.retry_ms = FIRST_RETRY_MS;
    if (this.watches.size) this.start();
  }

  dispose(): void {
    this.watches.clear();
    this.shutDown({ kind: "idle" });
  }

  private wake(): void {
    if (this.current.kind === "idle") this.start();
  }

  private start(): void {
    this.set({ kind: "starting" });
    let connection: Connection;
    try {
      const { name, program } = this.means.start();
      connection = new Connection(
        program,
        name,
        (method, params) => {
          this.notified(method, params);
        },
        (line) => {
          this.means.log(line);
        },
      );
    } catch (error) {
      this.failed(error as Error);
      return;
    }
    this.connection = connection;
    void connection.end.then((why) => {
      if (this.connection === connection) this.failed(why);
    });
    void connection.hello(this.client).then(
      (hello) => {
        if (this.connection === connection) this.connected(connection, hello);
      },
      (error: unknown) => {
        if (this.connection === connection) this.failed(error as Error);
      },
    );
  }

  private connected(connection: Connection, hello: Hello): void {
    this.means.after(STABLE_MS, () => {
      if (this.connection === connection) this.retry_ms = FIRST_RETRY_MS;
    });
    this.set({ kind: "ready", hello });
    this.ready.resolve();
    for (const watch of this.watches) this.subscribe(watch);
    this.sleepSoon();
  }

  private failed(why: Error): void {
    const again = why instanceof Unusable ? why.again : true;
    const again_ms = again ? this.retry_ms : null;
    this.means.log(why.message);
    this.shutDown({ kind: "failed", why: why.message, again_ms });
    if (again_ms === null) return;
    this.retry_ms = Math.min(this.retry_ms * 2, LAST_RETRY_MS);
    this.cancelRetry = this.means.after(again_ms, () => {
      this.cancelRetry = undefined;
      if (this.watches.size) this.start();
      else this.set({ kind: "idle" });
    });
  }

  private shutDown(state: State): void {
    this.cancelRetry?.();
    this.cancelRetry = undefined;
    this.cancelIdle?.();
    this.cancelIdle = undefined;
    const connection = this.connection;
    this.connection = undefined;
    this.numbers.clear();
    for (const watch of this.watches) watch.number = undefined;
    const why = new Error(state.kind === "failed" ? state.why : "the console was ended");
    connection?.rpc.close(why);
    connection?.stop();
    this.ready.reject(why);
    this.ready = this.pending();
    this.set(state);
  }

  private subscribe(watch: Watch): void {
    const connection = this.connection;
    if (!connection) return;
    connection.rpc.call("subscribe", watch.topics, {
      resolve: (answer) => {
        const { subscription } = answer as { subscription: number };
        if (this.watches.has(watch)) {
          watch.number = subscription;
          this.numbers.set(subscription, watch);
        } else {
          this.unsubscribe(connection, subscription);
        }
      },
      reject: (error) => {
        if (!(error instanceof RpcError) || !this.watches.has(watch)) return;
        const topic = watch.topics.topics.join(", ");
        const gone: Gone = { topic, code: error.code, message: error.message };
        watch.handler("error", { ...gone });
      },
    });
  }

  private unsubscribe(connection: Connection, subscription: number): void {
    connection.rpc.request("unsubscribe", { subscription }).catch((error: unknown) => {
      this.means.log(`unsubscribe: ${(error as Error).message}`);
    });
  }

  private drop(watch: Watch): void {
    if (!this.watches.delete(watch)) return;
    if (watch.number !== undefined && this.connection) {
      this.numbers.delete(watch.number);
      this.unsubscribe(this.connection, watch.number);
    }
    this.sleepSoon();
  }

  private sleepSoon(): void {
    if (this.watches.size || this.cancelIdle || this.current.kind !== "ready") return;
    this.cancelIdle = this.means.after(IDLE_MS, () => {
      this.cancelIdle = undefined;
      if (!this.watches.size) this.shutDown({ kind: "idle" });
    });
  }

  private notified(method: string, params: Record<string, unknown>): void {
    const number = params["subscription"];
    const watch = typeof number === "number" ? this.numbers.get(number) : undefined;
    watch?.handler(method, params);
  }

  private pending(): typeof this.ready {
    let resolve!: () => void;
    let reject!: (error: Error) => void;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    promise.catch(() => undefined); // that nobody waits for it is no error
    return { promise, resolve, reject };
  }

  private set(state: State): void {
    this.current = state;
    this.changed(state);
  }
}
