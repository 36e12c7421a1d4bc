import { request } from 'node:https';
import { describe, expect, it, vi } from 'vitest';
import { t, two, useDoors, webToken } from './test-clients.ts';
import { mintOf } from './test-door.ts';

useDoors();

describe('the CLI endpoint', () => {
  const call = async (body: string | Buffer, token?: string) =>
    t.ask(two.port, {
      ...{ method: 'POST', path: '/aws_mwaa/cli', body },
      headers: {
        authorization: `Bearer ${token ?? (await t.tokens.cliToken(two.record, mintOf('ann'), 'user/ann'))}`,
        'content-type': 'text/plain',
      },
    });

  it('runs words, answers base64 and records what ran, before and after', async () => {
    const answer = await call(`connections add x --conn-password 'a secret'`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ stdout: Buffer.from('out\n').toString('base64'), stderr: '' });
    expect(t.world.words.at(-1)).toEqual(['connections', 'add', 'x', '--conn-password', 'a secret']);
    expect(t.world.person).toBe('user/ann');
    expect(t.audit.map((e) => e.eventName)).toEqual(['UseCliToken', 'RunCliCommand', 'RunCliCommand']);
    expect(t.audit.slice(1)).toMatchObject([
      { phase: 'intent', requestParameters: { command: 'connections add' } },
      { phase: 'outcome', responseElements: { result: 'ran', exitCode: 0 } },
    ]);
    expect(JSON.stringify(t.audit)).not.toContain('secret');
  });

  it('runs one command after the other with one token; what cannot be recorded does not run, and does not count', async () => {
    const token = await t.tokens.cliToken(two.record, mintOf('ann'), 'user/ann');
    const before = t.world.words.length;
    expect((await call('dags list', token)).status).toBe(200);
    t.world.auditFails = true;
    expect((await call('dags list', token)).status).toBe(500);
    t.world.auditFails = false;
    expect((await call('pools list', token)).status).toBe(200);
    expect(t.world.words.slice(before)).toEqual([
      ['dags', 'list'],
      ['pools', 'list'],
    ]);
    expect(t.audit.filter((e) => e.eventName === 'UseCliToken')).toHaveLength(2);
    expect([...t.stores.tokens.values()].at(-1)?.uses).toBe(2);
  });

  it('maps what the driver answers', async () => {
    t.world.cli = { kind: 'refused', reason: 'no such command' };
    const refused = await call('users list');
    expect(refused.status).toBe(500);
    expect(Buffer.from(JSON.parse(refused.body).stderr, 'base64').toString()).toBe('no such command\n');
    t.world.cli = { kind: 'busy' };
    expect((await call('dags list')).status).toBe(429);
    t.world.cli = { kind: 'timed-out' };
    const stopped = await call('dags list');
    expect([stopped.status, JSON.parse(stopped.body).message]).toEqual([
      504,
      expect.stringMatching(/60 seconds.*a DAG run or task that it began may be left over/),
    ]);
  });

  it('records how a command ended whose client went away', async () => {
    t.world.cli = 'hangs';
    const token = await t.tokens.cliToken(two.record, mintOf('ann'), 'user/ann');
    const sent = request({
      ...{ host: 'localhost', port: two.port, ca: t.authority.rootPem, agent: false },
      ...{ method: 'POST', path: '/aws_mwaa/cli', headers: { authorization: `Bearer ${token}` } },
    });
    sent.on('error', () => {});
    sent.end('dags test a');
    await vi.waitUntil(() => t.audit.some((e) => e.phase === 'intent'));
    sent.destroy();
    await vi.waitUntil(() => t.audit.some((e) => e.phase === 'outcome'));
    expect(t.audit.at(-1)).toMatchObject({
      eventName: 'RunCliCommand',
      errorCode: 'NoAnswer',
      errorMessage: 'the client went away, and the command was ended',
    });
    t.world.cli = { kind: 'timed-out' };
  });

  it('reads no body before its turn: many may wait, and each may have 1 MiB', async () => {
    t.world.isFull = true;
    const statuses = [];
    for (const body of [`a 'b`, 'x'.repeat(1024 * 1024 + 1)]) statuses.push((await call(body)).status);
    t.world.isFull = false;
    expect(statuses).toEqual([429, 429]);
  });

  it('refuses what is no fresh CLI token of this environment, and bodies that are no command', async () => {
    const web = await call('dags list', await webToken());
    expect([web.status, JSON.parse(web.body).message]).toEqual([
      403,
      expect.stringMatching(/web login token.*CreateCliToken/s),
    ]);
    expect((await call('dags list', 'x')).status).toBe(403);
    expect((await t.ask(two.port, { method: 'POST', path: '/aws_mwaa/cli', body: 'version' })).status).toBe(
      401,
    );
    for (const body of [`a 'b`, Buffer.from([0xff]), '  ']) expect((await call(body)).status).toBe(400);
    expect((await call('x'.repeat(1024 * 1024 + 1))).status).toBe(413);
    expect((await t.ask(two.port, { path: '/aws_mwaa/cli' })).status).toBe(405);
  });
});
