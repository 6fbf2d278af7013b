import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import * as os from "node:os";
import * as vscode from "vscode";
import { Unusable, missing } from "../console/connection";
import { locate } from "../model/locate";
import { folders, settings } from "./settings";

const ANSWER_MS = 30_000;

/** The program pynvme that this workspace uses: a path, or a name for PATH. */
export function program(): string {
  const places = {
    setting: settings().executable,
    interpreter: vscode.workspace.getConfiguration("python").get("defaultInterpreterPath", ""),
    folders: folders(),
    home: os.homedir(),
  };
  return locate(places, existsSync);
}

/** Runs the program to its end; what it printed. Throws what it said when it failed. */
export function run(args: string[]): Promise<string> {
  const name = program();
  return new Promise((resolve, reject) => {
    execFile(
      name,
      args,
      { cwd: folders()[0], timeout: ANSWER_MS, encoding: "utf8" },
      (error, output, said) => {
        if (!error) resolve(output);
        else if (error.code === ("ENOENT" as unknown)) reject(missing(name));
        else reject(new Unusable(said.trim() || error.message, false));
      },
    );
  });
}
