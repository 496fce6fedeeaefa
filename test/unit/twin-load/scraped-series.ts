/** A series of an exposition. */
export interface ScrapedSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series in the text format of Prometheus. */
export function scrapedSeries(text: string): ScrapedSeries[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
      const pairs = Array.from(labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g), ([, key, text]) => [key, text]);
      return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
    });
}

/** Sum of the series of this name whose labels are these. */
export function sumOf(series: readonly ScrapedSeries[], name: string, labels: Record<string, string> = {}): number {
  return series
    .filter((one) => one.name === name)
    .filter((one) => Object.entries(labels).every(([label, value]) => (one.labels[label] ?? '') === value))
    .reduce((sum, { value }) => sum + value, 0);
}
