import { inspect } from 'node:util';

const hidden = '[secret]';

/**
 * A value that must not reach a log, a report or a history. Printing, inspecting, concatenating or JSON-ing it shows
 * `[secret]`; only {@link Secret.reveal} and {@link Secret.latest} give the value.
 */
export class Secret {
  readonly #value: string;
  readonly #renewed: () => string | null;

  /** @param renewed the value as its file has it now; null = not to be had. */
  constructor(value: string, renewed: () => string | null = () => null) {
    this.#value = value;
    this.#renewed = renewed;
    Object.freeze(this);
  }

  /** The value itself, for the one call that needs it. */
  reveal(): string {
    return this.#value;
  }

  /**
   * The value as its file has it now, for a credential that others renew; that of the start where it came from no file, or
   * the file cannot be read.
   */
  latest(): string {
    return this.#renewed() ?? this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
