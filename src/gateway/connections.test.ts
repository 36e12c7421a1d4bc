import { expect, test } from 'vitest';
import type { WebSession } from '../tokens/session-store.ts';
import { createOpenConnections } from './connections.ts';

const session = (id: string, expiresAt = 1e15) => ({ id, environmentId: 'e', expiresAt }) as WebSession;
const ended = (sessionId: string) => ({ environmentId: 'e', sessionId, reason: 'revoked' }) as const;

const open = () => {
  const cut: string[] = [];
  const connections = createOpenConnections({ now: () => Date.now(), monotonic: () => 0, bootId: '' });
  return {
    cut,
    connections,
    add: (id: string) => connections.add(session(id), 'both', () => void cut.push(id)),
  };
};

test('what a session has open is cut when it ends, once, and nothing else', () => {
  const { cut, connections, add } = open();
  for (const id of ['a', 'b', 'a']) add(id);
  const done = add('a');
  done();
  expect(connections.sessions().map(({ id }) => id)).toEqual(['a', 'b']);
  connections.sessionEnded(ended('a'));
  connections.sessionEnded(ended('a'));
  expect(cut).toEqual(['a', 'a']);
  expect(connections.sessions().map(({ id }) => id)).toEqual(['b']);
  connections.close();
});

test('a request that was let in just before the end is cut when it gets here', () => {
  const { cut, connections, add } = open();
  connections.sessionEnded(ended('a'));
  add('a');
  add('b');
  expect(cut).toEqual(['a']);
  expect(connections.sessions().map(({ id }) => id)).toEqual(['b']);
  connections.close();
});

test('a way that is closed lets nothing go on and nothing begin, until it is open again', () => {
  const { cut, connections } = open();
  const add = (id: string, way: 'private' | 'public') =>
    connections.add(session(id), way, () => void cut.push(id));
  add('inside', 'private');
  add('outside', 'public');
  connections.setClosedWays('e', ['public']);
  add('late', 'public');
  expect(cut).toEqual(['outside', 'late']);
  connections.setClosedWays('e', []);
  add('again', 'public');
  connections.setClosedWays('e', ['public']);
  connections.cutEnvironment('e');
  add('anew', 'public');
  expect(cut).toEqual(['outside', 'late', 'again', 'inside']);
  connections.close();
});
