/** What a command sees of the world; tests give their own. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isRoot: boolean;
  readonly platform: NodeJS.Platform;
  /** Aborted by Ctrl-C and TERM. */
  readonly signal: AbortSignal;
}
