/**
 * A fingerprint of a sequence of numbers, bit by bit, for telling whether two sequences are alike: 64 bits by two
 * multiplicative hashes (after MurmurHash3's rounds), so two different sequences look alike about once in 10¹⁹ pairs.
 */
export class Fingerprint {
  private high = 0x9747b28c;
  private low = 0x2545f491;
  private readonly number = new Float64Array(1);
  private readonly words = new Int32Array(this.number.buffer);

  /** Takes in a number, exactly. */
  add(value: number): void {
    this.number[0] = value;
    this.mix(this.words[0]);
    this.mix(this.words[1]);
  }

  /** Takes in an array of numbers in order, and that it ended. */
  addAll(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) this.add(values[i]);
    this.mix(values.length);
  }

  toString(): string {
    return `${this.high >>> 0}:${this.low >>> 0}`;
  }

  private mix(word: number): void {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    this.high ^= k;
    this.high = (Math.imul((this.high << 13) | (this.high >>> 19), 5) + 0xe6546b64) | 0;
    this.low = Math.imul(this.low ^ word ^ this.high, 0x01000193);
    this.low ^= this.low >>> 15;
  }
}
