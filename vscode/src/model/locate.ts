import * as path from "node:path";

export interface Places {
  /** the setting pynvme.executable */
  setting: string;
  /** the setting python.defaultInterpreterPath */
  interpreter: string;
  folders: readonly string[];
  home: string;
}

const NAME = "pynvme";

function expanded(text: string, places: Places): string {
  const folder = places.folders[0] ?? "";
  return text
    .trim()
    .replaceAll("${workspaceFolder}", folder)
    .replace(/^~(?=\/|$)/, places.home);
}

/** The program to start, as a path, or a name for PATH. `exists` says whether a file is there. */
export function locate(places: Places, exists: (file: string) => boolean): string {
  const set = expanded(places.setting, places);
  if (set)
    return set.includes("/") && !path.isAbsolute(set)
      ? path.join(places.folders[0] ?? "", set)
      : set;
  const found = places.folders.map((folder) => path.join(folder, ".venv", "bin", NAME));
  const interpreter = expanded(places.interpreter, places);
  if (path.isAbsolute(interpreter)) found.push(path.join(path.dirname(interpreter), NAME));
  return found.find(exists) ?? NAME;
}
