/** The drives of `pynvme status --json`, and the software SSD, as a person chooses among them. */

export interface Drive {
  address: string;
  driver: string | null;
  model: string | null;
  serial: string | null;
  capacity_bytes: number | null;
  /** why it must be left alone; null: nothing uses it */
  used: string | null;
  /** a test can have it as it is */
  ready: boolean;
}

export interface Choice {
  label: string;
  description: string;
  detail: string;
  address: string;
}

export const SOFTWARE_SSD = "sim";

function text(value: unknown): string | null {
  return typeof value === "string" && value ? value : null;
}

/** Throws when it is not what this version of the program prints. */
export function parseDrives(json: string): Drive[] {
  let list: unknown;
  try {
    list = (JSON.parse(json) as { drives?: unknown }).drives;
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list)) throw new Error("pynvme status --json printed no list of drives");
  return list.map((item: Record<string, unknown>) => ({
    address: text(item["address"]) ?? "",
    driver: text(item["driver"]),
    model: text(item["model"]),
    serial: text(item["serial"]),
    capacity_bytes: typeof item["capacity_bytes"] === "number" ? item["capacity_bytes"] : null,
    used: text(item["used"]),
    ready: item["ready"] === true,
  }));
}

function stateOf(drive: Drive): string {
  if (drive.used) return `in use: ${drive.used}`;
  if (drive.ready) return "ready for tests";
  return drive.driver ? `the kernel's (${drive.driver}): set it up first` : "set it up first";
}

export function driveChoice(drive: Drive): Choice {
  return {
    label: drive.address,
    description: [drive.model, drive.serial].filter(Boolean).join(", "),
    detail: stateOf(drive),
    address: drive.address,
  };
}

export const softwareChoice: Choice = {
  label: "software SSD",
  description: SOFTWARE_SSD,
  detail: "a complete NVMe drive inside the test's process; no data can be lost",
  address: SOFTWARE_SSD,
};
