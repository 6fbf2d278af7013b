import type { Sample, Series } from "../model/history";
import type { ToPage } from "../model/messages";
import { microseconds, scaled, UNKNOWN } from "../model/format";
import { Chart, type Column } from "./chart";

interface Kept {
  controller: string | null;
}

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
};

const api = acquireVsCodeApi();

function mbs(value: number | null): string {
  return value === null ? UNKNOWN : scaled(value * 1e6, "B/s");
}

function celsius(value: number | null): string {
  return value === null ? UNKNOWN : `${value.toFixed(value % 1 ? 1 : 0)} °C`;
}

function count(value: number | null): string {
  return scaled(value);
}

const CHARTS: { title: string; columns: Column[] }[] = [
  { title: "IOPS", columns: [{ name: "IOPS", of: (s) => s.iops, say: count, colour: "blue" }] },
  {
    title: "Throughput",
    columns: [
      { name: "read", of: (s) => s.read_MB_s, say: mbs, colour: "blue" },
      { name: "write", of: (s) => s.write_MB_s, say: mbs, colour: "orange" },
    ],
  },
  {
    title: "Latency",
    columns: [
      { name: "mean", of: (s) => s.mean_us, say: microseconds, colour: "green" },
      { name: "99 %", of: (s) => s.p99_us, say: microseconds, colour: "purple" },
    ],
  },
  {
    title: "Temperature",
    columns: [{ name: "composite", of: (s) => s.temperature_celsius, say: celsius, colour: "red" }],
  },
];

class Page {
  private readonly series = new Map<string, Series>();
  private readonly chooser = document.createElement("select");
  private readonly hint = document.createElement("p");
  private readonly charts: Chart[];
  private seconds = 300;
  private chosen: string | null;

  constructor(main: HTMLElement) {
    this.chosen = api.getState()?.controller ?? null;
    this.chooser.setAttribute("aria-label", "Controller");
    this.chooser.addEventListener("change", () => {
      this.choose(this.chooser.value);
    });
    this.hint.textContent = "No test runs. Start one: its drive shows here.";
    const header = document.createElement("header");
    header.append(this.chooser);
    main.append(header, this.hint);
    this.charts = CHARTS.map(({ title, columns }) => new Chart(main, title, columns));
    new ResizeObserver(() => {
      for (const chart of this.charts) chart.fit();
    }).observe(main);
    // VS Code changes the class of the body with the theme.
    new MutationObserver(() => {
      for (const chart of this.charts) chart.restyle();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  receive(message: ToPage): void {
    this.seconds = message.seconds;
    if (message.kind === "all") {
      this.series.clear();
      if (message.wanted !== null) this.choose(message.wanted);
    }
    for (const each of message.series) {
      const known = this.series.get(each.controller);
      if (known) known.samples.push(...each.samples);
      else this.series.set(each.controller, each);
    }
    this.forget();
    this.draw();
  }

  private choose(controller: string): void {
    this.chosen = controller;
    api.setState({ controller });
    this.draw();
  }

  private forget(): void {
    const ends = [...this.series.values()].map((each) => each.samples.at(-1)?.time_s ?? 0);
    const before = Math.max(...ends) - this.seconds;
    for (const [id, each] of this.series) {
      const keep = each.samples.findIndex((sample) => sample.time_s >= before);
      if (keep < 0) this.series.delete(id);
      else each.samples.splice(0, keep);
    }
  }

  /** The one that was chosen, or else the newest. */
  private current(): Series | undefined {
    const chosen = this.chosen === null ? undefined : this.series.get(this.chosen);
    return chosen ?? [...this.series.values()].at(-1);
  }

  private draw(): void {
    const current = this.current();
    this.list(current);
    this.hint.hidden = current !== undefined;
    const samples: Sample[] = current?.samples ?? [];
    for (const chart of this.charts) chart.set(samples, this.seconds);
  }

  private list(current: Series | undefined): void {
    const ids = [...this.series.keys()].join("\n");
    this.chooser.hidden = !this.series.size;
    if (this.chooser.dataset["ids"] !== ids) {
      this.chooser.dataset["ids"] = ids;
      this.chooser.replaceChildren(
        ...[...this.series.values()].map((each) => {
          const pid = /-(\d+)-/.exec(each.session)?.[1];
          return new Option(pid ? `${each.address}  (pid ${pid})` : each.address, each.controller);
        }),
      );
    }
    if (current) this.chooser.value = current.controller;
  }
}

const main = document.querySelector("main");
if (main) {
  const page = new Page(main);
  window.addEventListener("message", (event: MessageEvent<ToPage>) => {
    page.receive(event.data);
  });
  api.postMessage({ kind: "begun" });
}
