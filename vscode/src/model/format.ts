/** Numbers as a person reads them. Null, which is "not known", is a dash. */

export const UNKNOWN = "–";
const BAR_CELLS = 8;

/** Three digits and a prefix of thousands: 921600 is "922 k". */
export function scaled(value: number | null, unit = ""): string {
  if (value === null || !Number.isFinite(value)) return UNKNOWN;
  let rest = value;
  let prefix = "";
  for (const next of ["k", "M", "G", "T", "P"]) {
    if (Math.abs(rest) < 999.5) break;
    rest /= 1000;
    prefix = next;
  }
  const digits =
    prefix === "" ? (rest < 10 && rest % 1 ? 1 : 0) : rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0;
  return `${rest.toFixed(digits)} ${prefix}${unit}`.trim();
}

export function iops(value: number | null): string {
  return scaled(value, "IOPS");
}

export function bytes(value: number | null): string {
  return scaled(value, "B");
}

/** All digits, in groups of three. */
export function whole(value: number | null): string {
  if (value === null) return UNKNOWN;
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

export function microseconds(us: number | null): string {
  if (us === null) return UNKNOWN;
  if (us < 999.5) return `${us.toFixed(us < 99.95 ? 1 : 0)} us`;
  if (us >= 999_500) return `${(us / 1_000_000).toFixed(2)} s`;
  return `${(us / 1000).toFixed(us < 9995 ? 2 : us < 99_950 ? 1 : 0)} ms`;
}

/** Local time of the day, to the microsecond as far as the number has it. */
export function clock(ms: number | null, decimals: 0 | 3 | 6 = 0): string {
  if (ms === null) return UNKNOWN;
  const date = new Date(ms);
  const two = (value: number): string => value.toString().padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  if (!decimals) return time;
  const us = Math.floor((((ms % 1000) + 1000) % 1000) * 1000);
  return `${time}.${us.toString().padStart(6, "0").slice(0, decimals)}`;
}

/** "3 min 20 s", in at most two units. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** A bar of eight cells; what is not 0 is seen, and what is not full is not shown as full. */
export function bar(part: number, all: number): string {
  const share = all > 0 ? Math.min(Math.max(part / all, 0), 1) : 0;
  const most = share < 1 ? BAR_CELLS - 1 : BAR_CELLS;
  const cells = Math.min(Math.max(Math.round(share * BAR_CELLS), share > 0 ? 1 : 0), most);
  return "▰".repeat(cells).padEnd(BAR_CELLS, "▱");
}
