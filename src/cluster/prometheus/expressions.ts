/** A label and what it must be, or (a list) one of what. */
export type LabelFilter = Readonly<Record<string, string | readonly string[]>>;

/** `name{label="value",…}`, with every value taken literally. */
export function selector(name: string, filter: LabelFilter): string {
  const matchers = Object.entries(filter).map(([label, value]) =>
    typeof value === 'string' ? `${label}="${quoted(value)}"` : `${label}=~"${quoted(value.map(literal).join('|'))}"`,
  );
  return `${name}{${matchers.join(',')}}`;
}

/** The rate of a counter per second over a window, summed by labels. Prometheus sees to counters that were reset. */
export function summedRate(metric: string, windowSeconds: number, by: readonly string[]): string {
  return `sum by (${by.join(', ')}) (rate(${metric}[${windowSeconds}s]))`;
}

/** A quantile of a classic histogram's observations within a window, by labels. */
export function quantileOf(quantile: number, buckets: string, windowSeconds: number, by: readonly string[]): string {
  return `histogram_quantile(${quantile}, ${summedRate(buckets, windowSeconds, ['le', ...by])})`;
}

function quoted(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

/** A text as a regular expression that matches only it. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
