import type { Hello } from "./protocol";
import { METHOD_NOT_FOUND, OTHER_PROTOCOL, PROTOCOL } from "./protocol";
import { Rpc, RpcError } from "./rpc";

/** A running program, as this module needs it. */
export interface Program {
  write(line: string): void;
  /** Asks it to end. */
  end(): void;
  onOutput(handler: (piece: Uint8Array) => void): void;
  onError(handler: (piece: Uint8Array) => void): void;
  /** Called once; `error` when it did not start at all. */
  onExit(handler: (code: number | null, error?: Error) => void): void;
}

/** Why there is no console, in words for a person: what is wrong, what to do. */
export class Unusable extends Error {
  /** @param again whether another try may help without anybody doing anything */
  constructor(
    message: string,
    readonly again: boolean,
  ) {
    super(message);
  }
}

const STDERR_CHARS = 2000;
/** Exit code of the program `pynvme` for words that it does not know. */
const WRONG_WORDS = 2;
const UPDATE = "Update pynvme, and run ./install.sh in its folder.";

export function missing(name: string): Unusable {
  return new Unusable(
    `The program ${name} was not found. Install pynvme: ./install.sh in its folder makes ` +
      `.venv/bin/pynvme. Or name the program in the setting pynvme.executable.`,
    false,
  );
}

function ended(code: number | null, error: Error | undefined, said: string, name: string): Error {
  if (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? missing(name)
      : new Unusable(`${name} does not start: ${error.message}`, false);
  }
  const last = said.trim().split("\n").pop() ?? "";
  if (code === WRONG_WORDS && said.includes("unknown command")) {
    return new Unusable(`${name} is too old: it has no command "console". ${UPDATE}`, false);
  }
  return new Unusable(`${name} ended (${code ?? "a signal"})${last ? `: ${last}` : ""}`, true);
}

function other(theirs: string): Unusable {
  return new Unusable(
    `The program pynvme speaks version ${theirs} of the console's protocol, ` +
      `this extension ${PROTOCOL}. Install both from the same pynvme: ./install.sh, make vscode.`,
    false,
  );
}

/** One run of the console program, from hello to its end. */
export class Connection {
  readonly rpc: Rpc;
  /** Resolves when the program ends; why. */
  readonly end: Promise<Error>;
  private said = "";

  constructor(
    private readonly program: Program,
    private readonly name: string,
    notified: (method: string, params: Record<string, unknown>) => void,
    log: (line: string) => void,
  ) {
    this.rpc = new Rpc(
      (line) => {
        program.write(line);
      },
      notified,
      (what) => {
        log(`ignored: ${what}`);
      },
    );
    program.onOutput((piece) => {
      this.rpc.receive(piece);
    });
    program.onError((piece) => {
      const text = Buffer.from(piece).toString();
      this.said = (this.said + text).slice(-STDERR_CHARS);
      log(text.trimEnd());
    });
    this.end = new Promise((resolve) => {
      program.onExit((code, error) => {
        const why = ended(code, error, this.said, this.name);
        this.rpc.close(why);
        resolve(why);
      });
    });
  }

  /** Throws Unusable when it is not a console that this client can use. */
  async hello(client: string): Promise<Hello> {
    let hello: Partial<Hello> | null;
    try {
      hello = (await this.rpc.request("hello", { client, protocol: PROTOCOL })) as Hello | null;
    } catch (error) {
      if (error instanceof RpcError && error.code === OTHER_PROTOCOL) throw other("another");
      if (error instanceof RpcError && error.code === METHOD_NOT_FOUND) throw other("none");
      throw error;
    }
    if (hello?.protocol !== PROTOCOL) throw other(String(hello?.protocol ?? "none"));
    return hello as Hello;
  }

  stop(): void {
    this.program.end();
  }
}
