import * as vscode from "vscode";
import { device, giveDriveBack, selectDevice, setUpDrive } from "./vs/device";
import { Link } from "./vs/link";
import { logCommands } from "./vs/logCommands";
import { Logs } from "./vs/logs";
import { newTestFile } from "./vs/newTest";
import { Performance } from "./vs/performance";
import { Status } from "./vs/status";
import { SessionsView } from "./vs/tree";
import type { Node } from "./model/nodes";
import { PYTEST_ARGS } from "./model/settings";

type Command = (argument?: unknown) => unknown;

/** What goes wrong in a command is said to who gave it. */
function said(command: Command): Command {
  return async (argument) => {
    try {
      return await command(argument);
    } catch (error) {
      void vscode.window.showErrorMessage(`pynvme: ${(error as Error).message}`);
      return undefined;
    }
  };
}

export function activate(context: vscode.ExtensionContext): void {
  const { version } = context.extension.packageJSON as { version: string };
  const link = new Link(version);
  const view = new SessionsView(link);
  const logs = new Logs(link);
  const performance = new Performance(link, vscode.Uri.joinPath(context.extensionUri, "dist"));
  const status = new Status(link);
  const commands: Record<string, Command> = {
    ...logCommands(link, logs),
    "pynvme.device": device,
    "pynvme.selectDevice": selectDevice,
    "pynvme.setUpDrive": setUpDrive,
    "pynvme.giveDriveBack": giveDriveBack,
    "pynvme.newTestFile": newTestFile,
    "pynvme.performance": (node) => {
      performance.open(node as Node | undefined);
    },
    "pynvme.restart": () => {
      link.restart();
    },
  };
  for (const [name, command] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(name, said(command)));
  }
  context.subscriptions.push(
    status,
    performance,
    performance.serializer(),
    logs,
    view,
    link,
    vscode.workspace.onDidChangeConfiguration((event) => {
      const program = ["pynvme.executable", "python.defaultInterpreterPath"];
      if (program.some((name) => event.affectsConfiguration(name))) link.restart();
      if (!event.affectsConfiguration("pynvme") && !event.affectsConfiguration(PYTEST_ARGS)) return;
      for (const each of [view, performance, status]) each.follow();
      logs.restart();
    }),
  );
}
