import { expect, test } from 'vitest';
import type { WebSession } from '../tokens/session-store.ts';
import type { DoorRequest } from './door-request.ts';
import { createDoorLimits } from './limits.ts';

const from = (clientIp: string) => ({ clientIp }) as DoorRequest;
const session = (id: string) => ({ id }) as WebSession;

test('an address that guesses is told to wait; others, and those who err now and then, are not', () => {
  const clock = { now: 0, monotonic: () => clock.now };
  const limits = createDoorLimits(clock);
  for (let i = 0; i < 300; i += 1) {
    limits.beforeToken(from('10.0.0.1'));
    limits.tokenRefused(from('10.0.0.1'));
  }
  expect(() => limits.beforeToken(from('10.0.0.1'))).toThrow(/Too many tokens from your address/);
  limits.beforeToken(from('10.0.0.2'));
  clock.now = 500;
  limits.beforeToken(from('10.0.0.1'));
});

test('changes of a session are bounded, each session by itself', () => {
  const limits = createDoorLimits({ monotonic: () => 0 });
  for (let i = 0; i < 250; i += 1) limits.beforeChange(session('a'));
  expect(() => limits.beforeChange(session('a'))).toThrow(/Too many changes at once/);
  limits.beforeChange(session('b'));
});
