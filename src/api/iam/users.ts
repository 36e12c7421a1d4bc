import type { Directory, DirectoryDraft, IamUser } from '../../identity/directory.ts';
import { uniqueId } from '../../identity/random-keys.ts';
import { type Asked, type Operation, optionalString, stringMember } from '../operation.ts';
import { deleteConflict, entityAlreadyExists, noSuchEntity, validationError } from './errors.ts';
import { checkBoundary, find } from './find.ts';
import { changing, reading } from './operation.ts';
import { page } from './page.ts';
import { shownGroup, shownUser } from './show.ts';
import { ownName, tagOperations, tagsOf } from './tags.ts';
import { on, onAll, onNew, onRenamed } from './targets.ts';

/** The user that the call names, or who calls; throws NoSuchEntity or ValidationError. */
export const namedUser = (directory: Directory, asked: Asked): IamUser => {
  const name = ownName(asked);
  if (name === undefined)
    throw validationError('Must specify userName when calling with non-User credentials');
  return find(directory, 'user', name);
};

const isFree = (draft: DirectoryDraft, name: string): void => {
  if (draft.get('user', name)) throw entityAlreadyExists(`User with name ${name} already exists.`);
};

/** All below a path. */
export const below = <T extends { readonly path: string }>(
  items: readonly T[],
  { input }: Asked,
): readonly T[] => items.filter(({ path }) => path.startsWith(optionalString(input, 'PathPrefix') ?? '/'));

const createUser = changing('CreateUser', onNew('user'), (draft, { input, now, accountId }) => {
  const name = stringMember(input, 'UserName');
  isFree(draft, name);
  const boundary = optionalString(input, 'PermissionsBoundary');
  if (boundary !== undefined) checkBoundary(draft, boundary);
  const user: IamUser = {
    kind: 'user',
    name,
    path: optionalString(input, 'Path') ?? '/',
    id: uniqueId('user'),
    createdAt: now,
    tags: tagsOf(input['Tags']),
    ...(boundary === undefined ? {} : { boundary }),
    groups: [],
    inline: {},
    attached: [],
  };
  draft.put(user);
  return { User: shownUser(accountId, user) };
});

/** The root user is shown as AWS shows it: without a name, its id the number of the account. */
const getUser = reading('GetUser', on('user'), (directory, work) => {
  const { principal, accountId } = work;
  if (principal.type === 'Root' && ownName(work) === undefined)
    return { User: { Path: '/', UserName: 'root', UserId: accountId, Arn: principal.arn, CreateDate: 0 } };
  return { User: shownUser(accountId, namedUser(directory, work)) };
});

const listUsers = reading('ListUsers', onAll, (directory, work) => {
  const { items, end } = page(below(directory.all('user'), work), work.input, ({ name }) => name);
  return { Users: items.map((user) => shownUser(work.accountId, { ...user, tags: {} })), ...end };
});

/** Its access keys go with it; everything else of it is in it. */
const rename = (draft: DirectoryDraft, user: IamUser, changed: IamUser): void => {
  draft.remove(user);
  draft.put(changed);
  for (const key of draft.all('access-key'))
    if (key.userName === user.name) draft.put({ ...key, userName: changed.name });
};

const updateUser = changing('UpdateUser', onRenamed('user'), (draft, { input }) => {
  const user = find(draft, 'user', stringMember(input, 'UserName'));
  const name = optionalString(input, 'NewUserName') ?? user.name;
  if (name.toLowerCase() !== user.name.toLowerCase()) isFree(draft, name);
  rename(draft, user, { ...user, name, path: optionalString(input, 'NewPath') ?? user.path });
  return {};
});

const deleteUser = changing('DeleteUser', on('user'), (draft, { input }) => {
  const user = find(draft, 'user', stringMember(input, 'UserName'));
  const first = (what: string) => deleteConflict(`Cannot delete entity, must ${what} first.`);
  if (draft.all('access-key').some(({ userName }) => userName === user.name))
    throw first('delete access keys');
  if (user.attached.length > 0) throw first('detach all policies');
  if (Object.keys(user.inline).length > 0) throw first('delete policies');
  if (user.groups.length > 0) throw first('remove users from group');
  draft.remove(user);
  return {};
});

const putBoundary = changing('PutUserPermissionsBoundary', on('user'), (draft, { input }) => {
  const user = find(draft, 'user', stringMember(input, 'UserName'));
  const boundary = stringMember(input, 'PermissionsBoundary');
  checkBoundary(draft, boundary);
  draft.put({ ...user, boundary });
  return {};
});

const deleteBoundary = changing('DeleteUserPermissionsBoundary', on('user'), (draft, { input }) => {
  const { boundary, ...user } = find(draft, 'user', stringMember(input, 'UserName'));
  if (boundary === undefined) throw noSuchEntity(`User ${user.name} does not have a permissions boundary.`);
  draft.put(user);
  return {};
});

const listGroupsForUser = reading('ListGroupsForUser', on('user'), (directory, work) => {
  const user = find(directory, 'user', stringMember(work.input, 'UserName'));
  const groups = user.groups.flatMap((name) => directory.get('group', name) ?? []);
  const { items, end } = page(groups, work.input, ({ name }) => name);
  return { Groups: items.map((group) => shownGroup(work.accountId, group)), ...end };
});

export const userOperations: readonly Operation[] = [
  ...[createUser, getUser, listUsers, updateUser, deleteUser, listGroupsForUser],
  ...[putBoundary, deleteBoundary],
  ...tagOperations('User', on('user'), (directory, { input }) =>
    find(directory, 'user', stringMember(input, 'UserName')),
  ),
];
