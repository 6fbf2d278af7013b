import * as vscode from "vscode";
import { fileName, TEMPLATE } from "../model/tests";

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

/** Makes a test file, in the folder "scripts" if there is one, and opens it. */
export async function newTestFile(): Promise<void> {
  const root = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!root) throw new Error("open a folder first: the file goes into it");
  const scripts = vscode.Uri.joinPath(root, "scripts");
  const folder = (await exists(scripts)) ? scripts : root;
  const name = await vscode.window.showInputBox({
    prompt: `Name of the new test file, in ${vscode.workspace.asRelativePath(folder)}`,
    value: "test_new.py",
    valueSelection: [5, 8],
    validateInput: async (text) => {
      if (!/\w/.test(text)) return "a name is needed";
      const file = vscode.Uri.joinPath(folder, fileName(text));
      return (await exists(file)) ? `${fileName(text)} is there already` : undefined;
    },
  });
  if (name === undefined) return;
  const uri = vscode.Uri.joinPath(folder, fileName(name));
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { overwrite: false });
  edit.insert(uri, new vscode.Position(0, 0), TEMPLATE);
  if (!(await vscode.workspace.applyEdit(edit))) throw new Error(`${uri.fsPath} was not made`);
  const document = await vscode.workspace.openTextDocument(uri);
  await document.save();
  await vscode.window.showTextDocument(document);
}
