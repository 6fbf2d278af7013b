import * as vscode from "vscode";
import type { IoStat, Rates } from "../console/protocol";
import { iops } from "../model/format";
import { device } from "./device";
import type { Link } from "./link";
import { settings } from "./settings";

const INTERVAL_LEAST_MS = 1000;

/** Address and IOPS of the running test, or the device of the next one. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "pynvme.status",
    vscode.StatusBarAlignment.Left,
  );
  private unwatch: (() => void) | undefined;

  constructor(private readonly link: Link) {
    this.item.name = "pynvme";
    this.follow();
  }

  /** Watches again, as the settings say now. */
  follow(): void {
    this.unwatch?.();
    this.unwatch = undefined;
    const { statusBar, refresh_ms } = settings();
    if (!statusBar) {
      this.item.hide();
      return;
    }
    this.idle();
    this.item.show();
    const interval_ms = Math.max(refresh_ms, INTERVAL_LEAST_MS);
    this.unwatch = this.link.console.watch(
      { interval_ms, topics: ["iostat"] },
      (method, params) => {
        if (method === "iostat") this.update(params as unknown as IoStat);
      },
    );
  }

  dispose(): void {
    this.unwatch?.();
    this.item.dispose();
  }

  private update(stat: IoStat): void {
    const busiest = stat.sessions.reduce<Rates | undefined>(
      (best, each) => ((each.iops ?? 0) > (best?.iops ?? -1) ? each : best),
      undefined,
    );
    if (!busiest?.address) {
      this.idle();
      return;
    }
    const more = stat.sessions.length > 1 ? ` (+${stat.sessions.length - 1})` : "";
    this.item.text = `$(pulse) ${busiest.address}  ${iops(busiest.iops)}${more}`;
    this.item.tooltip = "pynvme: the running test. Click for its performance.";
    this.item.command = "pynvme.performance";
  }

  private idle(): void {
    this.item.text = `$(circle-outline) ${device()}`;
    this.item.tooltip = "pynvme: no test runs; the next one uses this device. Click to choose.";
    this.item.command = "pynvme.selectDevice";
  }
}
