import { WindsockError } from '../lib/errors.ts';

/** A place in a document, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A policy document that cannot be one; the text is AWS's, with the place and what to do. */
export class MalformedPolicy extends WindsockError {
  readonly line: number;
  readonly column: number;

  constructor(message: string, at: Position, help: string) {
    super(
      'MalformedPolicyDocument',
      `${message} (line ${at.line}, column ${at.column}${help === '' ? '' : `: ${help}`})`,
    );
    this.line = at.line;
    this.column = at.column;
  }
}
