/** What kind of series a family holds. */
export type FamilyType = 'counter' | 'gauge' | 'histogram';

/** The text format of Prometheus, version 0.0.4. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Writes series as text. With prom-client every counter would have to be set before each scrape and removed with its pod,
 * and a scrape takes about twice as long; here the labels of a series are written once, by {@link labelText}, and a scrape
 * puts numbers behind them.
 */
export class Exposition {
  #text = '';

  /** Begins a family; its samples follow. */
  family(name: string, type: FamilyType, help: string): void {
    this.#text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  }

  /** @param labels of {@link labelText}. */
  sample(name: string, labels: string, value: number): void {
    this.#text += labels === '' ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
  }

  toString(): string {
    return this.#text;
  }
}

/** `name="value",…`; labels without a value are left out, as Prometheus takes both for the same. */
export function labelText(labels: Readonly<Record<string, string | null>>): string {
  return Object.entries(labels)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}="${escaped(value!)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Six decimals are far below anything that is measured, and keep the text short. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Math.round(value * 1e6) / 1e6);
}
