import type { IoStat } from "../console/protocol";

/** One moment of one controller, as the charts show it. What is not known is null: a gap. */
export interface Sample {
  /** seconds of Unix time */
  time_s: number;
  iops: number | null;
  read_MB_s: number | null;
  write_MB_s: number | null;
  mean_us: number | null;
  p99_us: number | null;
  temperature_celsius: number | null;
}

export interface Series {
  controller: string;
  session: string;
  address: string;
  samples: Sample[];
}

const MB = 1e6;

function megabytes(rate: number | null): number | null {
  return rate === null ? null : rate / MB;
}

/** The last seconds of every controller that was seen in them. */
export class History {
  private readonly all = new Map<string, Series>();

  constructor(public seconds: number) {}

  /** Takes a sample; returns what is new. */
  add(stat: IoStat): Series[] {
    const time_s = stat.time_ms / 1000;
    const fresh: Series[] = [];
    for (const each of stat.controllers) {
      const series = this.all.get(each.id) ?? {
        controller: each.id,
        session: each.session,
        address: each.address ?? "",
        samples: [],
      };
      this.all.set(each.id, series);
      const sample: Sample = {
        time_s,
        iops: each.iops,
        read_MB_s: megabytes(each.read_bytes_per_s),
        write_MB_s: megabytes(each.written_bytes_per_s),
        mean_us: each.latency?.mean_us ?? null,
        p99_us: each.latency?.p99_us ?? null,
        temperature_celsius: each.temperature_celsius,
      };
      series.samples.push(sample);
      fresh.push({ ...series, samples: [sample] });
    }
    this.forget(time_s - this.seconds);
    return fresh;
  }

  list(): Series[] {
    return [...this.all.values()];
  }

  private forget(before_s: number): void {
    for (const [id, series] of this.all) {
      const keep = series.samples.findIndex((sample) => sample.time_s >= before_s);
      if (keep < 0) this.all.delete(id);
      else series.samples.splice(0, keep);
    }
  }
}
