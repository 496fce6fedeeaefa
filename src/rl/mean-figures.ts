/** Means of named figures over however many times each was given. */
export class MeanFigures {
  private readonly sums = new Map<string, { sum: number; count: number }>();

  add(figures: Readonly<Record<string, number>>): void {
    for (const name in figures) {
      const entry = this.sums.get(name);
      if (entry) {
        entry.sum += figures[name];
        entry.count++;
      } else {
        this.sums.set(name, { sum: figures[name], count: 1 });
      }
    }
  }

  means(): Record<string, number> {
    return Object.fromEntries(Array.from(this.sums, ([name, { sum, count }]) => [name, sum / count]));
  }
}
