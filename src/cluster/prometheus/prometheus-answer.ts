import { CoxswainError } from '../../contracts/errors.ts';

/** One series of an answer. */
export interface Series {
  /** Its labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  /** One a time; may be NaN or ±∞, as the series were. */
  readonly values: readonly number[];
}

/** An answer to a query. */
export interface QueryAnswer {
  readonly series: readonly Series[];
  /** What the server warns of: partial answers, counters that are none. */
  readonly warnings: readonly string[];
}

/**
 * The series in the body of `/api/v1/query` or `/api/v1/query_range`. A scalar is one series without labels.
 * @param query for messages.
 * @throws CoxswainError OBSERVATION_REFUSED with the server's own error, or when the body is no such answer.
 */
export function parseAnswer(body: unknown, query: string): QueryAnswer {
  const { status, data, error, errorType, warnings } = recordOf(body, query);
  if (status === 'error') throw refused(query, `${String(errorType)}: ${String(error)}`);
  if (status !== 'success') throw refused(query, `its answer has status ${JSON.stringify(status)}`);
  const { resultType, result } = recordOf(data, query);
  if (!Array.isArray(result)) throw refused(query, 'its answer has no result');
  return { series: seriesOf(String(resultType), result, query), warnings: textsOf(warnings) };
}

function seriesOf(resultType: string, result: readonly unknown[], query: string): Series[] {
  switch (resultType) {
    case 'matrix':
      return result.map((entry) => fromEntry(entry, 'values', query));
    case 'vector':
      return result.map((entry) => fromEntry(entry, 'value', query));
    case 'scalar':
      return [seriesFrom({}, [result], query)];
    default:
      throw refused(query, `its answer is a ${resultType}, not numbers`);
  }
}

function fromEntry(entry: unknown, key: 'value' | 'values', query: string): Series {
  const { metric, ...others } = recordOf(entry, query);
  if ('histogram' in others || 'histograms' in others) {
    throw refused(query, 'the series are native histograms; ask for histogram_quantile, _sum or _count of them');
  }
  const samples = key === 'value' ? [others.value] : others.values;
  if (!Array.isArray(samples)) throw refused(query, `a series has no ${key}`);
  return seriesFrom(labelsOf(metric, query), samples, query);
}

function seriesFrom(labels: Series['labels'], samples: readonly unknown[], query: string): Series {
  const times: number[] = [];
  const values: number[] = [];
  for (const sample of samples) {
    const [time, text] = Array.isArray(sample) ? (sample as unknown[]) : [];
    if (typeof time !== 'number' || typeof text !== 'string')
      throw refused(query, 'a sample is no pair of time and text');
    times.push(time);
    values.push(numberOf(text, query));
  }
  return { labels, times, values };
}

function numberOf(text: string, query: string): number {
  if (text === 'NaN') return NaN;
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value)) throw refused(query, `a sample is ${JSON.stringify(text)}, which is no number`);
  return value;
}

function labelsOf(metric: unknown, query: string): Readonly<Record<string, string>> {
  const labels = recordOf(metric ?? {}, query);
  if (Object.values(labels).some((value) => typeof value !== 'string')) throw refused(query, 'a label is no text');
  return labels as Record<string, string>;
}

function recordOf(value: unknown, query: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refused(query, 'its answer is not that of a Prometheus API');
}

function textsOf(values: unknown): string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
}

function refused(query: string, why: string): CoxswainError {
  return new CoxswainError('OBSERVATION_REFUSED', `Prometheus cannot answer ${query}: ${why}.`);
}
