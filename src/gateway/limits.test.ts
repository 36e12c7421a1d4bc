import { expect, test } from 'vitest';
import type { ReadToken } from '../tokens/jwt.ts';
import type { WebSession } from '../tokens/session-store.ts';
import { createAirflowLimits } from '../upstream/airflow-limits.ts';
import type { DoorRequest } from './door-request.ts';
import { createDoorLimits } from './limits.ts';

const from = (clientIp: string) => ({ clientIp, rateLimitKey: async () => clientIp }) as DoorRequest;
const token = (jti: string, user: string) => ({ jti, user }) as ReadToken;
const session = (id: string, arn = id, environmentId = 'e') =>
  ({ id, environmentId, mint: { principal: { arn } } }) as WebSession;
const stays = () => {};
const limitsAt = (clock = { monotonic: () => 0 }, requestsPerSecond = 100) => {
  const limits = createDoorLimits({
    ...{ clock, requestsPerSecond },
    airflow: createAirflowLimits({ clock, requestsPerSecond }),
  });
  const beforeForward = async (of: WebSession, whenWaiting: (giveUp: () => void) => void) => {
    limits.beforeAirflow(of);
    return limits.enterAirflow(of, whenWaiting);
  };
  return { ...limits, beforeForward };
};

test('who sends what is no token is told to wait; others, and who errs now and then, are not', async () => {
  const clock = { now: 0, monotonic: () => clock.now };
  const limits = limitsAt(clock);
  for (let i = 0; i < 300; i += 1) await limits.noteInvalidToken(from('10.0.0.1'));
  await expect(limits.noteInvalidToken(from('10.0.0.1'))).rejects.toThrow(/came from your address/);
  await limits.noteInvalidToken(from('10.0.0.2'));
  clock.now = 500;
  await limits.noteInvalidToken(from('10.0.0.1'));
});

test('a genuine token that is refused again and again is bounded; others of the same person are used as ever', () => {
  const limits = limitsAt();
  for (let i = 0; i < 300; i += 1) limits.tokenRefused(token('a', 'ann'));
  expect(() => limits.beforeToken(token('a', 'ann'))).toThrow(/refused too often/);
  limits.beforeToken(token('b', 'ann'));
  expect(() => limits.tokenRefused(token('b', 'ann'))).toThrow(/refused too often/);
  limits.tokenRefused(token('c', 'ben'));
});

test('one token is used once at a time; the next uses wait, but not without end', async () => {
  const limits = limitsAt();
  const leave = await limits.enterToken(token('a', 'ann'));
  const waiting = Array.from({ length: 500 }, () => limits.enterToken(token('a', 'ann')));
  await expect(limits.enterToken(token('a', 'ann'))).rejects.toThrow(/used too many times at once/);
  (await limits.enterToken(token('b', 'ann')))();
  leave();
  for (const next of waiting) (await next)();
});

test('changes of a session are bounded, each session by itself', () => {
  const limits = limitsAt();
  for (let i = 0; i < 250; i += 1) limits.beforeChange(session('a'));
  expect(() => limits.beforeChange(session('a'))).toThrow(/Too many changes at once/);
  limits.beforeChange(session('b'));
});

test('a principal is bounded over all of its sessions; another one is not', async () => {
  const limits = limitsAt();
  for (let i = 0; i < 500; i += 1) (await limits.beforeForward(session(`s${i}`, 'ann'), stays))();
  await expect(limits.beforeForward(session('last', 'ann'), stays)).rejects.toThrow(/Too many requests by/);
  (await limits.beforeForward(session('first', 'ben'), stays))();
});

test('what Airflow is at work on for one principal is bounded, in each environment by itself', async () => {
  const limits = limitsAt({ monotonic: () => 0 }, 1000);
  const of = (environment = 'e') => limits.beforeForward(session('s', 'ann', environment), stays);
  const leave = await Promise.all(Array.from({ length: 48 }, () => of()));
  const next = of();
  const others = Array.from({ length: 499 }, () => of());
  await expect(of()).rejects.toThrow(/48 requests by you are being answered/);
  await of('other');
  leave[0]?.();
  expect(await next).toBeTypeOf('function');
  for (const other of others) other.catch(() => {});
});

test('requests without a session are bounded by address; a crowd is told', async () => {
  const limits = limitsAt();
  for (let i = 0; i < 500; i += 1) await limits.beforeStranger(from('10.0.0.1'));
  await expect(limits.beforeStranger(from('10.0.0.1'))).rejects.toThrow(
    /without a session from your address/,
  );
  await limits.beforeStranger(from('10.0.0.2'));
  const arrival = { address: '10.0.0.1', header: undefined, begin: () => () => {} };
  limits.beforeRequest({ ...arrival, crowded: false });
  expect(() => limits.beforeRequest({ ...arrival, crowded: true })).toThrow(/Too many connections/);
});
