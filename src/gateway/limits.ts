import { countedPrincipal } from '../identity/principal.ts';
import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import type { ReadToken } from '../tokens/jwt.ts';
import type { WebSession } from '../tokens/session-store.ts';
import { type AirflowLimits, atWork } from '../upstream/airflow-limits.ts';
import { InFlight, type Leave } from '../upstream/in-flight.ts';
import { Refusal } from './answer.ts';
import type { Arrival } from './arrivals.ts';
import type { DoorRequest } from './door-request.ts';

/**
 * What one client sends that is no token of ours, and refusals of one genuine token and of those of one person, which
 * are recorded: a person who errs is far below, a program that guesses or repeats is stopped.
 */
const guesses = { perSecond: 2, burst: 300 } as const;
/** Requests of one session that may change something: each is recorded twice. */
const changes = { perSecond: 50, burst: 250 } as const;

/**
 * Uses of one token wait for the lock of its row: all at once, each would hold a connection to the database. So they come
 * here one by one.
 */
const uses = { atOnce: 1, waiting: 500, waitMs: 30_000 } as const;

/** A session, or a token that was used. */
type OfPrincipal = Pick<WebSession, 'environmentId' | 'mint'>;

/** How often what may be done at a door. Each throws Refusal 429. */
export interface DoorLimits {
  beforeRequest(arrival: Arrival): void;
  /** Counts something that came as a token and is none of ours. */
  noteInvalidToken(request: DoorRequest): Promise<void>;
  /** Before a genuine token is used; one that was never refused is never held up. */
  beforeToken(token: ReadToken): void;
  /** Resolves when no other use of this token is being decided. Call what it gives when this one is. */
  enterToken(token: ReadToken): Promise<Leave>;
  /** A genuine token was refused. */
  tokenRefused(token: ReadToken): void;
  /** A request came without a session. */
  beforeStranger(request: DoorRequest): Promise<void>;
  /** Something of this principal is to go to Airflow. */
  beforeAirflow(who: OfPrincipal): void;
  /** It goes once the others of its principal leave room. Call what it gives when it has ended. */
  enterAirflow(who: OfPrincipal, whenWaiting: (giveUp: () => void) => void): Promise<Leave>;
  beforeChange(session: WebSession): void;
}

const refusedOften = 'Tokens of yours were refused too often. Wait a minute, then get a new token.';

const tooMany = (text: string): Refusal => new Refusal(429, text);

export const createDoorLimits = (o: {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Without a session, of one client; five times as many at once. */
  readonly requestsPerSecond: number;
  readonly airflow: AirflowLimits;
}): DoorLimits => {
  const { clock, requestsPerSecond, airflow } = o;
  const requests = { perSecond: requestsPerSecond, burst: 5 * requestsPerSecond };
  const strange = new TokenBuckets(guesses, clock);
  const refused = new TokenBuckets(guesses, clock);
  const changed = new TokenBuckets(changes, clock);
  const inUse = new InFlight(uses);
  const strangers = new TokenBuckets(requests, clock);
  return {
    beforeRequest: ({ crowded }) => {
      if (crowded)
        throw tooMany('Too many connections from your address are open. Close some, then try again.');
    },
    noteInvalidToken: async ({ rateLimitKey }) => {
      if (!strange.take(await rateLimitKey()))
        throw tooMany(
          'Too much came from your address that is no token. Wait a minute, then get a new token.',
        );
    },
    beforeToken: ({ jti }) => {
      if (!refused.has(`token ${jti}`)) throw tooMany(refusedOften);
    },
    enterToken: async ({ jti }) => {
      const leave = await inUse.enter(jti, () => {});
      if (leave) return leave;
      throw tooMany('This token is being used too many times at once. Wait a second, then try again.');
    },
    tokenRefused: ({ jti, user }) => {
      refused.take(`token ${jti}`);
      if (!refused.take(`user ${user}`)) throw tooMany(refusedOften);
    },
    beforeStranger: async ({ rateLimitKey }) => {
      if (!strangers.take(await rateLimitKey()))
        throw tooMany('Too many requests without a session from your address. Wait a second, then sign in.');
    },
    beforeAirflow: ({ mint }) => {
      if (!airflow.take(countedPrincipal(mint.principal)))
        throw tooMany('Too many requests by you within a second. Wait a second, then try again.');
    },
    enterAirflow: async ({ environmentId, mint }, whenWaiting) => {
      const principal = countedPrincipal(mint.principal);
      const leave = await airflow.enter({ environmentId, principal }, whenWaiting);
      if (leave) return leave;
      throw tooMany(`${atWork.atOnce} requests by you are being answered. Wait for them, then try again.`);
    },
    beforeChange: ({ id }) => {
      if (!changed.take(id))
        throw tooMany('Too many changes at once in this session. Wait a second, then try again.');
    },
  };
};
