import { EXPORTED_BOUNDS, type LatencyHistogram } from './latency.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it is another than that of its family, as in histograms. */
  readonly metricName?: string;
}

/** One metric with all its series, read anew at every scrape; what prom-client's registry takes. */
export interface Family {
  readonly name: string;
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: 'counter' | 'gauge' | 'histogram';
    readonly values: readonly Sample[];
    readonly aggregator: 'sum';
  }>;
}

export function family(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  samples: () => readonly Sample[],
): Family {
  return { name, get: async () => ({ name, help, type, values: samples(), aggregator: 'sum' }) };
}

/** The series of one histogram. */
export function histogramSamples(
  name: string,
  labels: Readonly<Record<string, string>>,
  histogram: LatencyHistogram,
): Sample[] {
  const cumulative = histogram.cumulative();
  const buckets = EXPORTED_BOUNDS.map((bound, index) => bucket(name, labels, bound, cumulative[index] ?? 0));
  return [
    ...buckets,
    bucket(name, labels, '+Inf', histogram.count),
    { labels, metricName: `${name}_sum`, value: histogram.sum },
    { labels, metricName: `${name}_count`, value: histogram.count },
  ];
}

function bucket(name: string, labels: Readonly<Record<string, string>>, le: number | '+Inf', value: number): Sample {
  return { labels: { ...labels, le }, metricName: `${name}_bucket`, value };
}
