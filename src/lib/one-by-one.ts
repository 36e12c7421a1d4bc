/** Runs work of one key one after the other, in the order in which it was asked for; other keys do not wait. */
export class OneByOne {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Settles as the work does. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const ended = mine
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === ended) this.#last.delete(key);
      });
    this.#last.set(key, ended);
    return mine;
  }
}
