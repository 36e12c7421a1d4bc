/** What a person types, or a program sends, while a command runs. */
export interface Input {
  readonly isTerminal: boolean;
  /** The next line; undefined when there is none. The question is shown on a terminal only, to stderr. */
  line(question: string, o?: { readonly isSecret?: boolean }): Promise<string | undefined>;
}

/** What a command sees of the world; tests give their own. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** What goes to `err` is shown on a terminal, where a line can be written anew. */
  readonly errIsTerminal: boolean;
  readonly input: Input;
  readonly isRoot: boolean;
  readonly platform: NodeJS.Platform;
  /** Aborted by Ctrl-C and TERM. */
  readonly signal: AbortSignal;
}
