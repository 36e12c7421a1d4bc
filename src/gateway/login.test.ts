import { describe, expect, it } from 'vitest';
import {
  browserCookie,
  cookieOf,
  fetchFrom,
  form,
  login,
  loginPath,
  scriptCookie,
  t,
  three,
  two,
  useDoors,
  webToken,
} from './test-clients.ts';
import { mintOf } from './test-door.ts';

useDoors();

describe('signing in', () => {
  it('gives a browser the cookie that no script can plant', async () => {
    const answer = await login(two, fetchFrom(two.origin), await webToken());
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-Http-windsock-aaaaaaaaaaaa=wss_[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200$/,
      ),
    ]);
    expect(t.audit.map((e) => e.eventName)).toEqual(['WebLogin']);
  });

  it('gives a script the cookies that AWS documents', async () => {
    expect(await scriptCookie(two)).toMatch(/^session=wss_/);
    expect(await scriptCookie(three)).toMatch(/^_token=wss_/);
  });

  it('serves the path of the other Airflow version as 404', async () => {
    for (const [door, path] of [
      [two, loginPath(three)],
      [three, loginPath(two)],
    ] as const) {
      const answer = await t.ask(door.port, { method: 'POST', path, headers: form, body: 'token=x' });
      expect([answer.status, JSON.parse(answer.body).message]).toEqual([
        404,
        expect.stringContaining(`Airflow ${door === two ? 2 : 3}, where it is ${loginPath(door)}`),
      ]);
    }
  });

  it('refuses a used token, a CLI token and a token of elsewhere, and keeps a record', async () => {
    const token = await webToken();
    expect((await login(two, {}, token)).status).toBe(200);
    const again = await login(two, {}, token);
    expect(again.status).toBe(403);
    expect(again.headers['set-cookie']).toBeUndefined();
    const cli = await login(two, {}, await t.tokens.cliToken(two.record, mintOf('ann'), 'user/ann'));
    expect(JSON.parse(cli.body).message).toMatch(
      /This is a CLI token for environment demo.*CreateWebLoginToken/s,
    );
    const elsewhere = await login(two, {}, await webToken(three));
    expect(JSON.parse(elsewhere.body).message).toMatch(/environment newer, and this is environment demo/);
    await login(two, {}, 'rubbish');
    const refused = t.audit.filter((e) => e.eventName === 'WebLoginRefused').map((e) => e.errorMessage);
    expect(refused).toEqual(['already-used', 'wrong-kind', 'other-environment']);
  });

  it('refuses other origins, other forms and large bodies', async () => {
    const token = await webToken();
    const evil = { 'https://evil.example': 'cross-site', [three.origin]: 'same-site', null: 'same-origin' };
    for (const [origin, site] of Object.entries(evil)) {
      expect((await login(two, { origin, 'sec-fetch-site': site }, token)).status).toBe(403);
    }
    expect((await login(two, { 'content-type': 'text/plain' }, token)).status).toBe(415);
    expect((await login(two, {}, token, '&token=x')).status).toBe(400);
    expect((await login(two, {}, 'x'.repeat(9000))).status).toBe(413);
    expect((await login(two, {}, token)).status).toBe(200);
  });

  it('gives nothing to whom the policies of now give no role', async () => {
    const token = await webToken();
    t.world.roles = [];
    expect((await login(two, {}, token)).status).toBe(403);
    t.world.roles = ['Viewer'];
    expect((await login(two, {}, token)).status).toBe(200);
  });

  it('asks before another principal takes over, and ends the earlier session', async () => {
    const ann = await browserCookie();
    const headers = { ...fetchFrom(two.origin), cookie: ann };
    const bob = await webToken(two, 'bob');
    const asked = await login(two, headers, bob);
    expect([asked.status, JSON.parse(asked.body).current]).toEqual([409, 'user/ann']);
    const agreed = await login(two, headers, bob, '&replace=yes');
    expect(agreed.status).toBe(200);
    expect((await t.ask(two.port, { headers: { 'sec-fetch-site': 'none', cookie: ann } })).status).toBe(401);
    const again = await login(
      two,
      { ...fetchFrom(two.origin), cookie: cookieOf(agreed) },
      await webToken(two, 'bob'),
    );
    expect(again.status).toBe(200);
  });

  it('is refused once the environment is being deleted', async () => {
    t.records.set(two.record.id, { ...two.record, status: 'DELETING' });
    expect((await login(two, {}, await webToken())).status).toBe(404);
    t.records.set(two.record.id, two.record);
  });
});
