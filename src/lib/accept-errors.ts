import type { Server } from 'node:net';
import { textOf } from './errors.ts';
import type { Log } from './log.ts';

/** Milliseconds in which one such error is told. */
const tellEvery = 60_000;

/**
 * Keeps a listener going when a connection cannot be accepted: accept(2) fails where the machine has no memory or file
 * descriptor left, and Node ends a process of which nobody listens to that error.
 */
export const outliveAcceptErrors = (server: Server, log: Pick<Log, 'warn'>): void => {
  let tellFrom = 0;
  const tell = (error: Error): void => {
    if (performance.now() < tellFrom) return;
    tellFrom = performance.now() + tellEvery;
    log.warn('connection not accepted', { reason: textOf(error) });
  };
  server.once('listening', () => server.on('error', tell));
};
