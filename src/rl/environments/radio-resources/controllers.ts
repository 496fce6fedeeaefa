import type { BaselineDecision } from '../registry.ts';
import { BITS_PER_BLOCK, broadband, HIGHEST_CQI, reliable } from './link-adaptation.ts';
import { BLOCKS_PER_CHOICE, CHOICES, HEADS, SCHEDULERS_OF } from './radio-actions.ts';
import { backlogKbit, USER, USERS_AT } from './radio-observation.ts';
import type { RadioResources } from './radio-resources.ts';
import { LONGEST_WAIT, PROPORTIONAL_FAIR } from './scheduler.ts';
import { EMBB, FRAME_MS, MMTC, URLLC } from './slices.ts';

/** Choices of the scheduler heads. */
const PROPORTIONAL_FAIR_CHOICE = SCHEDULERS_OF[EMBB].indexOf(PROPORTIONAL_FAIR);
const LONGEST_WAIT_CHOICE = SCHEDULERS_OF[URLLC].indexOf(LONGEST_WAIT);
/** Blocks that a URLLC user may need at once: a packet in every millisecond, as during an alarm, of half of the users. */
const ALARM_SHARE = 0.5;

/** A third of the blocks for each slice, round robin, full power. */
export function equalSplit(): BaselineDecision {
  const third = Math.round(100 / 3 / BLOCKS_PER_CHOICE);
  const action = CHOICES.map((_, head) => (head === HEADS.urllcBlocks || head === HEADS.mmtcBlocks ? third : 0));
  return () => action;
}

/**
 * Blocks in proportion to what the slices need: URLLC for its packets, mMTC for what waits, eMBB the rest; proportional
 * fair for eMBB, longest wait for the others, full power.
 */
export function demandProportional({ cell }: RadioResources, packetBytes: number): BaselineDecision {
  const action = CHOICES.map(() => 0);
  return ({ observation }) => {
    const user = (u: number, feature: number): number => observation[USERS_AT + u * USER.width + feature];
    const sum = (slice: number, need: (u: number) => number): number => {
      let total = 0;
      for (let u = cell.bounds[slice]; u < cell.bounds[slice + 1]; u++)
        if (user(u, USER.present) === 1) total += need(u);
      return total;
    };
    const cqiOf = (u: number): number => Math.max(1, Math.round(user(u, USER.cqi) * HIGHEST_CQI));
    const packets = sum(URLLC, (u) => (8 * packetBytes) / (reliable.efficiencies[cqiOf(u)] * BITS_PER_BLOCK));
    const messages = sum(
      MMTC,
      (u) =>
        (1000 * backlogKbit(user(u, USER.backlog))) / (broadband.efficiencies[cqiOf(u)] * BITS_PER_BLOCK * FRAME_MS),
    );
    const present = (slice: number): boolean => sum(slice, () => 1) > 0;
    action[HEADS.urllcBlocks] = present(URLLC) ? blockChoice(ALARM_SHARE * packets + 5) : 0;
    action[HEADS.mmtcBlocks] = present(MMTC) ? blockChoice(messages + 5) : 0;
    action[HEADS.scheduler + EMBB] = present(EMBB) ? PROPORTIONAL_FAIR_CHOICE : 0;
    action[HEADS.scheduler + URLLC] = present(URLLC) ? LONGEST_WAIT_CHOICE : 0;
    action[HEADS.scheduler + MMTC] = present(MMTC) ? LONGEST_WAIT_CHOICE : 0;
    return action;
  };
}

/** The choice that gives at least so many blocks. */
function blockChoice(blocks: number): number {
  return Math.min(CHOICES[HEADS.urllcBlocks] - 1, Math.ceil(blocks / BLOCKS_PER_CHOICE));
}
