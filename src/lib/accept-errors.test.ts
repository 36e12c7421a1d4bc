import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { outliveAcceptErrors } from './accept-errors.ts';

test('an error of a listener that listens is told once a minute; one before that is its own', async () => {
  const told: unknown[] = [];
  const server = createServer();
  outliveAcceptErrors(server, { warn: (event, fields) => void told.push([event, fields]) });
  expect(() => server.emit('error', new Error('the port is taken'))).toThrow('taken');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (let i = 0; i < 3; i += 1) server.emit('error', new Error('accept ENFILE'));
  expect(told).toEqual([['connection not accepted', { reason: 'accept ENFILE' }]]);
  server.close();
});
