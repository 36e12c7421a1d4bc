/** What was started, ended in the opposite order. */
export class Started {
  readonly #ends: { readonly what: string; readonly end: () => Promise<void> | void }[] = [];

  add(what: string, end: () => Promise<void> | void): void {
    this.#ends.push({ what, end });
  }

  /** Ends everything; what cannot be ended is told and does not keep the rest from being ended. */
  async end(failed: (what: string, error: unknown) => void): Promise<void> {
    for (const { what, end } of this.#ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        failed(what, error);
      }
    }
  }
}
