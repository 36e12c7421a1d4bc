/**
 * An error with a text for the person who caused it and a detail for the log.
 * Compare `code`, never text.
 */
export class WindsockError extends Error {
  readonly code: string;
  /** Safe to show to the caller. */
  readonly publicText: string;
  /** For the log only; must still hold no secret. */
  readonly detail: string | undefined;

  constructor(code: string, publicText: string, options: { detail?: string; cause?: unknown } = {}) {
    super(publicText, options.cause === undefined ? {} : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.publicText = publicText;
    this.detail = options.detail;
  }
}

/** What to show of anything that was thrown. */
export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a system or database error, for instance `ENOENT` or `23505`. */
export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
};
