import type { Series } from "./history";

/** What the panel sends to its page. The page sends one message, of any content, when it begins. */
export type ToPage =
  | { kind: "all"; seconds: number; series: Series[]; wanted: string | null }
  | { kind: "more"; seconds: number; series: Series[] };
