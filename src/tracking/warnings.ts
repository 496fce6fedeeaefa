/** More different warnings than anybody reads. */
const maxWarnings = 20;

/** Sentences for people, each once. */
export interface Warnings {
  readonly list: readonly string[];
  add(warning: string): void;
}

/** @param onWarning gets each new warning at once. */
export function createWarnings(onWarning: (warning: string) => void = () => {}): Warnings {
  const list: string[] = [];
  return {
    list,
    add(warning) {
      if (list.includes(warning) || list.length >= maxWarnings) return;
      list.push(warning);
      onWarning(warning);
    },
  };
}
