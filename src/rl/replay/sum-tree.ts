const smallest = 1024;

/**
 * Weights of numbered leaves with their sums, so that a leaf is drawn in proportion to its weight in O(log leaves)
 * (Schaul et al., "Prioritized Experience Replay", 2016, appendix B.2.1).
 *
 * 1. Every sum is that of its two children and nothing else, so that equal leaves make equal trees, bit for bit, however
 *    they came about. It grows to the right, which changes no sum: an empty leaf weighs 0.
 * 2. After {@link mark} it logs what is overwritten, in memory proportional to the changes, until the next mark.
 */
export class SumTree {
  /** Node 1 is the root, node i has the children 2i and 2i + 1; the second half are the leaves. */
  private nodes = new Float64Array(2 * smallest);
  private leaves = smallest;
  private readonly log = new OverwriteLog();

  /** Bytes of the arrays that are held now. */
  get bytes(): number {
    return this.nodes.byteLength + this.log.bytes;
  }

  /** The sum of all weights. */
  get total(): number {
    return this.nodes[1];
  }

  get(leaf: number): number {
    return leaf < this.leaves ? this.nodes[this.leaves + leaf] : 0;
  }

  /** @param weight finite, 0 or more. */
  set(leaf: number, weight: number): void {
    if (leaf >= this.leaves) this.grow(leaf + 1);
    this.log.note(leaf, this.nodes[this.leaves + leaf]);
    this.put(leaf, weight);
  }

  /**
   * The leaf at which the running sum of the weights exceeds `sum`; where rounding prevents that, one that weighs
   * something.
   * @param sum from 0 to {@link total}, which must not be 0.
   */
  find(sum: number): number {
    const { nodes, leaves } = this;
    let node = 1;
    let rest = sum;
    while (node < leaves) {
      node *= 2;
      if (rest < nodes[node] || nodes[node + 1] === 0) continue;
      rest -= nodes[node];
      node++;
    }
    return node - leaves;
  }

  /** The weights of the first `count` leaves. */
  weights(count: number): Float64Array {
    const weights = new Float64Array(count);
    weights.set(this.nodes.subarray(this.leaves, this.leaves + Math.min(count, this.leaves)));
    return weights;
  }

  /** Takes the weights of the first leaves over; the others become 0. Forgets the mark. */
  fill(weights: Float64Array): void {
    this.leaves = smallest;
    while (this.leaves < weights.length) this.leaves *= 2;
    this.nodes = new Float64Array(2 * this.leaves);
    this.nodes.set(weights, this.leaves);
    this.addUp();
    this.log.end();
  }

  mark(): void {
    this.log.begin();
  }

  /** Returns to the weights at the last {@link mark}. */
  rewind(): void {
    this.log.undo((leaf, weight) => this.put(leaf, weight));
  }

  private put(leaf: number, weight: number): void {
    const { nodes } = this;
    let node = this.leaves + leaf;
    nodes[node] = weight;
    while (node > 1) {
      node >>= 1;
      nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
    }
  }

  private grow(needed: number): void {
    const old = this.nodes.subarray(this.leaves);
    while (this.leaves < needed) this.leaves *= 2;
    this.nodes = new Float64Array(2 * this.leaves);
    this.nodes.set(old, this.leaves);
    this.addUp();
  }

  private addUp(): void {
    const { nodes } = this;
    for (let node = this.leaves - 1; node > 0; node--) nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
  }
}

/** What was overwritten since a mark, the oldest first. It logs nothing before the first mark. */
class OverwriteLog {
  private leaves = new Int32Array(smallest);
  private weights = new Float64Array(smallest);
  private length = 0;
  private active = false;

  get bytes(): number {
    return this.leaves.byteLength + this.weights.byteLength;
  }

  begin(): void {
    this.active = true;
    this.length = 0;
  }

  end(): void {
    this.active = false;
    this.length = 0;
  }

  note(leaf: number, weight: number): void {
    if (!this.active) return;
    if (this.length === this.leaves.length) this.grow();
    this.leaves[this.length] = leaf;
    this.weights[this.length++] = weight;
  }

  /** Hands over what was noted, the newest first, and forgets it. */
  undo(restore: (leaf: number, weight: number) => void): void {
    while (this.length > 0) {
      this.length--;
      restore(this.leaves[this.length], this.weights[this.length]);
    }
  }

  private grow(): void {
    const { leaves, weights } = this;
    this.leaves = new Int32Array(2 * leaves.length);
    this.weights = new Float64Array(2 * weights.length);
    this.leaves.set(leaves);
    this.weights.set(weights);
  }
}
