import uPlot from "uplot";
import type { Sample } from "../model/history";
import { clock, UNKNOWN } from "../model/format";

/** One line of a chart. */
export interface Column {
  name: string;
  of: (sample: Sample) => number | null;
  say: (value: number | null) => string;
  /** one of the theme's colours for charts */
  colour: "blue" | "orange" | "green" | "purple" | "red";
}

const HEIGHT_PX = 150;
const AXIS_PX = 78;
const LEAST_S = 60;
const FONT = "11px sans-serif";

function theme(name: string, otherwise: string): string {
  const value = getComputedStyle(document.body).getPropertyValue(`--vscode-${name}`).trim();
  return value || otherwise;
}

/** A chart with its title, the values of the last sample, and its lines over time. */
export class Chart {
  private readonly box = document.createElement("section");
  private readonly values: HTMLElement[] = [];
  private plot: uPlot | undefined;
  private samples: Sample[] = [];
  private seconds = 1;

  constructor(
    parent: HTMLElement,
    title: string,
    private readonly columns: readonly Column[],
  ) {
    const head = document.createElement("h2");
    head.append(title);
    for (const column of columns) {
      const value = document.createElement("span");
      value.className = `value ${column.colour}`;
      value.dataset["name"] = column.name;
      this.values.push(value);
      head.append(value);
    }
    this.box.append(head);
    this.box.dataset["chart"] = title;
    parent.append(this.box);
  }

  set(samples: Sample[], seconds: number): void {
    this.samples = samples;
    this.seconds = seconds;
    this.box.hidden = !samples.length;
    if (!samples.length) return;
    this.plot ??= this.make();
    this.plot.setData(this.data());
    const last = samples.at(-1);
    this.columns.forEach((column, index) => {
      const value = this.values[index];
      if (!value) return;
      const text = last ? column.say(column.of(last)) : UNKNOWN;
      value.textContent = this.columns.length > 1 ? `${column.name} ${text}` : text;
    });
  }

  fit(): void {
    if (!this.box.hidden) this.plot?.setSize({ width: this.width(), height: HEIGHT_PX });
  }

  /** In the colours of the theme as it is now. */
  restyle(): void {
    if (!this.plot) return;
    this.plot.destroy();
    this.plot = this.make();
    this.plot.setData(this.data());
  }

  private width(): number {
    return Math.max(this.box.clientWidth, 200);
  }

  private data(): uPlot.AlignedData {
    const times = this.samples.map((sample) => sample.time_s);
    return [times, ...this.columns.map((column) => this.samples.map(column.of))];
  }

  private make(): uPlot {
    const text = theme("foreground", "#888");
    const grid = { stroke: theme("editorWidget-border", "#8884"), width: 1 };
    const say = this.columns[0]?.say ?? String;
    const axis = { stroke: text, grid, ticks: grid, font: FONT };
    const options: uPlot.Options = {
      width: this.width(),
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { sync: { key: "pynvme" }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: () => this.span() },
        y: { range: (_, __, most) => [0, most > 0 ? most * 1.15 : 1] },
      },
      axes: [
        { ...axis, space: 80, values: (_, splits) => splits.map((s) => clock(s * 1000)) },
        {
          ...axis,
          size: AXIS_PX,
          space: 26,
          values: (_, splits) => splits.map((value) => say(value)),
        },
      ],
      series: [
        {},
        ...this.columns.map((column) => {
          const stroke = theme(`charts-${column.colour}`, text);
          return { label: column.name, stroke, width: 1.5, points: { show: false } };
        }),
      ],
    };
    return new uPlot(options, this.data(), this.box);
  }

  /** All samples, at first over a minute that is not full yet. */
  private span(): [number, number] {
    const end = this.samples.at(-1)?.time_s ?? Date.now() / 1000;
    const first = Math.min(this.samples.at(0)?.time_s ?? end, end - LEAST_S);
    return [Math.max(first, end - this.seconds), end];
  }
}
