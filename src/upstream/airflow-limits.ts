import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { InFlight, type Leave } from './in-flight.ts';

/** Requests of one principal that Airflow is at work on: three quarters of what one environment takes at once. */
export const atWork = { atOnce: 48, waiting: 500, waitMs: 30_000 } as const;

/** What one principal, by ARN, may take of Airflow, whatever way his requests and commands come: one count for all. */
export interface AirflowLimits {
  /** True when one more may go now, which then counts. */
  take(arn: string): boolean;
  /**
   * Resolves when the others of this principal leave room in the environment; call what it gives when the request has
   * ended. Undefined when too many wait, it takes too long, or one gives up: `whenWaiting` gets the function for that.
   */
  enter(
    who: { readonly arn: string; readonly environmentId: string },
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
    take: (arn) => rate.take(arn),
    enter: ({ arn, environmentId }, whenWaiting) => inFlight.enter(`${environmentId} ${arn}`, whenWaiting),
  };
};
