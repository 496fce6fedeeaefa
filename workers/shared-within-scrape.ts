const sharedMs = 1_000;

/** `ask`, whose answer is shared by the gauges that are read within one scrape. */
export function sharedWithinScrape<T>(ask: () => Promise<T>): () => Promise<T> {
  let latest: { readonly atMs: number; readonly answer: Promise<T> } | null = null;
  return () => {
    if (latest === null || performance.now() - latest.atMs > sharedMs)
      latest = { atMs: performance.now(), answer: ask() };
    return latest.answer;
  };
}
