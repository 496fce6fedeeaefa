import type { JsonValue } from '../contracts/run-spec.ts';
import type { RunDescription } from './tracker.ts';

/** The version that we give as ours in W&B's telemetry; clients take a run without one for a run that is not there. */
const clientVersion = 'coxswain';

/** A run's config as W&B stores it: every value in an envelope, and W&B's own section, which carries our version. */
export function wandbConfig({ config }: Pick<RunDescription, 'config'>): Record<string, { value: JsonValue }> {
  const values = Object.entries(config).map(([key, value]) => [key, { value }]);
  return { ...Object.fromEntries(values), _wandb: { value: { t: { 12: clientVersion } } } };
}
