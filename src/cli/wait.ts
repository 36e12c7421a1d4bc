import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, ApiError } from './api-client.ts';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';
import { type Environment, getEnvironment } from './mwaa.ts';

/** A little more than the server gives itself for a creation. */
const patience = 25 * 60_000;
const pause = 1000;

/** Looks every second and tells each new status, until `done` says so. */
const follow = async <T>(context: Context, look: () => Promise<{ status: string; done?: T }>): Promise<T> => {
  const began = performance.now();
  let shown = '';
  while (performance.now() - began < patience) {
    const { status, done } = await look();
    const seconds = Math.round((performance.now() - began) / 1000);
    if (status !== shown) context.err(`${String(seconds).padStart(4)} s  ${status}\n`);
    shown = status;
    if (done !== undefined) return done;
    await delay(pause, undefined, { signal: context.signal });
  }
  throw new CliError('It takes too long.', { todo: 'Look at it: windsock environment list' });
};

const failed = (e: Environment): CliError => {
  const isCreation = e.Status === 'CREATE_FAILED';
  return new CliError(`${e.Name} could not be ${isCreation ? 'created' : 'updated'}.`, {
    why: e.LastUpdate?.Error?.ErrorMessage ?? `Its status is ${e.Status}.`,
    todo: isCreation
      ? `Delete it and try again: windsock environment delete ${e.Name}`
      : `Remove the cause and try again; look at it: windsock environment get ${e.Name}`,
  });
};

/** Waits for AVAILABLE; throws CliError with the reason when it cannot become so. */
export const waitUntilAvailable = (api: ApiClient, name: string, context: Context): Promise<Environment> =>
  follow(context, async () => {
    const e = await getEnvironment(api, name);
    if (/FAILED|DELET|UNAVAILABLE/.test(e.Status)) throw failed(e);
    return e.Status === 'AVAILABLE' ? { status: e.Status, done: e } : { status: e.Status };
  });

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
