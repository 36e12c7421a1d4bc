import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AirflowRole } from '../contract/roles.ts';
import type { MintContext } from '../identity/principal.ts';
import { cliToken } from './cli-token.ts';
import { fakeStores } from './fake-stores.ts';
import { refuseStranger, TokenRefused } from './refused.ts';
import { loadOrCreateSigningKeys, type SigningKeys } from './signing-keys.ts';
import { createTokens } from './tokens.ts';
import { webLoginToken } from './web-login-token.ts';

const folder = mkdtempSync(join(tmpdir(), 'windsock-tokens-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const demo = { id: 'aaaaaaaaaaaa', name: 'demo', accountId: '000000000000', region: 'us-east-1', tags: {} };
const other = { ...demo, id: 'bbbbbbbbbbbb', name: 'other' };
const mint: MintContext = {
  principal: {
    type: 'Root',
    arn: 'arn:aws:iam::000000000000:root',
    accountId: '000000000000',
    iamIdentity: 'root',
    accessKeyId: 'AKIAEXAMPLE',
  },
  sourceIp: '127.0.0.1',
  userAgent: 'test',
  requestId: 'r1',
};

/** Made in 1970, so that they sign at whatever time a test has; and for ever. */
const load = (file: string) => loadOrCreateSigningKeys(file, { clock: { now: () => 0 }, days: 30 });

let keys: SigningKeys;
beforeAll(async () => {
  keys = await load(join(folder, 'keys.json'));
});

const setUp = (singleUseCliTokens = false) => {
  const time = { now: 1_800_000_000_500, monotonic: 5_000, bootId: 'boot-1' };
  const clock = {
    now: () => time.now,
    monotonic: () => time.monotonic,
    get bootId() {
      return time.bootId;
    },
  };
  const pass = (ms: number) => {
    time.now += ms;
    time.monotonic += ms;
  };
  const stores = fakeStores();
  const roles: { now: AirflowRole[] } = { now: ['Viewer', 'Admin'] };
  const tokens = createTokens({
    ...stores,
    keys,
    clock,
    installationId: 'inst',
    singleUseCliTokens,
    mayRunCommands: () => true,
    rolesOf: () => roles.now,
  });
  return { time, pass, stores, roles, tokens };
};
type World = ReturnType<typeof setUp>;

const reasonOf = async (work: Promise<unknown>): Promise<TokenRefused> => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof TokenRefused)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

const redeem = async (w: World, text: string, kind = webLoginToken, environment = demo) => {
  const token = await w.tokens.read(text);
  if (!token) throw refuseStranger(kind, environment.name);
  return w.tokens.redeem(token, { kind, environment }, async (_tx, row) => row.airflowIdentity);
};

const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string];
const json64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part: string) =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;

describe('a token', () => {
  it('is a short JWT that names its kind, environment, user and 60 seconds', async () => {
    const w = setUp();
    const token = await w.tokens.webLoginToken(demo, mint, 'root');
    const [head, claims] = parts(token).map((p, i) => (i < 2 ? decoded(p) : {}));
    expect(head).toEqual({ alg: 'EdDSA', kid: keys.publicTokens.kid, typ: 'web-login+jwt' });
    expect(claims).toMatchObject({ iss: 'inst', aud: 'web:aaaaaaaaaaaa', user: 'root', env: 'demo' });
    expect(Number(claims?.['exp']) - Number(claims?.['iat'])).toBe(60);
    expect((await w.tokens.cliToken(demo, mint, 'x'.repeat(64))).length).toBeLessThan(1024);
  });

  it('works once, also when 50 come at the same moment', async () => {
    const w = setUp();
    const token = await w.tokens.webLoginToken(demo, mint, 'root');
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => redeem(w, token)));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    const refused = await reasonOf(redeem(w, token));
    expect(refused.reason).toBe('already-used');
    expect(refused.publicText).toContain('aws mwaa create-web-login-token --name demo');
  });

  it('of the CLI works several times, each counted, also when they come at the same moment; not for ever', async () => {
    const w = setUp();
    const { mostUses } = cliToken;
    const token = await w.tokens.cliToken(demo, mint, 'root');
    const results = await Promise.allSettled(
      Array.from({ length: mostUses + 50 }, () => redeem(w, token, cliToken)),
    );
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(mostUses);
    expect([...w.stores.tokens.values()].map(({ uses }) => uses)).toEqual([mostUses]);
    const refused = await reasonOf(redeem(w, token, cliToken));
    expect(refused.reason).toBe('used-up');
    expect(refused.publicText).toMatch(/It was used 200 times.*create-cli-token --name demo/s);
    const second = await w.tokens.cliToken(demo, mint, 'root');
    expect(await redeem(w, second, cliToken)).toBe('root');
    w.pass(60_000);
    expect((await reasonOf(redeem(w, second, cliToken))).reason).toBe('expired');
  });

  it('of the CLI works once where it is set so', async () => {
    const w = setUp(true);
    const token = await w.tokens.cliToken(demo, mint, 'root');
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => redeem(w, token, cliToken)));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    expect((await reasonOf(redeem(w, token, cliToken))).reason).toBe('already-used');
  });

  it('of the CLI that was used is nothing once its environment is being deleted', async () => {
    const w = setUp();
    const token = await w.tokens.cliToken(demo, mint, 'root');
    await redeem(w, token, cliToken);
    await w.stores.inTransaction((tx) => w.tokens.endAll(tx, demo.id));
    expect((await reasonOf(redeem(w, token, cliToken))).reason).toBe('revoked');
  });

  it('is unused again when what follows fails', async () => {
    const w = setUp();
    const token = await w.tokens.webLoginToken(demo, mint, 'root');
    const read = await w.tokens.read(token);
    if (!read) throw new Error('no token');
    const failing = w.tokens.redeem(read, { kind: webLoginToken, environment: demo }, async () => {
      throw new Error('no session');
    });
    await expect(failing).rejects.toThrow('no session');
    expect(await redeem(w, token)).toBe('root');
  });

  it('ends after 60 s, also when the wall clock is set back', async () => {
    const w = setUp();
    const token = await w.tokens.webLoginToken(demo, mint, 'root');
    w.pass(58_000);
    const second = await w.tokens.webLoginToken(demo, mint, 'root');
    w.pass(2_000);
    expect((await reasonOf(redeem(w, token))).reason).toBe('expired');
    w.pass(59_000);
    w.time.now -= 120_000;
    expect((await reasonOf(redeem(w, second))).reason).toBe('expired');
    w.time.bootId = 'boot-2';
    expect(await redeem(w, second)).toBe('root');
  });

  it('says where it belongs when it is at the wrong place', async () => {
    const w = setUp();
    const web = await w.tokens.webLoginToken(demo, mint, 'root');
    const cli = await w.tokens.cliToken(demo, mint, 'root');
    const webAtCli = await reasonOf(redeem(w, web, cliToken));
    expect(webAtCli.reason).toBe('wrong-kind');
    expect(webAtCli.publicText).toMatch(
      /^This is a web login token for environment demo.*call CreateCliToken/is,
    );
    const cliAtLogin = await reasonOf(redeem(w, cli));
    expect(cliAtLogin.publicText).toMatch(/^This is a CLI token for environment demo.*CreateWebLoginToken/s);
    const elsewhere = await reasonOf(redeem(w, web, webLoginToken, other));
    expect(elsewhere.reason).toBe('other-environment');
    expect(elsewhere.publicText).toMatch(/for environment demo, and this is environment other/);
    expect(await redeem(w, web)).toBe('root');
  });

  it('does not exist when its audit entry cannot be kept', async () => {
    const w = setUp();
    w.stores.failAudit(true);
    await expect(w.tokens.cliToken(demo, mint, 'root')).rejects.toThrow('audit');
    expect(w.stores.tokens.size).toBe(0);
    w.stores.failAudit(false);
    const token = await w.tokens.cliToken(demo, mint, 'root');
    expect(w.stores.audit.entries.map((e) => e.eventName)).toEqual(['CreateCliToken']);
    expect(JSON.stringify(w.stores.audit.entries)).not.toContain(parts(token)[2]);
  });

  it('is refused after any change of a byte of the signature, and in every forged form', async () => {
    const w = setUp();
    const token = await w.tokens.webLoginToken(demo, mint, 'root');
    const [head, body, signature] = parts(token);
    const raw = Buffer.from(signature, 'base64url');
    const flipped = Array.from(raw, (byte, i) => {
      const copy = Buffer.from(raw);
      copy[i] = byte ^ 1;
      return `${head}.${body}.${copy.toString('base64url')}`;
    });
    const publicPem = keys.publicTokens.publicKey.export({ type: 'spki', format: 'pem' });
    const hs = `${json64({ ...decoded(head), alg: 'HS256' })}.${body}`;
    // The last character of 86 carries four bits that no decoder reads.
    const last = signature.slice(-1);
    const twin = String.fromCharCode(last.charCodeAt(0) + 1);
    const forged = [
      ...flipped,
      `${json64({ ...decoded(head), alg: 'none' })}.${body}.`,
      `${hs}.${createHmac('sha256', publicPem).update(hs).digest('base64url')}`,
      `${json64({ ...decoded(head), kid: '../../etc/passwd' })}.${body}.${signature}`,
      `${json64({ ...decoded(head), jku: 'https://example.com/' })}.${body}.${signature}`,
      `${head}.${body}.${signature.slice(0, -1)}${twin}`,
      `${head}.${body}.${signature.slice(0, -4)}`,
      `${token}.`,
      `${token}=`,
      `${head}.${body}`,
      '',
      'x',
    ];
    for (const text of forged) expect((await reasonOf(redeem(w, text))).reason).toBe('not-ours');
    expect(await redeem(w, token)).toBe('root');
  });

  it('of another installation, or signed with the assertion key, is not ours', async () => {
    const w = setUp();
    const stranger = createTokens({
      ...fakeStores(),
      keys: {
        publicTokens: keys.assertion,
        assertion: keys.assertion,
        tokenKey: () => undefined,
        publicKeys: async () => [],
        onChange: () => () => {},
        rotateIfDue: async () => {},
        startRotating: () => () => {},
      },
      clock: { now: () => w.time.now, monotonic: () => 0, bootId: 'b' },
      installationId: 'inst',
      singleUseCliTokens: false,
      mayRunCommands: () => true,
      rolesOf: () => [],
    });
    const token = await stranger.webLoginToken(demo, mint, 'root');
    expect((await reasonOf(redeem(w, token))).reason).toBe('not-ours');
  });
});

describe('a session', () => {
  const open = async (w: World) => {
    const s = {
      kind: 'browser' as const,
      way: 'both' as const,
      environmentId: demo.id,
      mint,
      airflowIdentity: 'root',
    };
    return w.stores.inTransaction((tx) => w.tokens.sessions.open(tx, s));
  };

  it('is found by its secret only, for 12 hours, and keeps the secret nowhere', async () => {
    const w = setUp();
    const { secret, session } = await open(w);
    expect(JSON.stringify([...w.stores.sessions])).not.toContain(secret);
    expect((await w.tokens.sessions.find(secret))?.id).toBe(session.id);
    expect(await w.tokens.sessions.find(`${secret}x`)).toBeUndefined();
    w.pass(12 * 3_600_000 - 1);
    expect(await w.tokens.sessions.find(secret)).toBeDefined();
    w.pass(1);
    expect(await w.tokens.sessions.find(secret)).toBeUndefined();
  });

  it('ends at once here, and within 30 s when another server ended it', async () => {
    const w = setUp();
    const first = await open(w);
    const second = await open(w);
    const ended: unknown[] = [];
    w.tokens.sessions.onEnded((e) => ended.push(e));
    for (const s of [first, second]) expect(await w.tokens.sessions.find(s.secret)).toBeDefined();
    const announce = await w.stores.inTransaction((tx) =>
      w.tokens.sessions.end(tx, first.session, 'signed-out'),
    );
    announce();
    expect(await w.tokens.sessions.find(first.secret)).toBeUndefined();
    expect(ended).toEqual([{ environmentId: demo.id, sessionId: first.session.id, reason: 'signed-out' }]);
    await w.stores.inTransaction((tx) =>
      w.stores.sessionStore.end(tx, second.session.id, 'right-withdrawn', w.time.now),
    );
    w.pass(30_000);
    expect(await w.tokens.sessions.find(second.secret)).toBeUndefined();
  });

  it('ends with its environment, and unused tokens with it', async () => {
    const w = setUp();
    const { secret } = await open(w);
    const token = await w.tokens.webLoginToken(demo, mint, 'root');
    expect(await w.tokens.sessions.find(secret)).toBeDefined();
    (await w.stores.inTransaction((tx) => w.tokens.endAll(tx, demo.id)))();
    expect(await w.tokens.sessions.find(secret)).toBeUndefined();
    expect((await reasonOf(redeem(w, token))).reason).toBe('revoked');
  });

  it('is swept a week after its end, a token an hour after', async () => {
    const w = setUp();
    await open(w);
    for (let i = 0; i < 3; i++) await w.tokens.cliToken(demo, mint, 'root');
    w.pass(3_600_000);
    await w.tokens.sweep();
    expect(w.stores.tokens.size).toBe(3);
    w.pass(61_000);
    await w.tokens.sweep();
    expect(w.stores.tokens.size).toBe(0);
    expect(w.stores.sessions.size).toBe(1);
    w.pass(8 * 24 * 3_600_000);
    await w.tokens.sweep();
    expect(w.stores.sessions.size).toBe(0);
  });
});

describe('an assertion', () => {
  const session = {
    id: 's1',
    kind: 'browser' as const,
    way: 'both' as const,
    environmentId: demo.id,
    mint,
    airflowIdentity: 'root',
    createdAt: 0,
    expiresAt: 9e15,
  };

  it('is signed with the published key and carries the roles of now', async () => {
    const w = setUp();
    const assertion = await w.tokens.assertions.forSession(session, async () => demo);
    const [head, body, signature] = parts(assertion ?? '');
    const [published] = await keys.publicKeys();
    expect(decoded(head)).toEqual({ alg: 'EdDSA', kid: published?.kid, typ: 'assertion+jwt' });
    const x = Buffer.from(published?.x ?? '', 'hex').toString('base64url');
    const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
    expect(verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
    const iat = Math.floor(w.time.now / 1000);
    expect(decoded(body)).toMatchObject({
      iss: 'inst',
      aud: demo.id,
      sub: 'root',
      roles: ['Admin', 'Viewer'],
    });
    expect(decoded(body)).toMatchObject({ iat, nbf: iat, exp: iat + 60 });
  });

  it('is reused for less than 30 s, then follows a role that was withdrawn', async () => {
    const w = setUp();
    const first = await w.tokens.assertions.forSession(session, async () => demo);
    w.pass(29_000);
    expect(await w.tokens.assertions.forSession(session, async () => demo)).toBe(first);
    w.roles.now = ['Viewer'];
    w.pass(1_000);
    const later = await w.tokens.assertions.forSession(session, async () => demo);
    expect(decoded(parts(later ?? '')[1])['roles']).toEqual(['Viewer']);
    w.roles.now = [];
    w.pass(30_000);
    expect(await w.tokens.assertions.forSession(session, async () => demo)).toBeUndefined();
  });

  it.each([-3_600_000, 3_600_000])('is signed anew when the wall clock was moved by %d ms', async (moved) => {
    const w = setUp();
    const first = await w.tokens.assertions.forSession(session, async () => demo);
    w.time.now += moved;
    const later = await w.tokens.assertions.forSession(session, async () => demo);
    expect(later).not.toBe(first);
    expect(decoded(parts(later ?? '')[1])).toMatchObject({ iat: Math.floor(w.time.now / 1000) });
  });
});

describe('the signing keys', () => {
  it('stay the same, in a file that only its owner reads', async () => {
    const again = await load(join(folder, 'keys.json'));
    expect(again.publicTokens.kid).toBe(keys.publicTokens.kid);
    expect(again.assertion.kid).not.toBe(again.publicTokens.kid);
    expect(statSync(join(folder, 'keys.json')).mode & 0o777).toBe(0o600);
  });

  it('are not overwritten when the file is broken', async () => {
    const file = join(folder, 'broken.json');
    writeFileSync(file, '{"publicTokens":"secret-material');
    await expect(load(file)).rejects.toThrow(/cannot be read/);
    await expect(load(file)).rejects.not.toThrow(/secret-material/);
  });

  const now = { at: Date.parse('2026-11-25T00:00:00Z') };
  const open = (file: string) => loadOrCreateSigningKeys(file, { clock: { now: () => now.at }, days: 30 });
  const published = async (k: SigningKeys) => (await k.publicKeys()).map(({ kid }) => kid);

  it('give way to new ones that are published before they sign, and verify until nothing of theirs lives', async () => {
    const file = join(folder, 'rotated.json');
    const rotating = await open(file);
    const first = { token: rotating.publicTokens.kid, assertion: rotating.assertion.kid };
    let hints = 0;
    rotating.onChange(() => {
      hints += 1;
    });
    now.at += 29 * 86_400_000;
    await rotating.rotateIfDue();
    expect([hints, await published(rotating)]).toEqual([0, [first.assertion]]);
    now.at += 86_400_000;
    await rotating.rotateIfDue();
    await rotating.rotateIfDue();
    expect([hints, (await published(rotating)).length]).toEqual([1, 2]);
    expect(rotating.publicTokens.kid).toBe(first.token);
    now.at += 121_000;
    expect(rotating.publicTokens.kid).not.toBe(first.token);
    expect(rotating.assertion.kid).toBe((await published(rotating))[1]);
    expect(rotating.tokenKey(first.token)?.kid).toBe(first.token);
    const again = await open(file);
    expect(again.publicTokens.kid).toBe(rotating.publicTokens.kid);
    now.at += 600_000;
    await rotating.rotateIfDue();
    expect(rotating.tokenKey(first.token)).toBeUndefined();
    expect([hints, (await published(rotating)).length]).toEqual([2, 1]);
  });

  it('are read from a file of before there was rotation, and make their first change at once', async () => {
    const file = join(folder, 'former.json');
    const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(file, JSON.stringify({ publicTokens: pem(), assertion: pem() }));
    const former = await open(file);
    const { kid } = former.publicTokens;
    await former.rotateIfDue();
    expect(former.publicTokens.kid).toBe(kid);
    now.at += 121_000;
    expect(former.publicTokens.kid).not.toBe(kid);
  });
});
