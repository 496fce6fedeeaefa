import type { RunReport } from '../contracts/runs.ts';

/** What the report of a run is made of, filled in step by step. */
export type ReportParts = Pick<
  RunReport,
  | 'model'
  | 'gate'
  | 'results'
  | 'recording'
  | 'twin'
  | 'deployment'
  | 'placement'
  | 'training'
  | 'evaluation'
  | 'tracking'
>;

/** The parts of a run that has brought nothing yet. */
export const noReportParts: ReportParts = {
  model: null,
  gate: null,
  results: [],
  recording: null,
  twin: null,
  deployment: null,
  placement: null,
  training: [],
  evaluation: null,
  tracking: null,
};
