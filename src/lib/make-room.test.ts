import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { beginWork, makeRoom } from './make-room.ts';

const connection = (bytesRead: number) => {
  const socket = { bytesRead, gone: false, destroy: () => (socket.gone = true) };
  return socket as unknown as Socket & { gone: boolean };
};

test('who said nothing goes first, then who sent half a request; who is being answered stays', () => {
  const [busy, half, silent] = [connection(9), connection(9), connection(0)];
  const sockets = new Set<Socket>([busy, half, silent]);
  const end = beginWork(busy);
  expect(makeRoom(sockets)).toBe(true);
  expect([busy.gone, half.gone, silent.gone]).toEqual([false, false, true]);
  expect(makeRoom(sockets)).toBe(true);
  expect([busy.gone, half.gone]).toEqual([false, true]);
  expect(makeRoom(sockets)).toBe(false);
  end();
  expect(makeRoom(sockets)).toBe(true);
  expect(sockets.size).toBe(0);
});
