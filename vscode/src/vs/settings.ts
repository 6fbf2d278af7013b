import * as vscode from "vscode";

/** The settings that package.json contributes, as they are now. */
export function settings(): {
  executable: string;
  refresh_ms: number;
  entries: number;
  history_s: number;
  statusBar: boolean;
  useSudo: boolean;
} {
  const all = vscode.workspace.getConfiguration("pynvme");
  return {
    executable: all.get("executable", ""),
    refresh_ms: all.get("refreshInterval", 1000),
    entries: all.get("commandLog.entries", 100),
    history_s: all.get("performance.history", 300),
    statusBar: all.get("statusBar", true),
    useSudo: all.get("useSudo", true),
  };
}

export function folders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
}
