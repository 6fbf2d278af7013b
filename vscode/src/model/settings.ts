import { applyEdits, modify, parse } from "jsonc-parser";
import { withDevice } from "./pytestArgs";

export const PYTEST_ARGS = "python.testing.pytestArgs";

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === "string");
}

/**
 * The text of a settings.json with another device in pytest's arguments; the rest, comments too,
 * stays as it is. `inherited` are the arguments where the file has none: those of the user's settings.
 */
export function settingsWithDevice(
  text: string,
  inherited: readonly string[],
  address: string,
): string {
  const settings = parse(text.trim() || "{}", undefined, { allowTrailingComma: true }) as unknown;
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new Error("settings.json has no object in it");
  }
  const own = (settings as Record<string, unknown>)[PYTEST_ARGS];
  const args = withDevice(isWords(own) ? own : inherited, address);
  const edits = modify(text.trim() ? text : "{}\n", [PYTEST_ARGS], args, {
    formattingOptions: { insertSpaces: true, tabSize: 2, insertFinalNewline: true },
  });
  return applyEdits(text.trim() ? text : "{}\n", edits);
}
