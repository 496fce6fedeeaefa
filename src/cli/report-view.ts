import { errorTable, isErrorCode } from '../contracts/errors.ts';
import type { RunReport } from '../contracts/runs.ts';
import { comparisonTable, differenceLines } from './comparison-table.ts';
import { formatCount, formatDuration, formatFixed } from './quantities.ts';
import { createPaint, plainText, wrap } from './terminal-text.ts';
import type { Paint } from './terminal-text.ts';

export { renderReportJson } from './report-summary.ts';

/** Where the person who reads the report can look next; what is absent is left out. */
export interface ReportAddresses {
  readonly temporalUiUrl?: string | null;
  readonly apiUrl?: string | null;
}

/** How the report is written. */
export interface ReportViewOptions {
  readonly addresses?: ReportAddresses;
  /** ANSI colours. Default false. */
  readonly color?: boolean;
  /** Columns. Default 80, which is also the least: the table needs them. */
  readonly width?: number;
  /** Confidence of the intervals, from the run's spec. Default 0.95. */
  readonly confidence?: number;
}

/**
 * The end of a run for people: what was compared, the table of measures with their intervals, the gate's verdict in
 * plain words (also when the policy does not beat the HPA), what was registered, what had to be repaired or moved, and
 * where to look next. No final newline.
 */
export function renderReport(report: RunReport, options: ReportViewOptions = {}): string {
  const paint = createPaint(options.color ?? false);
  const width = Math.max(options.width ?? 80, 80);
  const sections = [
    [headline(report, paint)],
    failureSection(report, paint, width),
    comparisonSection(report, width, paint),
    report.results.length === 0 ? [] : comparisonTable(report.results, options.confidence ?? 0.95, paint),
    differenceLines(report.results, width),
    verdictSection(report, paint, width),
    section('Twin', twinLines(report), width, paint),
    section('Model', modelLines(report), width, paint),
    section('What happened on the way', happenedLines(report), width, paint),
    section('Warnings', warningLines(report), width, paint),
    lookSection(report.runId, options.addresses ?? {}, paint),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headline(report: RunReport, paint: Paint): string {
  const tone = report.status === 'completed' ? 'good' : report.status === 'cancelled' ? 'warning' : 'bad';
  return `Run ${paint('strong', report.runId)} ${paint(tone, report.status)} after ${formatDuration(report.seconds)}`;
}

function failureSection(report: RunReport, paint: Paint, width: number): string[] {
  if (report.failure === null) return [];
  const { code, message, step } = report.failure;
  const help = isErrorCode(code) && report.status === 'failed' ? wrap(errorTable[code].help, width, '  ') : [];
  return [
    paint('strong', report.status === 'cancelled' ? `Stopped in step ${step}` : `Failed in step ${step}`),
    ...wrap(`${code}: ${plainText(message)}`, width, '  '),
    ...help,
  ];
}

function comparisonSection(report: RunReport, width: number, paint: Paint): string[] {
  if (report.results.length === 0) return [];
  const { evaluation, training } = report;
  if (evaluation === null) return [paint('strong', 'Held-out traffic')];
  const seeds = training.length === 1 ? 'one training seed' : `${training.length} training seeds`;
  const lines = [
    `policy: what was learned, over ${seeds}; seed ${evaluation.chosenSeed} goes forward, chosen on the validation part.`,
    `HPA: the Kubernetes autoscaler at ${evaluation.hpaTargetPercent} % CPU, the best of its targets on the validation part.`,
    `fixed: ${replicasText(evaluation.fixedReplicas)}, the fewest that meet the SLO on the validation part.`,
    'All three on the same held-out traffic, which neither training nor these choices have seen.',
  ];
  return section('What was compared', lines, width, paint);
}

function replicasText(replicas: readonly number[]): string {
  const total = replicas.reduce((sum, count) => sum + count, 0);
  return `${formatCount(total)} replicas that never change (${replicas.join(', ')} per service)`;
}

function verdictSection(report: RunReport, paint: Paint, width: number): string[] {
  if (report.gate === null) return [];
  const { passed, reasons } = report.gate;
  const verdict = passed
    ? "The gate is passed: the policy beats the calibrated HPA by the run's rule."
    : "The gate is not passed: the policy does not beat the calibrated HPA by the run's rule.";
  const lines = wrap(verdict, width).map((line) => paint(passed ? 'good' : 'warning', line));
  return [...lines, ...reasons.flatMap((reason) => bullet(reason, width))];
}

function modelLines(report: RunReport): string[] {
  if (report.model === null) return [];
  const { name, version, alias } = report.model;
  const moved = alias === null ? 'no alias was moved, since the gate is not passed' : `alias ${alias} now points to it`;
  return [`${name} version ${version} is registered; ${moved}.`];
}

/** How near the simulator was to the cluster: what training in it can be worth. */
function twinLines({ twin }: RunReport): string[] {
  // Reports of earlier versions have none.
  if (!twin) return [];
  const { services, serviceCount, p95Error, maxError, notes } = twin;
  const mean = (errors: readonly (number | null)[]): string => {
    const known = errors.filter((error) => error !== null);
    if (known.length === 0) return 'not known';
    return `${percent(known.reduce((sum, error) => sum + error, 0) / known.length)} (at most ${percent(Math.max(...known))})`;
  };
  const worst = services
    .flatMap(({ service, cpuError, callsError, latencyError }) => ({
      service,
      error: Math.max(cpuError ?? 0, callsError ?? 0, latencyError ?? 0),
    }))
    .sort((a, b) => b.error - a.error)
    .slice(0, 3)
    .map(({ service, error }) => `${plainText(service)} ${percent(error)}`);
  return [
    `${serviceCount} services, fitted to the recording and judged on the part of it that they were not fitted on.`,
    `Errors: CPU ${mean(services.map(({ cpuError }) => cpuError))}, calls ${mean(services.map(({ callsError }) => callsError))}, own latency ${mean(services.map(({ latencyError }) => latencyError))}; allowed ${percent(maxError)}.`,
    ...(p95Error === null ? [] : [`The users' 95th percentile is off by ${percent(p95Error)}.`]),
    `Furthest off: ${worst.join(', ')}.`,
    ...notes.map(plainText),
  ];
}

function percent(share: number): string {
  return `${formatFixed(100 * share, 0)} %`;
}

function happenedLines(report: RunReport): string[] {
  return [recordingLine(report), ...trainingLines(report), trackingLine(report)].filter((line) => line !== null);
}

function recordingLine({ recording }: RunReport): string | null {
  if (recording === null) return null;
  const { interpolatedBins, summedDuplicates } = recording.repairs;
  const repaired = [
    interpolatedBins === 0 ? '' : `${formatCount(interpolatedBins)} missing bins interpolated`,
    summedDuplicates === 0 ? '' : `${formatCount(summedDuplicates)} repeated rows added up`,
  ].filter((part) => part !== '');
  const days = formatDuration(recording.bins * recording.binSeconds);
  const rates = `mean ${formatFixed(recording.meanRequestsPerSecond, 1)}, peak ${formatFixed(recording.peakRequestsPerSecond, 1)} requests/s`;
  return `Recording: ${days} of traffic, ${rates}; ${repaired.length === 0 ? 'nothing had to be repaired' : `repaired: ${repaired.join(', ')}`}.`;
}

function trainingLines({ placement, training }: RunReport): string[] {
  const steps = training.reduce((sum, seed) => sum + seed.steps, 0);
  const episodes = training.reduce((sum, seed) => sum + seed.episodes, 0);
  const trained = `Training: ${formatCount(steps)} steps, ${formatCount(episodes)} episodes over ${training.length} ${training.length === 1 ? 'seed' : 'seeds'}.`;
  return [
    ...(training.length === 0 ? [] : [trained]),
    ...(placement === null ? [] : [`Placement: ${plainText(placement.reason)}`]),
  ];
}

function trackingLine({ tracking }: RunReport): string | null {
  if (tracking === null || tracking.mode === 'off') return null;
  const where = tracking.url === null ? `W&B (${tracking.mode})` : `W&B: ${plainText(tracking.url)}`;
  return `${where}, ${formatCount(tracking.sentPoints)} points sent.`;
}

function warningLines(report: RunReport): string[] {
  const unsent = report.tracking?.unsentPoints ?? 0;
  return [
    ...report.training.flatMap((seed) => seed.warnings.map((warning) => `seed ${seed.seed}: ${plainText(warning)}`)),
    ...(report.tracking?.warnings ?? []).map((warning) => `tracking: ${plainText(warning)}`),
    ...(unsent === 0
      ? []
      : [`tracking: ${formatCount(unsent)} points did not reach W&B; MongoDB has every one of them.`]),
  ];
}

function lookSection(runId: string, addresses: ReportAddresses, paint: Paint): string[] {
  const { temporalUiUrl, apiUrl } = addresses;
  const lines = [
    temporalUiUrl ? `  Temporal Web UI  ${temporalUiUrl.replace(/\/$/, '')}/namespaces/default/workflows/${runId}` : '',
    apiUrl ? `  API              ${apiUrl.replace(/\/$/, '')}/api/v1/runs/${runId}` : '',
    apiUrl ? `  API reference    ${apiUrl.replace(/\/$/, '')}/docs` : '',
  ].filter((line) => line !== '');
  return lines.length === 0 ? [] : [paint('strong', 'Where to look next'), ...lines];
}

function section(title: string, lines: readonly string[], width: number, paint: Paint): string[] {
  if (lines.length === 0) return [];
  return [paint('strong', title), ...lines.flatMap((line) => bullet(line, width))];
}

function bullet(text: string, width: number): string[] {
  return wrap(plainText(text), width - 2, '    ').map((line, index) =>
    index === 0 ? `  - ${line.trimStart()}` : line,
  );
}
