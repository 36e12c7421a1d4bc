import type { DirectoryDraft, IamGroup } from '../../identity/directory.ts';
import { uniqueId } from '../../identity/random-keys.ts';
import { type Operation, optionalString, stringMember } from '../operation.ts';
import { deleteConflict, entityAlreadyExists, limitExceeded } from './errors.ts';
import { find } from './find.ts';
import { changing, reading } from './operation.ts';
import { page } from './page.ts';
import { shownGroup, shownUser } from './show.ts';
import { on, onAll, onNew, onRenamed } from './targets.ts';
import { below } from './users.ts';

const mostGroups = 10;

const isFree = (draft: DirectoryDraft, name: string): void => {
  if (draft.get('group', name)) throw entityAlreadyExists(`Group with name ${name} already exists.`);
};

const membersOf = (directory: Pick<DirectoryDraft, 'all'>, name: string) =>
  directory.all('user').filter(({ groups }) => groups.includes(name));

const createGroup = changing('CreateGroup', onNew('group'), (draft, { input, now, accountId }) => {
  const name = stringMember(input, 'GroupName');
  isFree(draft, name);
  const path = optionalString(input, 'Path') ?? '/';
  const group: IamGroup = {
    ...{ kind: 'group', name, path, id: uniqueId('group'), createdAt: now },
    ...{ inline: {}, attached: [] },
  };
  draft.put(group);
  return { Group: shownGroup(accountId, group) };
});

const getGroup = reading('GetGroup', on('group'), (directory, { input, accountId }) => {
  const group = find(directory, 'group', stringMember(input, 'GroupName'));
  const { items, end } = page(membersOf(directory, group.name), input, ({ name }) => name);
  return {
    Group: shownGroup(accountId, group),
    Users: items.map((user) => shownUser(accountId, { ...user, tags: {} })),
    ...end,
  };
});

const listGroups = reading('ListGroups', onAll, (directory, work) => {
  const { items, end } = page(below(directory.all('group'), work), work.input, ({ name }) => name);
  return { Groups: items.map((group) => shownGroup(work.accountId, group)), ...end };
});

const updateGroup = changing('UpdateGroup', onRenamed('group'), (draft, { input }) => {
  const group = find(draft, 'group', stringMember(input, 'GroupName'));
  const name = optionalString(input, 'NewGroupName') ?? group.name;
  if (name.toLowerCase() !== group.name.toLowerCase()) isFree(draft, name);
  const members = membersOf(draft, group.name);
  draft.remove(group);
  draft.put({ ...group, name, path: optionalString(input, 'NewPath') ?? group.path });
  for (const user of members)
    draft.put({ ...user, groups: user.groups.map((other) => (other === group.name ? name : other)) });
  return {};
});

const deleteGroup = changing('DeleteGroup', on('group'), (draft, { input }) => {
  const group = find(draft, 'group', stringMember(input, 'GroupName'));
  const first = (what: string) => deleteConflict(`Cannot delete entity, must ${what} first.`);
  if (membersOf(draft, group.name).length > 0) throw first('remove users from group');
  if (group.attached.length > 0) throw first('detach all policies');
  if (Object.keys(group.inline).length > 0) throw first('delete policies');
  draft.remove(group);
  return {};
});

const addUserToGroup = changing('AddUserToGroup', on('group'), (draft, { input }) => {
  const group = find(draft, 'group', stringMember(input, 'GroupName'));
  const user = find(draft, 'user', stringMember(input, 'UserName'));
  if (user.groups.includes(group.name)) return {};
  if (user.groups.length >= mostGroups) throw limitExceeded('GroupsPerUser', mostGroups);
  draft.put({ ...user, groups: [...user.groups, group.name] });
  return {};
});

const removeUserFromGroup = changing('RemoveUserFromGroup', on('group'), (draft, { input }) => {
  const group = find(draft, 'group', stringMember(input, 'GroupName'));
  const user = find(draft, 'user', stringMember(input, 'UserName'));
  draft.put({ ...user, groups: user.groups.filter((name) => name !== group.name) });
  return {};
});

export const groupOperations: readonly Operation[] = [
  ...[createGroup, getGroup, listGroups, updateGroup, deleteGroup],
  ...[addUserToGroup, removeUserFromGroup],
];
