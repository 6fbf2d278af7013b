import * as os from "node:os";
import * as vscode from "vscode";
import {
  type Choice,
  type Drive,
  driveChoice,
  parseDrives,
  SOFTWARE_SSD,
  softwareChoice,
} from "../model/drives";
import { deviceOf } from "../model/pytestArgs";
import { PYTEST_ARGS, settingsWithDevice } from "../model/settings";
import { program, run } from "./program";
import { settings } from "./settings";

async function drives(): Promise<Drive[]> {
  return parseDrives(await run(["status", "--json"]));
}

function pytestArgs(): string[] {
  return vscode.workspace.getConfiguration().get<string[]>(PYTEST_ARGS) ?? [];
}

/** The device that the workspace's tests use. */
export function device(): string {
  return deviceOf(pytestArgs()) ?? SOFTWARE_SSD;
}

/** Through an editor's document, so that what is unsaved in it is not lost, nor written over. */
async function write(folder: vscode.WorkspaceFolder, address: string): Promise<void> {
  const uri = vscode.Uri.joinPath(folder.uri, ".vscode", "settings.json");
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true });
  await vscode.workspace.applyEdit(edit);
  const document = await vscode.workspace.openTextDocument(uri);
  const before = document.getText();
  const after = settingsWithDevice(before, pytestArgs(), address);
  const all = new vscode.Range(document.positionAt(0), document.positionAt(before.length));
  const change = new vscode.WorkspaceEdit();
  change.replace(uri, all, after);
  if (!(await vscode.workspace.applyEdit(change)) || !(await document.save())) {
    throw new Error(`${uri.fsPath} could not be written`);
  }
}

async function chooseFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const all = vscode.workspace.workspaceFolders ?? [];
  if (!all.length) throw new Error("open a folder first: the choice goes into its settings");
  return all.length === 1 ? all[0] : vscode.window.showWorkspaceFolderPick();
}

export async function selectDevice(): Promise<void> {
  const folder = await chooseFolder();
  if (!folder) return;
  const other: Choice = {
    label: "another address...",
    description: "",
    detail: "an NVMe/TCP target, or a software SSD with options, like sim:size=20G",
    address: "",
  };
  const choices = drives().then((found) => [softwareChoice, ...found.map(driveChoice), other]);
  const placeHolder = `Device under test (now ${device()}); the data of a drive is OVERWRITTEN`;
  const chosen = await vscode.window.showQuickPick(choices, { placeHolder, matchOnDetail: true });
  const address =
    chosen === undefined || chosen.address
      ? chosen?.address
      : await vscode.window.showInputBox({ prompt: "Address of the device", value: device() });
  if (!address) return;
  await write(folder, address);
  vscode.window.setStatusBarMessage(`pynvme: tests use ${address} now`, 5000);
}

async function changeDriver(word: "setup" | "reset", title: string): Promise<void> {
  const all = await drives();
  const fitting = all.filter((drive) => (word === "reset" ? drive.ready : !drive.ready));
  if (!fitting.length) {
    const why = all.length
      ? word === "setup"
        ? "every drive is set up already"
        : "no drive is set up"
      : "there is no NVMe drive; the software SSD needs no set-up";
    void vscode.window.showInformationMessage(`pynvme: ${why}.`);
    return;
  }
  const chosen = await vscode.window.showQuickPick(fitting.map(driveChoice), { title });
  if (!chosen) return;
  const own = [program(), word, chosen.address];
  const root = os.userInfo().uid === 0 || !settings().useSudo;
  const [command = "", ...args] = root ? own : ["sudo", ...own];
  const task = new vscode.Task(
    { type: "process" },
    vscode.TaskScope.Workspace,
    `${title}: ${chosen.address}`,
    "pynvme",
    new vscode.ProcessExecution(command, args),
    [],
  );
  // The terminal is where sudo asks, and where the program says what it did or refuses to do.
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, focus: true };
  await vscode.tasks.executeTask(task);
}

export function setUpDrive(): Promise<void> {
  return changeDriver("setup", "Set Up Drive");
}

export function giveDriveBack(): Promise<void> {
  return changeDriver("reset", "Give Drive Back");
}
