import type { IncomingMessage, ServerResponse } from 'node:http';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  browserCookie,
  cookieOf,
  fetchFrom,
  login,
  navigate,
  scriptCookie,
  t,
  three,
  two,
  useDoors,
  webToken,
} from './test-clients.ts';

useDoors();

describe('a session', () => {
  it('opens only in its kind of request and only here', async () => {
    const [browser, script, newer] = [await browserCookie(), await scriptCookie(), await scriptCookie(three)];
    const status = async (port: number, headers: Record<string, string>) =>
      (await t.ask(port, { headers })).status;
    expect(await status(two.port, { cookie: browser, ...navigate })).toBe(200);
    expect(await status(two.port, { cookie: browser })).toBe(401);
    expect(await status(two.port, { cookie: script })).toBe(200);
    expect(await status(two.port, { cookie: script, ...navigate })).toBe(401);
    const secret = newer.replace('_token=', '');
    expect(await status(three.port, { authorization: `Bearer ${secret}` })).toBe(200);
    expect(await status(three.port, { cookie: newer })).toBe(200);
    expect(await status(two.port, { authorization: `Bearer ${secret}` })).toBe(401);
    expect(await status(two.port, { cookie: `session=${secret}` })).toBe(401);
    const beside = (other: string) =>
      status(two.port, { cookie: `session=${other}; ${script}; session=planted` });
    expect(await beside(secret)).toBe(200);
    expect(await beside('x; session=y; session=z')).toBe(200);
    const many = (form: (i: number) => string) =>
      Array.from({ length: 20 }, (_, i) => `session=${form(i)}`).join('; ');
    expect(await status(two.port, { cookie: `${many((i) => `wss_${i}`)}; ${script}` })).toBe(200);
    const asSecret = (i: number) => `wss_${String(i).padStart(43, 'x')}`;
    expect(await status(two.port, { cookie: `${many(asSecret)}; ${script}` })).toBe(401);
    const others = cookieOf(await login(two, {}, await webToken(two, 'bob')));
    expect(await status(two.port, { cookie: others })).toBe(200);
    expect(await status(two.port, { cookie: `${script}; ${others}` })).toBe(401);
    expect(await status(two.port, { cookie: `${script}; ${await scriptCookie()}` })).toBe(200);
    const inBrowser = browser.replace(/=.*/, '=wss_other');
    expect(await status(two.port, { cookie: `${inBrowser}; ${browser}`, ...navigate })).toBe(200);
    const moved = (cookie: string, name: string) => `${name}=${cookie.split('=')[1]}`;
    expect(await status(two.port, { cookie: moved(browser, 'session') })).toBe(401);
    const swapped = moved(script, '__Host-Http-windsock-aaaaaaaaaaaa');
    expect(await status(two.port, { cookie: swapped, ...navigate })).toBe(401);
    const asOther = browser.replace('aaaaaaaaaaaa', 'bbbbbbbbbbbb');
    expect(await status(three.port, { cookie: asOther, ...navigate })).toBe(401);
  });

  it('is missing: a page for people, JSON for programs, an explanation for tokens in the wrong place', async () => {
    const page = await t.ask(two.port, { headers: navigate });
    expect(page.status).toBe(401);
    expect(page.body).toContain('windsock open demo');
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const api = await t.ask(three.port, { headers: { authorization: `Bearer ${await webToken(three)}` } });
    expect(api.status).toBe(401);
    expect(JSON.parse(api.body).detail).toMatch(/This is a web login token.*exchanged for a session/);
  });

  it('ends on a POST of its own page and on nothing else', async () => {
    const cookie = await browserCookie();
    const path = '/aws_mwaa/sign-out';
    const asked = await t.ask(two.port, { path, headers: { cookie, ...navigate } });
    expect(asked.body).toContain('method="post"');
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: three.origin, 'sec-fetch-site': 'same-site' },
    ]) {
      expect((await t.ask(two.port, { method: 'POST', path, headers: { cookie, ...headers } })).status).toBe(
        403,
      );
    }
    expect((await t.ask(two.port, { headers: { cookie, ...navigate } })).status).toBe(200);
    const done = await t.ask(two.port, {
      method: 'POST',
      path,
      headers: { cookie, ...fetchFrom(two.origin) },
    });
    expect(done.headers['set-cookie']).toHaveLength(2);
    expect((await t.ask(two.port, { headers: { cookie, ...navigate } })).status).toBe(401);
  });

  it('is judged by the tags that the environment has now', async () => {
    const cookie = await scriptCookie();
    t.records.set(two.record.id, { ...two.record, tags: { stage: 'closed' } });
    const refused = await t.ask(two.port, { headers: { cookie } });
    t.records.set(two.record.id, two.record);
    expect([refused.status, refused.body]).toEqual([403, expect.stringContaining('No Airflow role granted')]);
    expect((await t.ask(two.port, { headers: { cookie } })).status).toBe(401);
  });

  it('cuts what is open within a second when it ends', async () => {
    t.airflow.state.reply = (_req: IncomingMessage, res: ServerResponse) => void res.write('first');
    const cookie = await scriptCookie();
    const cut = new Promise<string>((resolve) => {
      const req = get(
        { host: 'localhost', port: two.port, ca: t.authority.rootPem, agent: false, headers: { cookie } },
        (res) => {
          res.once('data', () => {
            const after = t.stores.inTransaction((tx) => t.tokens.endAll(tx, two.record.id));
            void after.then((announce) => announce());
          });
          res.on('error', () => resolve('cut'));
          res.on('end', () => resolve('end'));
        },
      );
      req.on('error', () => resolve('cut'));
    });
    expect(await Promise.race([cut, sleep(1000, 'open')])).toBe('cut');
  });
});
