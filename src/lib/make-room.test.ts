import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { beginWork, makeRoom } from './make-room.ts';

const connection = () => {
  const socket = { gone: false, destroy: () => (socket.gone = true) };
  return socket as unknown as Socket & { gone: boolean };
};

test('who waits for no answer goes, the first first; who is being answered stays', () => {
  const [busy, half, last] = [connection(), connection(), connection()];
  const sockets = new Set<Socket>([busy, half, last]);
  const end = beginWork(busy);
  expect(makeRoom(sockets)).toBe(true);
  expect([busy.gone, half.gone, last.gone]).toEqual([false, true, false]);
  expect(makeRoom(sockets)).toBe(true);
  expect([busy.gone, last.gone]).toEqual([false, true]);
  expect(makeRoom(sockets)).toBe(false);
  end();
  expect(makeRoom(sockets)).toBe(true);
  expect(sockets.size).toBe(0);
});
