import { spawn } from "node:child_process";
import type { Program } from "./connection";

/** Starts a program whose standard streams are ours. It ends when its input does. */
export function spawned(command: string, args: string[], folder: string | undefined): Program {
  const child = spawn(command, args, { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
  // A program that is gone says so by its exit; what is still written to it is lost.
  child.stdin.on("error", () => undefined);
  return {
    write: (line) => {
      if (child.stdin.writable) child.stdin.write(line);
    },
    end: () => {
      child.stdin.end();
      child.kill("SIGTERM");
    },
    onOutput: (handler) => child.stdout.on("data", handler),
    onError: (handler) => child.stderr.on("data", handler),
    onExit: (handler) => {
      let told = false;
      const tell = (code: number | null, error?: Error): void => {
        if (told) return;
        told = true;
        handler(code, error);
      };
      child.on("error", (error) => {
        tell(null, error);
      });
      // "close" comes after all output: what it said at its end is known then.
      child.on("close", (code) => {
        tell(code);
      });
    },
  };
}
