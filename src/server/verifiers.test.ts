// Which key was used when and for what, as GetAccessKeyLastUsed tells it.

import { SignatureV4 } from '@smithy/signature-v4';
import { expect, test, vi } from 'vitest';
import type { Service } from '../api/route-types.ts';
import type { IamEntity } from '../identity/directory.ts';
import { identityBoxes } from '../identity/identity-key.ts';
import { livingDirectory } from '../identity/living-directory.ts';
import { issueCredentials } from '../identity/session-token.ts';
import { systemClock } from '../lib/clock.ts';
import { Sha256 } from '../lib/sha256.ts';
import type { Transaction } from '../lib/transaction.ts';
import { createVerifiers } from './verifiers.ts';

const accountId = '123456789012';
const root = { accountId, accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'r'.repeat(40) };
const own = { accessKeyId: 'AKIAABCDEFGHIJKLMNOP', secretAccessKey: 's'.repeat(40) };
const boxes = identityBoxes(Buffer.alloc(32, 1));
const ann: IamEntity = {
  ...{ kind: 'user', name: 'ann', path: '/', id: 'AIDAX', createdAt: 0, inline: {}, attached: [] },
  ...{ tags: {}, groups: [] },
};
const key: IamEntity = {
  ...{ kind: 'access-key', id: own.accessKeyId, userName: 'ann', isActive: true, createdAt: 0 },
  sealedSecret: boxes.accessKeys.seal(own.secretAccessKey, own.accessKeyId),
};
const store = {
  inTransaction: <T>(work: (tx: Transaction) => Promise<T>) => work({} as Transaction),
  ...{ load: async () => [], save: async () => {} },
};

test('the use of a key that lasts is noted, with the Region that the service is in', async () => {
  const note = vi.fn();
  const directory = livingDirectory(store, [ann, key]);
  const { verify } = createVerifiers({
    ...{ region: 'eu-west-1', clock: systemClock, root, directory, boxes, keyUses: { note } },
  });
  const call = async (service: Exclude<Service, 's3'>, region: string, credentials: object = own) => {
    const signer = new SignatureV4({
      service,
      region,
      sha256: Sha256,
      credentials: { ...own, ...credentials },
    });
    const request = { method: 'GET', protocol: 'http:', hostname: 'x', path: '/', headers: { host: 'x' } };
    const rawHeaders = Object.entries((await signer.sign(request)).headers).flat();
    return verify({ method: 'GET', target: '/', rawHeaders, body: Buffer.alloc(0) }, service);
  };
  await call('airflow', 'eu-west-1');
  await call('iam', 'us-east-1');
  await call('sts', 'eu-west-1');
  expect(note.mock.calls).toEqual([
    [own.accessKeyId, { service: 'airflow', region: 'eu-west-1' }],
    [own.accessKeyId, { service: 'iam', region: 'us-east-1' }],
    [own.accessKeyId, { service: 'sts', region: 'eu-west-1' }],
  ]);
  await expect(call('airflow', 'us-east-1')).rejects.toThrow();
  const principal = { type: 'IAMUser' as const, id: ann.id, arn: 'a', accountId, iamIdentity: 'user/ann' };
  await call('sts', 'us-east-1', root);
  await call(
    'sts',
    'us-east-1',
    issueCredentials(boxes.sessionTokens, { principal, session: {} }, Date.now() + 60_000),
  );
  expect(note, 'of the root user, of temporary credentials, and of what was refused').toHaveBeenCalledTimes(
    3,
  );
});
