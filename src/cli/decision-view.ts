import type { ControlDecision, GuardedProposal } from '../contracts/control.ts';
import type { GuardedPlacement } from '../contracts/placement.ts';
import { timeText } from './deployment-view.ts';
import type { Paint } from './terminal-text.ts';
import { plainText, wrap } from './terminal-text.ts';

const indent = ' '.repeat(42);

/** Decisions as a table: step, time, who acted, and below each other what was wanted, permitted and done. */
export function renderDecisions(decisions: readonly ControlDecision[], width: number, paint: Paint): string {
  if (decisions.length === 0) return 'No decisions yet.';
  const head = `${'STEP'.padStart(8)}  ${'TIME (UTC)'.padEnd(19)}  ${'ACTS'.padEnd(9)}  REPLICAS`;
  return [paint('faint', head), ...decisions.flatMap((decision) => linesOf(decision, width, paint))].join('\n');
}

function linesOf(decision: ControlDecision, width: number, paint: Paint): string[] {
  const { step, at, actor, mode, problems } = decision;
  const changes = [
    ...decision.guarded.filter(isWorthShowing).map((proposal) => changeText(decision, proposal)),
    ...(decision.placement?.guarded ?? []).map((guarded) => placementText(decision, guarded)),
  ];
  const texts = [...(changes.length === 0 ? ['no change'] : changes), ...problems.map((problem) => `! ${problem}`)];
  const who = mode === 'shadow' ? `(${actor})` : actor;
  const front = `${String(step).padStart(8)}  ${timeText(at)}  ${who.padEnd(10)}`;
  const [first, ...others] = texts.flatMap((text) => wrap(plainText(text), Math.max(width, 80), indent));
  const painted = paint(actor === 'policy' ? 'active' : 'warning', front);
  return [`${painted} ${(first ?? '').trimStart()}`, ...others];
}

function isWorthShowing({ before, proposed, permitted, reasons }: GuardedProposal): boolean {
  return reasons.length > 0 || permitted !== before || proposed !== before;
}

/** `frontend on node-1, node-2` or `frontend-5d9c7 away from node-3`, and why it was not done, where it was not. */
function placementText({ placementResult }: ControlDecision, guarded: GuardedPlacement): string {
  const { proposal, reason, detail } = guarded;
  const name = proposal.workload.slice(proposal.workload.indexOf('/') + 1);
  const what =
    proposal.kind === 'place'
      ? `${name} on ${proposal.nodes.join(', ')}`
      : `${proposal.pod} away from ${proposal.node}`;
  const done = placementResult?.find((entry) => entry.workload === proposal.workload);
  const failed = done === undefined || done.detail === '' ? [] : [`${done.outcome}: ${done.detail}`];
  return [what, ...(reason === null ? [] : [`(${reason}, ${detail})`]), ...failed].join(' ');
}

/** `frontend 3 → 4 (6 wanted: step-size, 1 at once are allowed)`, and what became of it where it was not done. */
function changeText({ result }: ControlDecision, proposal: GuardedProposal): string {
  const { workload, before, proposed, permitted, reasons } = proposal;
  const name = workload.slice(workload.indexOf('/') + 1);
  const why = reasons.map(({ reason, detail }) => `${reason}, ${detail}`).join('; ');
  const done = result?.find((entry) => entry.workload === workload);
  const failed = done === undefined || done.outcome === 'scaled' || done.outcome === 'already';
  return [
    `${name} ${before ?? '–'} → ${permitted ?? '–'}`,
    ...(why === '' ? [] : [`(${proposed} wanted: ${why})`]),
    ...(failed ? [] : [`${done.outcome}: ${done.detail}`]),
  ].join(' ');
}
