import type { Deployment } from '../client/deployment.ts';
import type { ControlEvent, StepSummary } from '../contracts/control.ts';
import type { Paint, Tone } from './terminal-text.ts';
import { fit, plainText } from './terminal-text.ts';

const tones: Readonly<Record<Deployment['status'], Tone>> = {
  opening: 'active',
  running: 'active',
  paused: 'warning',
  stopping: 'warning',
  stopped: 'faint',
  failed: 'bad',
  lost: 'bad',
};

/** Deployments as a table, one line each. */
export function renderDeployments(deployments: readonly Deployment[], paint: Paint): string {
  if (deployments.length === 0) return 'No deployments: coxswain deploy opens one.';
  const width = Math.max(...deployments.map(({ name }) => name.length), 10);
  const row = (name: string, status: string, mode: string, step: string, acts: string, model: string): string =>
    `${name.padEnd(width)}  ${status}  ${mode.padEnd(6)}  ${step.padStart(8)}  ${acts.padEnd(8)}  ${model}`.trimEnd();
  const lines = deployments.map((deployment) => {
    const { name, status, record, loop } = deployment;
    const model = record === null ? '' : `${record.model.name} ${record.model.version}`;
    const mode = loop?.mode ?? record?.spec.mode ?? '';
    const step = loop === null ? '' : String(loop.step);
    return row(name, paint(tones[status], status.padEnd(8)), mode, step, actorOf(deployment), model);
  });
  return [paint('faint', row('DEPLOYMENT', 'STATUS  ', 'MODE', 'STEP', 'ACTS', 'MODEL')), ...lines].join('\n');
}

/** A deployment with all that somebody wants to know of it at a glance. */
export function renderDeployment(deployment: Deployment, paint: Paint): string {
  const { name, status, record, loop, failure } = deployment;
  const lines = [`${paint('strong', name)}  ${paint(tones[status], status)}`];
  const add = (label: string, text: string): void => void lines.push(`  ${label.padEnd(9)} ${plainText(text)}`);
  if (failure !== null) add('failure', failure);
  if (record !== null) {
    const { model, spec, services } = record;
    add('model', `${model.name} version ${model.version}`);
    const temporary = services.filter(({ comesAndGoes }) => comesAndGoes).length;
    const some = temporary === 0 ? '' : ` (${temporary} of them come and go)`;
    add('steers', `${services.length} workloads${some} in ${spec.target.namespace}, every ${spec.intervalSeconds} s`);
    add('opened', timeText(record.openedAt));
    if (record.closedAt !== null) add('closed', timeText(record.closedAt));
    if (record.pausedOwners.length > 0) {
      add('paused', record.pausedOwners.map(({ kind, name: owner }) => `${kind} ${owner}`).join(', '));
    }
  }
  if (loop !== null) {
    add('mode', loop.mode);
    add('acts', loop.fallback === null ? 'the policy' : fallbackText(loop.fallback));
    add('next step', String(loop.step));
    if (loop.failedSteps > 0) add('failed', `${loop.failedSteps} steps failed as a whole`);
    if (loop.last !== null) add('last step', summaryText(loop.last));
    for (const note of loop.last?.notes ?? []) add('', note);
  }
  return lines.join('\n');
}

/** Events, one line each, alerts marked. */
export function renderEvents(events: readonly ControlEvent[], width: number, paint: Paint): string {
  if (events.length === 0) return 'No events.';
  return events
    .map(({ at, step, kind, alert, message }) => {
      const line = `${timeText(at)}  step ${String(step).padStart(6)}  ${kind.padEnd(16)}  ${plainText(message)}`;
      return alert ? paint('bad', fit(`! ${line}`, width)) : fit(`  ${line}`, width);
    })
    .join('\n');
}

/** A moment to the second, UTC. */
export function timeText(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ');
}

function actorOf({ loop }: Deployment): string {
  if (loop === null) return '';
  return loop.fallback === null ? (loop.paused ? 'nobody' : 'policy') : 'fallback';
}

function fallbackText({ reason, detail, sinceStep }: { reason: string; detail: string; sinceStep: number }): string {
  return `the fallback since step ${sinceStep} (${reason}): ${detail}`;
}

function summaryText({ step, at, actor, changed, guarded }: StepSummary): string {
  return `${step} at ${at.slice(0, 19).replace('T', ' ')}: ${actor}, ${changed} changed, ${guarded} guarded`;
}
