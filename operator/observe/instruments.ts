import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What a metric is called and which labels it has. Each value is a series: never a uid or the text of an error, and an object's name only in a computed gauge, from which it disappears. */
export type Instrument = Readonly<{ name: string; help: string; by: readonly string[] }>

export function counter(registry: Registry, instrument: Instrument): Counter {
  return new Counter(optionsOf(registry, instrument))
}

export function gauge(registry: Registry, instrument: Instrument): Gauge {
  return new Gauge(optionsOf(registry, instrument))
}

export function histogram(registry: Registry, instrument: Instrument, buckets: readonly number[]): Histogram {
  return new Histogram({ ...optionsOf(registry, instrument), buckets: [...buckets] })
}

/** A gauge that is computed at each scrape. */
export function scrapedGauge(registry: Registry, instrument: Instrument, collect: (gauge: Gauge) => void): void {
  const computed: Gauge = new Gauge({ ...optionsOf(registry, instrument), collect: () => refresh(computed, collect) })
}

/** A counter of what is counted elsewhere, where it costs nothing. */
export function scrapedCounter(registry: Registry, instrument: Instrument, collect: (counter: Counter) => void): void {
  const computed: Counter = new Counter({ ...optionsOf(registry, instrument), collect: () => refresh(computed, collect) })
}

/** Label sets that no longer exist disappear. */
function refresh<T extends Counter | Gauge>(metric: T, collect: (metric: T) => void): void {
  metric.reset()
  collect(metric)
}

function optionsOf(registry: Registry, { name, help, by }: Instrument) {
  return { name, help, labelNames: [...by], registers: [registry] }
}
