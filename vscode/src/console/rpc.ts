import { Lines } from "./lines";

/** Of a command log with 4,096 entries, several times over. */
const LINE_LIMIT = 64 * 1024 * 1024;

/** An error that the other side answered. */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** What becomes of a request. Called before any line is looked at that follows the answer. */
export interface Waiting {
  resolve: (result: unknown) => void;
  reject: (reason: Error) => void;
}

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON-RPC 2.0, one object a line: requests of ours, notifications of theirs. */
export class Rpc {
  private readonly waiting = new Map<number, Waiting>();
  private readonly lines = new Lines(LINE_LIMIT, () => {
    this.odd("a line that is too long");
  });
  private id = 0;
  private closed: Error | undefined;

  /**
   * @param send writes one line, whose end is in it
   * @param notified called with method and params of each notification
   * @param odd called with a word on each line that is no message of the protocol; it is left out
   */
  constructor(
    private readonly send: (line: string) => void,
    private readonly notified: (method: string, params: Fields) => void,
    private readonly odd: (what: string) => void,
  ) {}

  /**
   * Sends a request. The answer's result, or RpcError; any other error means that the end came.
   * A promise goes on after the piece that has the answer, and so after notifications in that piece;
   * who must not miss those uses call().
   */
  request(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.call(method, params, { resolve, reject });
    });
  }

  /** The same, with calls instead of a promise. */
  call(method: string, params: object, waiting: Waiting): void {
    if (this.closed) {
      waiting.reject(this.closed);
      return;
    }
    const id = ++this.id;
    this.waiting.set(id, waiting);
    this.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
  }

  /** Takes a piece of what the other side wrote. */
  receive(piece: Uint8Array): void {
    for (const line of this.lines.push(piece)) {
      if (line.trim()) this.line(line);
    }
  }

  /** The other side is gone: no request will be answered any more. */
  close(why: Error): void {
    this.closed ??= why;
    for (const each of this.waiting.values()) each.reject(why);
    this.waiting.clear();
  }

  private line(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.odd("a line that is no JSON");
      return;
    }
    if (!isFields(message) || message["jsonrpc"] !== "2.0") {
      this.odd("a line that is no JSON-RPC 2.0");
    } else if (typeof message["method"] === "string" && !("id" in message)) {
      const params = message["params"];
      this.notified(message["method"], isFields(params) ? params : {});
    } else {
      this.answer(message);
    }
  }

  private answer(message: Fields): void {
    const id = message["id"];
    const waiting = typeof id === "number" ? this.waiting.get(id) : undefined;
    if (typeof id !== "number" || !waiting) {
      this.odd("an answer to no request");
      return;
    }
    this.waiting.delete(id);
    const error = message["error"];
    if (isFields(error)) {
      const code = typeof error["code"] === "number" ? error["code"] : 0;
      const text = typeof error["message"] === "string" ? error["message"] : "no reason given";
      waiting.reject(new RpcError(code, text));
    } else if ("result" in message) {
      waiting.resolve(message["result"]);
    } else {
      waiting.reject(new RpcError(0, "an answer without a result"));
    }
  }
}
