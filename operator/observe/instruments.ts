import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What a metric is called and which labels it has. Never an object's name, a uid or the text of an error: each value is a series. */
export type Instrument = Readonly<{ name: string; help: string; by: readonly string[] }>

export function counter(registry: Registry, { name, help, by }: Instrument): Counter {
  return new Counter({ name, help, labelNames: [...by], registers: [registry] })
}

export function gauge(registry: Registry, { name, help, by }: Instrument): Gauge {
  return new Gauge({ name, help, labelNames: [...by], registers: [registry] })
}

export function histogram(registry: Registry, { name, help, by }: Instrument, buckets: readonly number[]): Histogram {
  return new Histogram({ name, help, labelNames: [...by], buckets: [...buckets], registers: [registry] })
}

/** A gauge that is computed at each scrape. */
export function scraped(registry: Registry, { name, help, by }: Instrument, collect: (gauge: Gauge) => void): void {
  const computed: Gauge = new Gauge({
    name,
    help,
    labelNames: [...by],
    registers: [registry],
    collect: () => {
      computed.reset() // label sets that no longer exist disappear
      collect(computed)
    },
  })
}
