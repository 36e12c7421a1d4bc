import type { AccessKey } from '../../identity/directory.ts';
import { longTermKeyId, randomText } from '../../identity/random-keys.ts';
import { type Asked, type Operation, type Output, optionalString, stringMember } from '../operation.ts';
import { limitExceeded, noSuchEntity } from './errors.ts';
import { changing, reading, type Work } from './operation.ts';
import { page } from './page.ts';
import { ownName } from './tags.ts';
import { on, onAll } from './targets.ts';
import { namedUser } from './users.ts';

const mostKeys = 2;

const statusOf = ({ isActive }: AccessKey) => (isActive ? 'Active' : 'Inactive');

const absent = (id: string) => noSuchEntity(`The Access Key with id ${id} cannot be found.`);

type Lookup = Parameters<typeof namedUser>[0];

/** The key that the call names, of the user that it names; throws NoSuchEntity. */
const keyOf = (directory: Lookup, asked: Asked): AccessKey => {
  const id = stringMember(asked.input, 'AccessKeyId');
  const key = directory.get('access-key', id);
  if (key?.userName !== namedUser(directory, asked).name) throw absent(id);
  return key;
};

/** The one answer that holds the secret; its audit entry does not. */
const withoutSecret = ({ AccessKey: key }: Output): Output => {
  const { SecretAccessKey: _, ...rest } = key as Record<string, unknown>;
  return { AccessKey: rest };
};

const createAccessKey = changing(
  'CreateAccessKey',
  on('user'),
  (draft, work: Work) => {
    const user = namedUser(draft, work);
    const keys = draft.all('access-key').filter(({ userName }) => userName === user.name);
    if (keys.length >= mostKeys) throw limitExceeded('AccessKeysPerUser', mostKeys);
    const [id, secret] = [longTermKeyId(), randomText('base64', 40)];
    const sealedSecret = work.deps.boxes.accessKeys.seal(secret, id);
    const key: AccessKey = {
      ...{ kind: 'access-key', id, userName: user.name, isActive: true },
      ...{ sealedSecret, createdAt: work.now },
    };
    draft.put(key);
    const shown = { UserName: user.name, AccessKeyId: id, Status: 'Active', CreateDate: work.now };
    return { AccessKey: { ...shown, SecretAccessKey: secret } };
  },
  withoutSecret,
);

/** Of the root user, asked without a name, its one key: that stands in a file and cannot be changed here. */
const listAccessKeys = reading('ListAccessKeys', on('user'), (directory, work) => {
  const { principal, input } = work;
  if (principal.type === 'Root' && ownName(work) === undefined) {
    const key = { AccessKeyId: principal.accessKeyId, Status: 'Active', CreateDate: 0 };
    return { AccessKeyMetadata: [key], IsTruncated: false };
  }
  const { name } = namedUser(directory, work);
  const keys = directory.all('access-key').filter(({ userName }) => userName === name);
  const { items, end } = page(keys, input, ({ id }) => id);
  return {
    AccessKeyMetadata: items.map((key) => ({
      ...{ UserName: key.userName, AccessKeyId: key.id },
      ...{ Status: statusOf(key), CreateDate: key.createdAt },
    })),
    ...end,
  };
});

const updateAccessKey = changing('UpdateAccessKey', on('user'), (draft, work) => {
  draft.put({ ...keyOf(draft, work), isActive: work.input['Status'] === 'Active' });
  return {};
});

const deleteAccessKey = changing('DeleteAccessKey', on('user'), (draft, work) => {
  draft.remove(keyOf(draft, work));
  return {};
});

/** `N/A` and no date for a key that was never used, as AWS answers. */
const getAccessKeyLastUsed = reading('GetAccessKeyLastUsed', onAll, (directory, { input, deps }) => {
  const id = optionalString(input, 'AccessKeyId') ?? '';
  const key = directory.get('access-key', id);
  if (!key) throw absent(id);
  const use = deps.keyUses.last(id);
  return {
    UserName: key.userName,
    AccessKeyLastUsed: use
      ? { LastUsedDate: use.at, ServiceName: use.service, Region: use.region }
      : { ServiceName: 'N/A', Region: 'N/A' },
  };
});

export const accessKeyOperations: readonly Operation[] = [
  ...[createAccessKey, listAccessKeys, updateAccessKey, deleteAccessKey, getAccessKeyLastUsed],
];
