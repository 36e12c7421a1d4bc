import { every } from '../lib/keyed-queue.ts';
import type { AuditSink } from './record.ts';

/** A minute. */
const period = 60_000;
/** Refused calls of one address that are kept one by one in a minute. */
const mostKept = 20;
/** Addresses that are told apart in a minute. */
const mostSources = 1_000;

/**
 * Callers whose signature is not believed. Anybody can make as many of their calls as the network carries: of each
 * address the first of a minute are kept one by one, the others as one number.
 */
export interface Strangers {
  /** True when a refused call from this address is to be kept by itself; otherwise it is counted. */
  admit(sourceIp: string): boolean;
  /** Keeps what was counted. */
  close(): Promise<void>;
}

export const createStrangers = (o: {
  readonly audit: AuditSink;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
}): Strangers => {
  let calls = new Map<string, number>();
  let since = o.now();
  const flush = async (): Promise<void> => {
    const [counted, from, to] = [calls, since, o.now()];
    calls = new Map();
    since = to;
    const more = [...counted].filter(([, count]) => count > mostKept);
    for (const [sourceIp, count] of more)
      await o.audit.write({
        ...{ eventName: 'UnidentifiedCalls', eventSource: 'windsock', readOnly: true, principal: undefined },
        ...{ sourceIp, userAgent: '', requestId: '', errorCode: 'AccessDenied' },
        requestParameters: {
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          count: count - mostKept,
        },
      });
  };
  const stop = every(period, flush, o.failed);
  return {
    admit: (sourceIp) => {
      const source = calls.has(sourceIp) || calls.size < mostSources ? sourceIp : 'others';
      const count = (calls.get(source) ?? 0) + 1;
      calls.set(source, count);
      return count <= mostKept;
    },
    close: async () => {
      stop();
      await flush().catch(o.failed);
    },
  };
};
