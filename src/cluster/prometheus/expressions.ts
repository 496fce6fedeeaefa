/** A label and what it must be, or (a list) one of what, or (`not`) none of what. */
export type LabelFilter = Readonly<Record<string, LabelCondition>>;
export type LabelCondition = string | readonly string[] | { readonly not: readonly string[] };

/** `name{label="value",…}`, with every value taken literally. */
export function selector(name: string, filter: LabelFilter): string {
  const matchers = Object.entries(filter).map(([label, condition]) => label + matcherOf(condition));
  return `${name}{${matchers.join(',')}}`;
}

function matcherOf(condition: LabelCondition): string {
  if (typeof condition === 'string') return `="${quoted(condition)}"`;
  if ('not' in condition) return `!~"${anyOf(condition.not)}"`;
  return `=~"${anyOf(condition)}"`;
}

function anyOf(values: readonly string[]): string {
  return quoted(values.map(literal).join('|'));
}

/** The rate of a counter per second over a window, summed by labels. Prometheus sees to counters that were reset. */
export function summedRate(metric: string, windowSeconds: number, by: readonly string[]): string {
  return `sum by (${by.join(', ')}) (rate(${metric}[${duration(windowSeconds)}]))`;
}

/**
 * The rate of a counter per second, summed by labels, over the first of several windows in which a series has two samples:
 * the shortest one that the scrape interval allows, without knowing it.
 */
export function sharpestRate(metric: string, windowsSeconds: readonly number[], by: readonly string[]): string {
  const rates = windowsSeconds.map((seconds) => `rate(${metric}[${duration(seconds)}])`);
  return `sum by (${by.join(', ')}) (${rates.join(' or ')})`;
}

/**
 * A gauge by labels, of series with a sample within a window. Prometheus alone would go on for five minutes with the last
 * sample before it was down; a series that ended (its pod is gone) ends here at once.
 */
export function recentGauge(
  operator: 'sum' | 'max',
  metric: string,
  windowSeconds: number,
  by: readonly string[],
): string {
  return `${operator} by (${by.join(', ')}) (${metric} and last_over_time(${metric}[${duration(windowSeconds)}]))`;
}

/** A quantile of a classic histogram's observations within a window, by labels. */
export function quantileOf(quantile: number, buckets: string, windowSeconds: number, by: readonly string[]): string {
  return `histogram_quantile(${quantile}, ${summedRate(buckets, windowSeconds, ['le', ...by])})`;
}

/** Prometheus knows no fractions in durations. */
function duration(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(1000 * seconds)}ms`;
}

function quoted(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

/** A text as a regular expression that matches only it. */
function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
