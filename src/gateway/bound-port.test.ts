import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { silentLog } from '../lib/log.ts';
import { beginWork } from '../lib/make-room.ts';
import { BoundPort } from './bound-port.ts';

const port = new BoundPort(12_000 + randomInt(7_000), silentLog, 20);
const clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await port.close();
});

const visit = async (): Promise<Socket> => {
  const client = connect(port.port, '127.0.0.1');
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'connect');
  return client;
};

const says = async (client: Socket): Promise<string> => {
  client.write('hello');
  const [bytes] = await Promise.race([once(client, 'data'), once(client, 'close').then(() => [''])]);
  return String(bytes);
};

it('when it is full, who waits for no answer makes room, the first first; who is being answered stays', async () => {
  const echo = (socket: Socket) => {
    socket.once('data', () => beginWork(socket));
    socket.on('error', () => {}).pipe(socket);
  };
  await port.listen(new Map([['127.0.0.1', echo]]));
  const spoken = await visit();
  expect(await says(spoken)).toBe('hello');
  const silent = await visit();
  const gone = once(silent, 'close');
  for (let i = 2; i < 20; i += 1) await visit();
  expect(await says(await visit())).toBe('hello');
  await gone;
  expect(await says(spoken)).toBe('hello');
});
