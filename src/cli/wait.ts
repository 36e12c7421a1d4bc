import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, ApiError } from './api-client.ts';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';
import { type Environment, getEnvironment } from './mwaa.ts';
import { plain } from './output.ts';

/** How long and how often it is looked. */
interface WaitPace {
  /** Seconds. */
  readonly patience: number;
  /** Milliseconds. */
  readonly pause: number;
}

/** A little more than the server gives itself for a creation. */
const pace: WaitPace = { patience: 25 * 60, pause: 1_000 };

/** Amazon MWAA takes 20 to 40 minutes, and longer where it lets tasks end. */
export const awsPace: WaitPace = { patience: 90 * 60, pause: 10_000 };

/** Tells each new status in a line of its own; on a terminal the last line goes on with the seconds. */
const progress = ({ err, errIsTerminal }: Context) => {
  const began = performance.now();
  let shown: string | undefined;
  return {
    seconds: (): number => Math.round((performance.now() - began) / 1000),
    tell(status: string): void {
      if (status === shown && !errIsTerminal) return;
      const line = `${String(this.seconds()).padStart(4)} s  ${status}`;
      const before = status === shown ? '\r' : shown === undefined ? '' : '\n';
      err(errIsTerminal ? `${before}${line}` : `${line}\n`);
      shown = status;
    },
    end(): void {
      if (errIsTerminal && shown !== undefined) err('\n');
    },
  };
};

/** Looks every second and tells the status, until `done` says so. */
const follow = async <T>(
  context: Context,
  look: () => Promise<{ status: string; done?: T }>,
  { patience, pause }: WaitPace = pace,
): Promise<T> => {
  const shown = progress(context);
  try {
    while (shown.seconds() < patience) {
      const { status, done } = await look();
      shown.tell(status);
      if (done !== undefined) return done;
      await delay(pause, undefined, { signal: context.signal });
    }
  } finally {
    shown.end();
  }
  throw new CliError('It takes too long.', { todo: 'Look at it: windsock environment list' });
};

/** An environment did not become available, and will not by itself. */
export class NotAvailable extends CliError {
  readonly environment: Environment;

  constructor(e: Environment) {
    const isCreation = e.Status === 'CREATE_FAILED';
    super(`${e.Name} could not be ${isCreation ? 'created' : 'updated'}.`, {
      why: plain(e.LastUpdate?.Error?.ErrorMessage ?? `Its status is ${e.Status}.`),
      todo: isCreation
        ? `Delete it and try again: windsock environment delete ${e.Name}`
        : `Remove the cause and try again; look at it: windsock environment get ${e.Name}`,
    });
    this.environment = e;
  }
}

/** Waits for AVAILABLE; throws NotAvailable with the reason when it cannot become so. */
export const waitUntilAvailable = (
  api: ApiClient,
  name: string,
  context: Context,
  paced: WaitPace = pace,
): Promise<Environment> => {
  const look = async () => {
    const e = await getEnvironment(api, name);
    if (/FAILED|DELET|UNAVAILABLE/.test(e.Status)) throw new NotAvailable(e);
    return e.Status === 'AVAILABLE' ? { status: e.Status, done: e } : { status: e.Status };
  };
  return follow(context, look, paced);
};

/** Waits until the API knows it no more. */
export const waitGone = async (api: ApiClient, name: string, context: Context): Promise<void> => {
  await follow(context, async () => {
    try {
      return { status: (await getEnvironment(api, name)).Status };
    } catch (error) {
      if (error instanceof ApiError && error.code === 'ResourceNotFoundException')
        return { status: 'DELETED', done: true };
      throw error;
    }
  });
};
