/** How the resource blocks of a slice can go to its users. */
export const SCHEDULERS = ['round robin', 'proportional fair', 'best channel', 'longest wait'] as const;
/** Numbers of the schedulers. */
export const ROUND_ROBIN = 0;
export const PROPORTIONAL_FAIR = 1;
export const BEST_CHANNEL = 2;
export const LONGEST_WAIT = 3;

/** A slice's users at one millisecond. */
export interface SchedulingInput {
  /** Bits that wait for each user. */
  readonly backlog: Float64Array;
  /** Bits that one block carries to each user; 0 = out of reach. */
  readonly bitsPerBlock: Float64Array;
  /** Recent throughput of each user, bits/ms. */
  readonly throughput: Float64Array;
  /** How long each user's oldest bits have waited, in any one unit. */
  readonly wait: Float64Array;
}

/**
 * Shares blocks among the users of a slice, millisecond by millisecond.
 *
 * - round robin: equal parts, beginning with another user each time;
 * - proportional fair: the user with the highest rate over recent throughput first (Kelly, 1997; Tse's scheduler);
 * - best channel: the highest rate first (maximum C/I);
 * - longest wait: the oldest data first.
 *
 * A user takes no more blocks than it has data for; what is left goes to the next.
 */
export class Scheduler {
  private readonly order: Int32Array;
  private readonly metric: Float64Array;
  /** User that round robin begins with. */
  turn = 0;

  constructor(users: number) {
    this.order = new Int32Array(users);
    this.metric = new Float64Array(users);
  }

  /** Writes the blocks of each user. @returns how many were given away, at most `blocks` */
  share(scheduler: number, blocks: number, input: SchedulingInput, given: Int32Array): number {
    given.fill(0);
    const candidates = this.rank(scheduler, input);
    if (candidates === 0) return 0;
    const part = scheduler === ROUND_ROBIN ? Math.max(1, Math.floor(blocks / candidates)) : blocks;
    const left = this.serve(input, given, candidates, blocks, part);
    // What round robin's equal parts leave over goes to those who still have data.
    const rest = left > 0 && scheduler === ROUND_ROBIN ? this.serve(input, given, candidates, left, left) : left;
    return blocks - rest;
  }

  /** Gives up to `part` blocks to each candidate in order. @returns the blocks that are left */
  private serve(input: SchedulingInput, given: Int32Array, candidates: number, blocks: number, part: number): number {
    let left = blocks;
    for (let i = 0; i < candidates && left > 0; i++) {
      const u = this.order[i];
      const needed = Math.ceil(input.backlog[u] / input.bitsPerBlock[u]) - given[u];
      const taken = Math.min(left, part, needed);
      given[u] += taken;
      left -= taken;
    }
    return left;
  }

  /** Puts the users who have data and are within reach into the order of service. @returns how many they are */
  private rank(scheduler: number, input: SchedulingInput): number {
    const { order, metric } = this;
    const users = order.length;
    let count = 0;
    for (let i = 0; i < users; i++) {
      const u = scheduler === ROUND_ROBIN ? (this.turn + i) % users : i;
      if (input.backlog[u] <= 0 || input.bitsPerBlock[u] <= 0) continue;
      let place = count++;
      metric[u] = scheduler === ROUND_ROBIN ? 0 : metricOf(scheduler, input, u);
      for (; place > 0 && metric[order[place - 1]] < metric[u]; place--) order[place] = order[place - 1];
      order[place] = u;
    }
    if (scheduler === ROUND_ROBIN) this.turn = (this.turn + 1) % users;
    return count;
  }
}

function metricOf(scheduler: number, { bitsPerBlock, throughput, wait }: SchedulingInput, u: number): number {
  if (scheduler === PROPORTIONAL_FAIR) return bitsPerBlock[u] / (throughput[u] + 1);
  if (scheduler === BEST_CHANNEL) return bitsPerBlock[u];
  return wait[u];
}
