import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import type { WebSession } from '../tokens/session-store.ts';
import { Refusal } from './answer.ts';
import type { Arrival } from './arrivals.ts';
import type { DoorRequest } from './door-request.ts';

/** Refused tokens of one address: a person who errs is far below, a program that guesses is stopped. */
const guesses = { perSecond: 2, burst: 300 } as const;
/** Requests of one session that may change something: each is recorded twice. */
const changes = { perSecond: 50, burst: 250 } as const;
/** Requests of one principal that Airflow is at work on: three quarters of what one environment takes at once. */
const atOnce = 48;

/** How often what may be done at a door. Each throws Refusal 429. */
export interface DoorLimits {
  beforeRequest(arrival: Arrival): void;
  /** Before a token is looked at. */
  beforeToken(request: DoorRequest): void;
  /** A token was refused. */
  tokenRefused(request: DoorRequest): void;
  /** A request came without a session. */
  beforeStranger(request: DoorRequest): void;
  /** A request of a session is to go to Airflow. Call what it gives when the request has ended. */
  beforeForward(session: WebSession): () => void;
  beforeChange(session: WebSession): void;
}

const tooMany = (text: string): Refusal => new Refusal(429, text);

/** Bounds how many requests of each principal are on their way to one environment. */
const createInFlight = () => {
  const counts = new Map<string, number>();
  return (key: string): (() => void) | undefined => {
    const now = counts.get(key) ?? 0;
    if (now >= atOnce) return undefined;
    counts.set(key, now + 1);
    return () => {
      const left = (counts.get(key) ?? 1) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    };
  };
};

export const createDoorLimits = (o: {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Of one principal, and without a session of one address; five times as many at once. */
  readonly requestsPerSecond: number;
}): DoorLimits => {
  const { clock, requestsPerSecond } = o;
  const requests = { perSecond: requestsPerSecond, burst: 5 * requestsPerSecond };
  const refused = new TokenBuckets(guesses, clock);
  const changed = new TokenBuckets(changes, clock);
  const strangers = new TokenBuckets(requests, clock);
  const forwarded = new TokenBuckets(requests, clock);
  const enter = createInFlight();
  return {
    beforeRequest: ({ crowded }) => {
      if (crowded)
        throw tooMany('Too many connections from your address are open. Close some, then try again.');
    },
    beforeToken: ({ clientIp }) => {
      if (!refused.has(clientIp))
        throw tooMany('Too many tokens from your address were refused. Wait a minute, then get a new token.');
    },
    tokenRefused: ({ clientIp }) => void refused.take(clientIp),
    beforeStranger: ({ clientIp }) => {
      if (!strangers.take(clientIp))
        throw tooMany('Too many requests without a session from your address. Wait a second, then sign in.');
    },
    beforeForward: ({ environmentId, mint }) => {
      const { arn } = mint.principal;
      if (!forwarded.take(arn))
        throw tooMany('Too many requests by you within a second. Wait a second, then try again.');
      const leave = enter(`${environmentId} ${arn}`);
      if (!leave)
        throw tooMany(`${atOnce} requests by you are being answered. Wait for them, then try again.`);
      return leave;
    },
    beforeChange: ({ id }) => {
      if (!changed.take(id))
        throw tooMany('Too many changes at once in this session. Wait a second, then try again.');
    },
  };
};
