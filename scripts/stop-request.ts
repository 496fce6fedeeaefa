/** Ctrl-C arrives twice, from the terminal and passed on by npm; what comes within this time is the same wish. */
const sameWishMs = 500;

/** What a person, npm or the system wants of this process. */
export interface StopRequest {
  /** Aborted by the first wish to stop; its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Aborts it from inside, for example when the work is done. */
  stop(reason: string): void;
}

/**
 * Listens to SIGINT, SIGTERM and SIGHUP: the first asks for an orderly stop, a second one calls `atOnce`, which should
 * end the process.
 */
export function listenForStop(atOnce: () => void, events: NodeJS.EventEmitter = process): StopRequest {
  const controller = new AbortController();
  let askedAt = -Infinity;
  const onSignal = (name: string) => {
    if (controller.signal.aborted && performance.now() - askedAt > sameWishMs) atOnce();
    if (controller.signal.aborted) return;
    askedAt = performance.now();
    controller.abort(name);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) events.on(name, () => onSignal(name));
  return { signal: controller.signal, stop: (reason) => controller.abort(reason) };
}
