/** Bits that wait, by user and by age; what gets too old is lost. The oldest are served first. */
export class AgedQueues {
  /** Ages that are kept: bits older than this are late. */
  readonly ages: number;
  /** Bits that wait, by user. */
  readonly backlog: Float64Array;
  /** Row = user, column = age, 0 the youngest. */
  private readonly bits: Float64Array;

  constructor(users: number, ages: number) {
    this.ages = ages;
    this.backlog = new Float64Array(users);
    this.bits = new Float64Array(users * ages);
  }

  /** Bits of user `u` that arrive now. */
  add(u: number, bits: number): void {
    this.bits[u * this.ages] += bits;
    this.backlog[u] += bits;
  }

  /** Takes up to `capacity` bits of user `u`, oldest first. @returns what was taken */
  serve(u: number, capacity: number): number {
    let left = capacity;
    for (let i = (u + 1) * this.ages - 1; i >= u * this.ages && left > 0; i--) {
      const taken = Math.min(left, this.bits[i]);
      this.bits[i] -= taken;
      left -= taken;
    }
    const served = Math.min(capacity, this.backlog[u]);
    this.backlog[u] = left > 0 ? 0 : this.backlog[u] - served;
    return served;
  }

  /** Makes all bits of user `u` one age older. @returns the bits that became too old and are lost */
  age(u: number): number {
    const first = u * this.ages;
    const last = first + this.ages - 1;
    const late = this.bits[last];
    this.bits.copyWithin(first + 1, first, last);
    this.bits[first] = 0;
    this.backlog[u] = Math.max(0, this.backlog[u] - late);
    return late;
  }

  /** Age of the oldest bits of user `u` as a share of the most, 0 when nothing waits. */
  oldest(u: number): number {
    for (let age = this.ages - 1; age >= 0; age--) {
      if (this.bits[u * this.ages + age] > 0) return (age + 1) / this.ages;
    }
    return 0;
  }

  clear(u: number): void {
    this.backlog[u] = 0;
    this.bits.fill(0, u * this.ages, (u + 1) * this.ages);
  }

  saveState(): AgedQueuesState {
    return { backlog: [...this.backlog], bits: [...this.bits] };
  }

  loadState({ backlog, bits }: AgedQueuesState): void {
    this.backlog.set(backlog);
    this.bits.set(bits);
  }
}

/** State of {@link AgedQueues} as JSON. */
export interface AgedQueuesState {
  readonly backlog: readonly number[];
  readonly bits: readonly number[];
}
