import type { ControllerResult, Estimate } from '../contracts/runs.ts';
import { decimalsFor, formatFixed, formatRelative } from './quantities.ts';
import { wrap } from './terminal-text.ts';
import type { Paint } from './terminal-text.ts';

/** One measure of the table: its unit, and what the numbers are multiplied by to get it. */
interface Measure {
  readonly key: 'p95LatencySeconds' | 'sloViolationRate' | 'podSeconds' | 'actionsPerMinute';
  readonly label: string;
  readonly name: string;
  readonly scale: number;
}

const measures: readonly Measure[] = [
  { key: 'p95LatencySeconds', label: 'p95 latency, ms', name: 'p95 latency', scale: 1000 },
  { key: 'sloViolationRate', label: 'SLO violations, %', name: 'SLO violations', scale: 100 },
  { key: 'podSeconds', label: 'pod-seconds', name: 'pod-seconds', scale: 1 },
  { key: 'actionsPerMinute', label: 'actions a minute', name: 'actions a minute', scale: 1 },
];

const labelWidth = 19;
const columnWidth = 20;

/** A row a measure and a column a controller, with the interval under each mean; 80 columns wide with three controllers. */
export function comparisonTable(results: readonly ControllerResult[], confidence: number, paint: Paint): string[] {
  const head = cells(
    '',
    results.map((result) => controllerName(result.controller)),
  );
  const level = `${Number((confidence * 100).toFixed(1))} % interval`;
  const rows = measures.flatMap((measure) => {
    const shown = results.map((result) => estimateText(result[measure.key], measure.scale));
    return [
      cells(
        measure.label,
        shown.map((text) => text.mean),
      ),
      paint(
        'faint',
        cells(
          `  ${level}`,
          shown.map((text) => text.interval),
        ),
      ),
    ];
  });
  return [paint('strong', head), ...rows];
}

function cells(label: string, values: readonly string[]): string {
  return `  ${label.padEnd(labelWidth)}${values.map((value) => value.padStart(columnWidth - 1)).join('')}`.trimEnd();
}

function estimateText(estimate: Estimate, scale: number): { mean: string; interval: string } {
  const [mean, low, high] = [estimate.mean * scale, estimate.low * scale, estimate.high * scale];
  const digits = decimalsFor(mean, 3);
  return { mean: formatFixed(mean, digits), interval: `${formatFixed(low, digits)} … ${formatFixed(high, digits)}` };
}

function controllerName(controller: string): string {
  return controller === 'hpa-calibrated' ? 'HPA, calibrated' : controller;
}

/** What the policy does differently from each baseline: means against means, a sentence a baseline. */
export function differenceLines(results: readonly ControllerResult[], width: number): string[] {
  const policy = results.find((result) => result.controller === 'policy');
  if (policy === undefined) return [];
  return results
    .filter((result) => result !== policy)
    .flatMap((other) => {
      const parts = measures.map((measure) => `${measure.name} ${differenceText(policy, other, measure)}`);
      return wrap(`policy against ${controllerName(other.controller)}: ${parts.join('; ')}`, width, '  ');
    });
}

// The share of violations in percentage points: next to a baseline with hardly any, a ratio says nothing.
function differenceText(policy: ControllerResult, other: ControllerResult, measure: Measure): string {
  const [ours, theirs] = [policy[measure.key].mean, other[measure.key].mean];
  if (measure.key === 'sloViolationRate') return `${signed((ours - theirs) * measure.scale)} percentage points`;
  if (theirs === 0) return signed(ours * measure.scale);
  return formatRelative((ours - theirs) / theirs).replace(/ %$/, '\u00A0%');
}

function signed(value: number): string {
  const text = formatFixed(value, decimalsFor(value, 2));
  return value > 0 ? `+${text}` : text;
}
