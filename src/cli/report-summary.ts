import type { ControllerResult, Estimate, RunReport } from '../contracts/runs.ts';

/** The report in one line of JSON: for scripts. `failure` is there only when the run did not complete. */
export interface ReportSummary {
  readonly runId: string;
  readonly status: RunReport['status'];
  readonly seconds: number;
  readonly model: { readonly name: string; readonly version: number } | null;
  readonly gate: { readonly passed: boolean; readonly reasons: readonly string[] } | null;
  readonly results: readonly ControllerResult[];
  readonly failure?: { readonly code: string; readonly message: string; readonly step: string };
}

/** {@link ReportSummary} of a report. `model` and `gate` are null when the run ended before them. */
export function summarizeReport(report: RunReport): ReportSummary {
  return {
    runId: report.runId,
    status: report.status,
    seconds: report.seconds,
    model: report.model === null ? null : { name: report.model.name, version: report.model.version },
    gate: report.gate === null ? null : { passed: report.gate.passed, reasons: report.gate.reasons },
    results: report.results.map((result) => ({
      controller: result.controller,
      p95LatencySeconds: bounds(result.p95LatencySeconds),
      sloViolationRate: bounds(result.sloViolationRate),
      podSeconds: bounds(result.podSeconds),
      actionsPerMinute: bounds(result.actionsPerMinute),
    })),
    ...(report.failure === null ? {} : { failure: report.failure }),
  };
}

/** {@link summarizeReport} as one line of JSON, without a newline. */
export function renderReportJson(report: RunReport): string {
  return JSON.stringify(summarizeReport(report));
}

function bounds(estimate: Estimate): Estimate {
  return { mean: estimate.mean, low: estimate.low, high: estimate.high };
}
