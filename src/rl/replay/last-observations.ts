import { RingColumns } from './columns.ts';
import type { ColumnArray, ColumnSpec } from './columns.ts';

type Name = 'keys' | 'observations' | 'masks';

const fewest = 16;

/**
 * The last observations of episodes that were cut off, which no following step holds. They come and are forgotten in the
 * order of their keys, so their number follows that of such episodes and not that of the steps.
 */
export class LastObservations {
  private readonly specs: Readonly<Record<Name, ColumnSpec>>;
  private ring: RingColumns<Name>;
  private first = 0;
  private end = 0;
  private marked = 0;

  constructor(observationSize: number, maskSize: number) {
    this.specs = {
      keys: { type: 'float64', size: 1 },
      observations: { type: 'float32', size: observationSize },
      masks: { type: 'uint8', size: maskSize },
    };
    this.ring = new RingColumns(this.specs, fewest);
  }

  get observations(): Float32Array {
    return this.ring.arrays.observations as Float32Array;
  }

  get masks(): Uint8Array {
    return this.ring.arrays.masks as Uint8Array;
  }

  /**
   * @param key greater than all before.
   * @param oldest keys below it may be forgotten.
   */
  add(key: number, observation: Float32Array, mask: Uint8Array | null, oldest: number): void {
    if (this.end - this.first === this.ring.places) this.makeRoom(oldest);
    const place = this.end++ % this.ring.places;
    this.ring.arrays.keys[place] = key;
    this.observations.set(observation, place * observation.length);
    if (mask) this.masks.set(mask, place * mask.length);
  }

  /** The place of a key that was added and not forgotten: which row of {@link observations} and {@link masks}. */
  placeOf(key: number): number {
    return this.firstFrom(key) % this.ring.places;
  }

  /** Bytes of the arrays that are held now. */
  get bytes(): number {
    return Object.values(this.ring.arrays).reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Those from the key `oldest` on, as copies. */
  save(oldest: number): Record<Name, ColumnArray> {
    return this.ring.rows(this.firstFrom(oldest), this.end);
  }

  /** Takes over what {@link save} gave. */
  load(saved: Readonly<Record<Name, ColumnArray>>): void {
    const count = saved.keys.length;
    this.ring = new RingColumns(this.specs, Math.max(fewest, count));
    this.ring.restore(0, saved, count);
    this.first = 0;
    this.end = count;
    this.marked = count;
  }

  mark(): void {
    this.marked = this.end;
  }

  /** Forgets what was added since the last {@link mark}; what was there then still is. */
  rewind(): void {
    this.end = this.marked;
  }

  /** The number of the first one whose key is `key` or greater. */
  private firstFrom(key: number): number {
    const { keys } = this.ring.arrays;
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (keys[middle % this.ring.places] < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private makeRoom(oldest: number): void {
    this.forget(oldest);
    const { places } = this.ring;
    if (this.end - this.first > places / 2) this.ring.grow(2 * places, this.first, this.end);
  }

  private forget(oldest: number): void {
    const { keys } = this.ring.arrays;
    while (this.first < this.end && keys[this.first % this.ring.places] < oldest) this.first++;
  }
}
