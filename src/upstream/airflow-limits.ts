import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { InFlight, type Leave } from './in-flight.ts';

/** Requests of one principal that Airflow is at work on: three quarters of what one environment takes at once. */
export const atWork = { atOnce: 48, waiting: 500, waitMs: 30_000 } as const;

/**
 * What one principal may take of Airflow, whatever way the requests and commands come: one count for all. Principals are
 * named as `countedPrincipal` names them.
 */
export interface AirflowLimits {
  /** True when one more may go now, which then counts. */
  take(principal: string): boolean;
  /**
   * Resolves when the others of this principal leave room in the environment; call what it gives when the request has
   * ended. Undefined when too many wait, it takes too long, or one gives up: `whenWaiting` gets the function for that.
   */
  enter(
    who: { readonly principal: string; readonly environmentId: string },
    whenWaiting: (giveUp: () => void) => void,
  ): Leave | Promise<Leave | undefined>;
}

/** Five times `requestsPerSecond` may come at once. */
export const createAirflowLimits = (o: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly requestsPerSecond: number;
}): AirflowLimits => {
  const rate = new TokenBuckets({ perSecond: o.requestsPerSecond, burst: 5 * o.requestsPerSecond }, o.clock);
  const inFlight = new InFlight(atWork);
  return {
    take: (principal) => rate.take(principal),
    enter: ({ principal, environmentId }, whenWaiting) =>
      inFlight.enter(`${environmentId} ${principal}`, whenWaiting),
  };
};
