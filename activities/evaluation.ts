import { Context } from '@temporalio/activity';
import type { EvaluateInput, EvaluationActivities } from '../src/contracts/activities.ts';
import type { EvaluationResult } from '../src/contracts/runs.ts';
import { withTranslatedErrors } from './failures.ts';
import { fitTwin } from './fit-twin.ts';
import { cancellationFailure, whileHeartbeating } from './heartbeat.ts';
import type { EvaluationPorts } from './ports.ts';
import { untilStored } from './until-stored.ts';

/** Activities of the evaluate queue; see the contract for what each promises. */
export function createEvaluationActivities(ports: EvaluationPorts): EvaluationActivities {
  return withTranslatedErrors<EvaluationActivities>({
    fitTwin: (input) => whileHeartbeating(() => fitTwin(ports, input)),
    evaluatePolicies: (input) => whileHeartbeating(() => evaluatePolicies(ports, input)),
  });
}

async function evaluatePolicies(
  { artifacts, numeric }: EvaluationPorts,
  input: EvaluateInput,
): Promise<EvaluationResult> {
  const { cancellationSignal: signal } = Context.current();
  const recording = await untilStored(() => artifacts.get(input.recording.artifact), signal);
  const twin = await untilStored(async () => (input.twin ? artifacts.get(input.twin) : null), signal);
  const policies = await untilStored(
    () =>
      Promise.all(
        input.trained.map(async ({ seed, bestScore, policy }) => ({
          seed,
          bestScore,
          onnx: await artifacts.get(policy),
        })),
      ),
    signal,
  );
  const job = { spec: input.spec, recording, parts: input.recording.parts, twin, policies };
  const { details, ...outcome } = await numeric.evaluate(job, signal).catch((error: unknown) => {
    throw signal.aborted ? cancellationFailure() : error;
  });
  const artifact = await untilStored(() => artifacts.put(new TextEncoder().encode(details)), signal);
  return { ...outcome, artifact };
}
