import type { Clock } from '../lib/clock.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import type { WebSession } from '../tokens/session-store.ts';
import { Refusal } from './answer.ts';
import type { DoorRequest } from './door-request.ts';

/** Refused tokens of one address: a person who errs is far below, a program that guesses is stopped. */
const guesses = { perSecond: 2, burst: 300 } as const;
/** Requests of one session that may change something: each is recorded twice. */
const changes = { perSecond: 50, burst: 250 } as const;

/** How often what may be done at a door. Each throws Refusal 429. */
export interface DoorLimits {
  /** Before a token is looked at. */
  beforeToken(request: DoorRequest): void;
  /** A token was refused. */
  tokenRefused(request: DoorRequest): void;
  beforeChange(session: WebSession): void;
}

export const createDoorLimits = (clock: Pick<Clock, 'monotonic'>): DoorLimits => {
  const refused = new TokenBuckets(guesses, clock);
  const changed = new TokenBuckets(changes, clock);
  return {
    beforeToken: ({ clientIp }) => {
      if (!refused.has(clientIp))
        throw new Refusal(
          429,
          'Too many tokens from your address were refused. Wait a minute, then get a new token.',
        );
    },
    tokenRefused: ({ clientIp }) => void refused.take(clientIp),
    beforeChange: ({ id }) => {
      if (!changed.take(id))
        throw new Refusal(429, 'Too many changes at once in this session. Wait a second, then try again.');
    },
  };
};
