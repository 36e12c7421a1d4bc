import { WindsockError } from '../../lib/errors.ts';
import { shownLine } from './shown.ts';

/** Where something stands. */
export interface SourceLine {
  /** As its author knows it: `requirements.txt`, or a path or an address that a line named. */
  readonly file: string;
  /** Counted from 1, the first of a continued one; 0 for the file as a whole. */
  readonly line: number;
  /** What stands there, variables not replaced, without credentials, shortened: fit for messages and logs. */
  readonly text: string;
}

/** `requirements.txt, line 3 (-e .)`. */
export const placeOf = ({ file, line, text }: SourceLine): string =>
  line === 0 ? file : `${file}, line ${line}${text === '' ? '' : ` (${text})`}`;

/** A requirement file asks for something that is not done, or is no requirement file. Nothing was installed. */
export class RequirementsRefused extends WindsockError {
  readonly file: string;
  /** 0 when it is about the file as a whole. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
  readonly advice: string;

  constructor(source: SourceLine, reason: string, advice: string) {
    super('RequirementsRefused', `${placeOf(source)}: ${reason}. ${advice}.`);
    this.file = source.file;
    this.line = source.line;
    this.text = source.text;
    this.reason = reason;
    this.advice = advice;
  }
}

/** Something on a line that is not taken, before it is known on which line: `located` makes a RequirementsRefused of it. */
export class Unfit extends Error {
  readonly reason: string;
  readonly advice: string;
  /** The part that is at fault, as it stands on the line after variables were replaced. */
  readonly part: string | undefined;

  /** `reason` and `advice` are sentences without a full stop, and quote nothing of the file. */
  constructor(reason: string, advice: string, part?: string) {
    super(reason);
    this.reason = reason;
    this.advice = advice;
    this.part = part;
  }
}

/**
 * Does it, and throws RequirementsRefused with the line for whatever is unfit. The part is told only of a line without
 * variables: their values may be secrets.
 */
export const located = <T>(source: SourceLine, hasVariables: boolean, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    const part = error.part === undefined || hasVariables ? '' : `: ${shownLine(error.part)}`;
    throw new RequirementsRefused(source, `${error.reason}${part}`, error.advice);
  }
};
