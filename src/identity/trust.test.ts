// Whom a trust policy means: by whom it is written, as whom it is kept, as whom it is shown.
import { expect, test, vi } from 'vitest';
import { MalformedPolicy } from '../policy/malformed.ts';
import { directoryOf, type IamEntity, type IamRole, type IamUser } from './directory.ts';
import { type DirectoryStore, openDirectory } from './living-directory.ts';
import { keptTrust, settledTrust, shownTrust } from './trust.ts';

const accountId = '123456789012';
const id = (kind: 'AIDA' | 'AROA', end: string) => `${kind}${'A'.repeat(17 - end.length)}${end}`;
const holder = { createdAt: 0, tags: {}, inline: {}, attached: [] };
const user = (name: string, more: Partial<IamUser> = {}): IamUser => ({
  ...{ ...holder, kind: 'user', name, path: '/', id: id('AIDA', name.toUpperCase()), groups: [] },
  ...more,
});
const role = (name: string, more: Partial<IamRole> = {}): IamRole => ({
  ...{ ...holder, kind: 'role', name, path: '/', id: id('AROA', name.toUpperCase()) },
  ...{ trust: '', maxSessionDuration: 3_600 },
  ...more,
});
const iam = (resource: string, account = accountId) => `arn:aws:iam::${account}:${resource}`;
const sts = (resource: string, account = accountId) => `arn:aws:sts::${account}:${resource}`;
const where = (...entities: readonly IamEntity[]) => ({ accountId, directory: directoryOf(entities) });
const here = where(user('ann'), user('bob', { path: '/data/' }), role('ci'), role('ops', { path: '/a/b/' }));
const trusting = (principal: unknown) =>
  `{ "Version": "2012-10-17",\n  "Statement": [ {"Effect":"Allow","Action":"sts:AssumeRole", "Principal": ${JSON.stringify(principal)} } ] }\n`;

test.each<[string, string]>([
  [iam('user/ann'), id('AIDA', 'ANN')],
  [iam('user/data/bob'), id('AIDA', 'BOB')],
  [iam('role/ci'), id('AROA', 'CI')],
  [iam('role/a/b/ops'), id('AROA', 'OPS')],
  [sts('assumed-role/ci/run-1'), `${id('AROA', 'CI')}:run-1`],
  [sts('assumed-role/ops/x@y.example'), `${id('AROA', 'OPS')}:x@y.example`],
])('%s is kept as an id and shown as it was written', (arn, kept) => {
  const given = trusting({ AWS: ['*', arn, accountId] });
  const text = keptTrust(given, here);
  expect(text).toBe(given.replace(arn, kept));
  expect(keptTrust(text, here)).toBe(text);
  expect(shownTrust(text, here)).toBe(given);
});

test.each([
  ['everybody', '*'],
  ['everybody, in the long form', { AWS: '*' }],
  ['the account', { AWS: accountId }],
  ['the account by its root', { AWS: iam('root') }],
  ['others', { AWS: ['210987654321', iam('root', '210987654321'), iam('user/x/ann', '210987654321')] }],
  ['sessions of others', { AWS: sts('assumed-role/ci/run', '210987654321') }],
  ['a federated user', { AWS: sts('federated-user/ann') }],
  ['a service', { Service: ['airflow-env.amazonaws.com', 'ec2.amazonaws.com.cn'] }],
  ['a provider', { Federated: [iam('oidc-provider/id.example/x'), iam('saml-provider/x')] }],
  ['a well-known provider', { Federated: 'accounts.google.com' }],
])('%s is kept as it is', (_, principal) => {
  expect(keptTrust(trusting(principal), here)).toBe(trusting(principal));
});

test.each<[string, string]>([
  ['AWS', iam('user/nobody')],
  ['AWS', iam('user/ANN')],
  ['AWS', iam('user/bob')],
  ['AWS', iam('user/x/ann')],
  ['AWS', iam('role/ann')],
  ['AWS', iam('role/ops')],
  ['AWS', iam('role/a/ops')],
  ['AWS', iam('role/a/ci')],
  ['AWS', iam('user/*')],
  ['AWS', iam('role/c?')],
  ['AWS', iam('*')],
  ['AWS', 'arn:aws:iam::*:root'],
  ['AWS', iam('user/*', '210987654321')],
  ['AWS', iam('group/readers')],
  ['AWS', iam('policy/x')],
  ['AWS', sts('assumed-role/nobody/run')],
  ['AWS', sts('assumed-role/a/b/ops/run')],
  ['AWS', sts('assumed-role/ci/*')],
  ['AWS', sts('assumed-role/ci/')],
  ['AWS', id('AIDA', 'GONE')],
  ['AWS', `${id('AROA', 'GONE')}:run`],
  ['AWS', ''],
  ['SERVICE', '*'],
  ['SERVICE', 'airflow.example'],
  ['FEDERATED', '*'],
  ['FEDERATED', iam('oidc-provider/*')],
])('%s %s is refused as AWS does', (kind, text) => {
  const member = { AWS: 'AWS', SERVICE: 'Service', FEDERATED: 'Federated' }[kind] ?? kind;
  const refusal = expect(() => keptTrust(trusting({ [member]: text }), here));
  refusal.toThrow(MalformedPolicy);
  refusal.toThrow(`Invalid principal in policy: "${kind}":"${text}" (line 2, column `);
});

test.each(['Allow', 'Deny'])('NotPrincipal under %s is refused', (Effect) => {
  const statement = { Effect, Action: 'sts:AssumeRole', NotPrincipal: { AWS: iam('user/ann') } };
  const given = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  expect(() => keptTrust(given, here)).toThrow('Has prohibited field NotPrincipal');
  expect(() => keptTrust(given.replace(/\{"AWS":"[^"]*"\}/, '"*"'), here)).toThrow(
    'Has prohibited field NotPrincipal',
  );
});

test('whoever is trusted is shown with his name and path of now, by his id when he is gone', () => {
  const given = trusting({ AWS: [iam('user/ann'), sts('assumed-role/ci/run')] });
  const kept = keptTrust(given, here);
  const shown = (...entities: readonly IamEntity[]) => shownTrust(kept, where(...entities));
  const [ann, run] = [id('AIDA', 'ANN'), `${id('AROA', 'CI')}:run`];
  expect(shown(user('bea', { path: '/new/', id: ann }), role('ci', { path: '/p/' }))).toBe(
    trusting({ AWS: [iam('user/new/bea'), sts('assumed-role/ci/run')] }),
  );
  expect(shown(user('ann', { id: id('AIDA', 'OTHER') }), role('ci', { id: id('AROA', 'OTHER') }))).toBe(
    trusting({ AWS: [ann, run] }),
  );
});

test('names of an older version become ids once: of who has them now, or of nobody', () => {
  const given = trusting({
    AWS: [iam('user/ann'), iam('user/gone'), sts('assumed-role/old/run'), accountId],
  });
  const { trust, gone } = settledTrust(given, here);
  expect(gone).toEqual([iam('user/gone'), sts('assumed-role/old/run')]);
  const { AWS } = JSON.parse(trust).Statement[0].Principal;
  expect(AWS).toEqual([
    id('AIDA', 'ANN'),
    expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
    expect.stringMatching(/^AROA[A-Z2-7]{17}:run$/),
    accountId,
  ]);
  const later = where(user('ann', { id: id('AIDA', 'NEW') }), user('gone'), role('old'));
  expect(settledTrust(trust, later)).toEqual({ trust, gone: [] });
});

test('a directory that kept names is settled before it is used, and what is gone is told', async () => {
  const odd = trusting({ AWS: [iam('user/*'), iam('group/x')], Service: '*' });
  const stored = new Map<string, IamEntity>([
    ['user ann', user('ann')],
    ['role a', role('a', { trust: trusting({ AWS: [iam('user/ann'), iam('role/gone')] }) })],
    ['role b', role('b', { trust: odd })],
  ]);
  const save = vi.fn<DirectoryStore['save']>(async (_, changes) => {
    for (const { kind, key, entity } of changes) if (entity) stored.set(`${kind} ${key}`, entity);
  });
  const store = {
    ...{ load: async () => [...stored.values()], save },
    inTransaction: (work: (tx: never) => Promise<never>) => work({} as never),
  } as unknown as DirectoryStore;
  const warn = vi.fn();
  const first = await openDirectory(store, { accountId, log: { warn } });
  const trust = first.current.get('role', 'a')?.trust;
  expect(trust).toContain(id('AIDA', 'ANN'));
  expect(trust).not.toContain('arn:');
  expect(first.current.get('role', 'b')?.trust).toBe(odd);
  expect(warn.mock.calls).toEqual([
    ['trusted names are gone', { role: 'a', reason: expect.stringContaining(iam('role/gone')) }],
  ]);
  stored.set('role gone', role('gone', { trust: trusting('*') }));
  const second = await openDirectory(store, { accountId, log: { warn } });
  expect(second.current.get('role', 'a')?.trust).toBe(trust);
  expect(save).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledTimes(1);
});
