import { WindsockError } from '../lib/errors.ts';

export class EnvironmentExists extends WindsockError {
  constructor(name: string) {
    super('EnvironmentExists', `An environment named ${name} already exists`);
  }
}

export class GenerationChanged extends WindsockError {
  constructor(id: string) {
    super('GenerationChanged', `The environment was changed by another request`, { detail: id });
  }
}

/** A request holds the record for longer than a write of the loop waits. */
export class RecordLocked extends WindsockError {
  constructor(id: string) {
    super('RecordLocked', 'Another request is changing the environment', { detail: id });
  }
}

export class LeaseLost extends WindsockError {
  constructor(id: string) {
    super('LeaseLost', 'Another server acts on this environment now', { detail: id });
  }
}

/** The bucket cannot be listed now; nothing may be concluded about its contents. */
export class SourceUnavailable extends WindsockError {
  constructor(publicText: string, cause?: unknown) {
    super('SourceUnavailable', publicText, { cause });
  }
}

/** One file of a bucket cannot be read; others may be. */
export class FileUnavailable extends SourceUnavailable {}

/** The file changed or went away between listing and reading. */
export class VersionGone extends WindsockError {
  constructor(path: string) {
    super('VersionGone', `${path} changed while it was being read`);
  }
}

/** A step of the loop did not succeed. `retry` says whether the same step may succeed later. */
export class StepFailed extends WindsockError {
  readonly retry: boolean;
  /** The last useful lines of the log of what failed. */
  readonly logTail: string | undefined;

  constructor(publicText: string, options: { retry: boolean; logTail?: string; cause?: unknown }) {
    super('StepFailed', publicText, { cause: options.cause });
    this.retry = options.retry;
    this.logTail = options.logTail;
  }
}
