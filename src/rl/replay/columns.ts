/** The kinds of arrays that a replay keeps. */
export type ColumnArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** How many numbers a row of a column has, and of which kind. */
export interface ColumnSpec {
  readonly type: 'float32' | 'float64' | 'int32' | 'uint8';
  readonly size: number;
}

const arrayTypes = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

/** The array of a kind. */
export function columnArray(type: ColumnSpec['type'], length: number): ColumnArray {
  return new arrayTypes[type](length);
}

/**
 * Columns of rows with consecutive numbers of which the last ones are kept: row q lies at place q mod {@link places}.
 * The arrays may be written to and read at these places; they are replaced when the ring grows.
 */
export class RingColumns<Name extends string> {
  places: number;
  /** By name; the longest-lived reference is until the next {@link grow}. */
  readonly arrays: Record<Name, ColumnArray>;
  private readonly specs: Readonly<Record<Name, ColumnSpec>>;

  constructor(specs: Readonly<Record<Name, ColumnSpec>>, places: number) {
    this.specs = specs;
    this.places = places;
    this.arrays = this.allocated(places);
  }

  /** Takes room for more rows, each row from `first` up to but not including `end` with what it holds. */
  grow(places: number, first: number, end: number): void {
    const grown = this.allocated(places);
    for (const name of this.names()) {
      const { size } = this.specs[name];
      // Rows whose places follow each other before and after are copied at once.
      for (let row = first; row < end;) {
        const count = Math.min(end - row, this.places - (row % this.places), places - (row % places));
        const from = (row % this.places) * size;
        grown[name].set(this.arrays[name].subarray(from, from + count * size), (row % places) * size);
        row += count;
      }
    }
    Object.assign(this.arrays, grown);
    this.places = places;
  }

  /** The rows from `first` up to but not including `end`, in order, as copies. */
  rows(first: number, end: number): Record<Name, ColumnArray> {
    const copies = {} as Record<Name, ColumnArray>;
    for (const name of this.names()) {
      const { type, size } = this.specs[name];
      copies[name] = columnArray(type, (end - first) * size);
      for (let row = first; row < end;) {
        const place = row % this.places;
        const count = Math.min(end - row, this.places - place);
        const part = this.arrays[name].subarray(place * size, (place + count) * size);
        copies[name].set(part, (row - first) * size);
        row += count;
      }
    }
    return copies;
  }

  /** Puts rows as {@link rows} gave them back to their places. They must fit. */
  restore(first: number, copies: Readonly<Record<Name, ColumnArray>>, count: number): void {
    for (const name of this.names()) {
      const { size } = this.specs[name];
      for (let row = 0; row < count;) {
        const place = (first + row) % this.places;
        const length = Math.min(count - row, this.places - place);
        this.arrays[name].set(copies[name].subarray(row * size, (row + length) * size), place * size);
        row += length;
      }
    }
  }

  private names(): Name[] {
    return Object.keys(this.specs) as Name[];
  }

  private allocated(places: number): Record<Name, ColumnArray> {
    const entries = this.names().map((name) => [
      name,
      columnArray(this.specs[name].type, places * this.specs[name].size),
    ]);
    return Object.fromEntries(entries) as Record<Name, ColumnArray>;
  }
}
