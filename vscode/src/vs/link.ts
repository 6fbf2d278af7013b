import * as vscode from "vscode";
import { Console, type State } from "../console/console";
import { spawned } from "../console/spawn";
import { program } from "./program";
import { folders } from "./settings";

/** From here on a program that ends again and again is worth a message. */
const WORTH_SAYING_MS = 4000;

/** The console as all views share it, with what VS Code shows of its state. */
export class Link implements vscode.Disposable {
  readonly console: Console;
  private readonly output = vscode.window.createOutputChannel("pynvme");
  private readonly states = new vscode.EventEmitter<State>();
  private said = "";
  readonly onState = this.states.event;

  constructor(version: string) {
    const means = {
      start: () => {
        const name = program();
        this.log(`starting ${name} console --stdio`);
        return { name, program: spawned(name, ["console", "--stdio"], folders()[0]) };
      },
      after: (ms: number, call: () => void) => {
        const timer = setTimeout(call, ms);
        return () => {
          clearTimeout(timer);
        };
      },
      log: (line: string) => {
        this.log(line);
      },
    };
    this.console = new Console(means, `vscode ${version}`, (state) => {
      this.changed(state);
    });
  }

  log(line: string): void {
    this.output.appendLine(`${new Date().toISOString()} ${line}`);
  }

  /** Starts anew; a message that was said before may be said again. */
  restart(): void {
    this.said = "";
    this.console.restart();
  }

  dispose(): void {
    this.console.dispose();
    this.states.dispose();
    this.output.dispose();
  }

  private changed(state: State): void {
    void vscode.commands.executeCommand("setContext", "pynvme.state", state.kind);
    this.states.fire(state);
    if (state.kind !== "failed" || this.said === state.why) return;
    if (state.again_ms !== null && state.again_ms < WORTH_SAYING_MS) return;
    this.said = state.why;
    void this.say(state.why);
  }

  private async say(why: string): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(`pynvme: ${why}`, "Settings", "Output");
    if (chosen === "Settings") {
      await vscode.commands.executeCommand("workbench.action.openSettings", "pynvme.executable");
    } else if (chosen === "Output") {
      this.output.show(true);
    }
  }
}
