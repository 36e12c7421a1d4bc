// Case A68: the same signed bytes again, while they are good. There is no memory of what was sent, as on AWS.
import { expect, test } from 'vitest';
import { available, fakeWorld, send, signedHeaders } from './testing.ts';

test('A68 reading is answered again, and a call for a token makes another token', async () => {
  const world = fakeWorld();
  await available(world);
  const read = await signedHeaders('GET', '/environments/demo', '');
  const first = await send(world.deps, 'GET', '/environments/demo', '', read);
  expect(first.status).toBe(200);
  expect((await send(world.deps, 'GET', '/environments/demo', '', read)).json).toEqual(first.json);
  for (const path of ['/clitoken/demo', '/webtoken/demo']) {
    const headers = await signedHeaders('POST', path, '');
    for (let i = 0; i < 2; i += 1)
      expect((await send(world.deps, 'POST', path, '', headers)).status).toBe(200);
  }
  expect(world.minted.map(({ kind }) => kind)).toEqual(['cli', 'cli', 'web', 'web']);
});
