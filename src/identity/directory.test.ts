// The directory of an account, in memory, and how it changes together with its store.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { silentLog } from '../lib/log.ts';
import type { Transaction } from '../lib/transaction.ts';
import { directoryOf, draftOf, type IamEntity, type IamGroup, type IamUser } from './directory.ts';
import { type DirectoryStore, livingDirectory, openDirectory } from './living-directory.ts';
import { policiesOf } from './policies-of.ts';
import type { Principal } from './principal.ts';

const named = { path: '/', createdAt: 0, inline: {}, attached: [] };
const user = (name: string, more: Partial<IamUser> = {}): IamUser => ({
  ...{ ...named, kind: 'user', name, id: `AIDA${name}`, tags: {}, groups: [] },
  ...more,
});
const group = (name: string): IamGroup => ({ ...named, kind: 'group', name, id: `AGPA${name}` });

describe('a directory', () => {
  test('finds by name in any spelling, and lists in order', () => {
    const directory = directoryOf([user('Zoe'), user('ann'), group('ann')]);
    expect(directory.get('user', 'ANN')).toMatchObject({ kind: 'user', name: 'ann' });
    expect(directory.get('group', 'Ann')).toMatchObject({ kind: 'group' });
    expect(directory.get('role', 'ann')).toBeUndefined();
    expect(directory.all('user').map(({ name }) => name)).toEqual(['ann', 'Zoe']);
  });

  test('a draft leaves it as it is', () => {
    const before = directoryOf([user('ann')]);
    const { draft, result, changes } = draftOf(before);
    draft.remove(user('ann'));
    draft.put(user('bob'));
    expect(draft.get('user', 'ann')).toBeUndefined();
    expect(draft.all('user').map(({ name }) => name)).toEqual(['bob']);
    expect(before.all('user').map(({ name }) => name)).toEqual(['ann']);
    expect(result().all('user')).toEqual([user('bob')]);
    expect(changes().map(({ key, entity }) => [key, entity?.kind])).toEqual([
      ['ann', undefined],
      ['bob', 'user'],
    ]);
  });

  test('a draft does what a map would do, whatever is put and removed', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'A', 'b', 'c'),
      put: fc.boolean(),
      path: fc.constantFrom('/', '/x/'),
    });
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (first, second) => {
        const model = new Map<string, IamEntity>();
        const apply = (
          draft: { put(e: IamEntity): void; remove(e: IamEntity): void },
          steps: typeof first,
        ) => {
          for (const { name, put, path } of steps) {
            const entity = user(name, { path });
            if (put) draft.put(entity);
            else draft.remove(entity);
            if (put) model.set(name.toLowerCase(), entity);
            else model.delete(name.toLowerCase());
          }
        };
        const one = draftOf(directoryOf([]));
        apply(one.draft, first);
        const two = draftOf(one.result());
        apply(two.draft, second);
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entity]) => entity);
        expect(two.draft.all('user')).toEqual(sorted);
        expect(two.result().all('user')).toEqual(sorted);
      }),
    );
  });
});

describe('a living directory', () => {
  const memory = (rows: IamEntity[] = []) => {
    const saved: string[] = [];
    const store: DirectoryStore = {
      inTransaction: (work) => work({} as Transaction),
      load: vi.fn(async () => rows),
      save: async (_tx, changes) => void saved.push(...changes.map(({ key }) => key)),
    };
    return { store, saved };
  };
  const nothing = async () => {};

  test('is what is stored, and what is changed is stored with its record', async () => {
    const { store, saved } = memory([user('ann')]);
    const living = await openDirectory(store, { accountId: '123456789012', log: silentLog });
    const record = vi.fn(async () => void saved.push('record'));
    expect(await living.change((draft) => draft.put(user('bob')) ?? 'answer', record)).toBe('answer');
    expect(saved).toEqual(['bob', 'record']);
    expect(living.current.all('user')).toHaveLength(2);
  });

  test('what the work throws changes nothing, and what comes after it works', async () => {
    const { store, saved } = memory();
    const living = livingDirectory(store, [user('ann')]);
    const work = (draft: { put(e: IamEntity): void }) => {
      draft.put(user('bob'));
      throw new Error('no');
    };
    await expect(living.change(work, nothing)).rejects.toThrow('no');
    expect(saved).toEqual([]);
    expect(living.current.get('user', 'bob')).toBeUndefined();
    expect(store.load).not.toHaveBeenCalled();
    await living.change((draft) => draft.put(user('cyd')), nothing);
    expect(living.current.all('user')).toHaveLength(2);
  });

  test('a commit whose answer was lost makes the next change look: it counted, or it did not', async () => {
    for (const counted of [true, false]) {
      const rows = [user('ann')];
      const { store } = memory(rows);
      const living = livingDirectory(store, rows);
      const lost = async () => {
        if (counted) rows.push(user('bob'));
        throw new Error('connection lost');
      };
      await expect(living.change((draft) => draft.put(user('bob')), lost)).rejects.toThrow('lost');
      const seen = await living.change((draft) => draft.get('user', 'bob') !== undefined, nothing);
      expect(seen).toBe(counted);
      expect(store.load).toHaveBeenCalledTimes(1);
    }
  });

  test('changes come one after another, each on what the one before left', async () => {
    const { store } = memory();
    const living = livingDirectory(store, [user('ann', { path: '/' })]);
    const longer = () =>
      living.change((draft) => {
        const ann = draft.get('user', 'ann') ?? user('ann');
        draft.put({ ...ann, path: `${ann.path}x/` });
      }, nothing);
    await Promise.all(Array.from({ length: 20 }, longer));
    expect(living.current.get('user', 'ann')?.path).toBe(`/${'x/'.repeat(20)}`);
  });
});

describe('the policies of somebody', () => {
  const accountId = '123456789012';
  const all = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
  const principal: Principal = {
    type: 'IAMUser',
    ...{ arn: `arn:aws:iam::${accountId}:user/ann`, accountId, iamIdentity: 'user/ann' },
    ...{ accessKeyId: 'ASIAABCDEFGHIJKLMNOP', id: 'AIDAann' },
  };
  const ann = user('ann', { inline: { all } });

  test('follow the directory of the moment', () => {
    const before = directoryOf([ann]);
    expect(policiesOf(before, { principal }).identity).toHaveLength(1);
    expect(policiesOf(before, { principal }).identity).toBe(policiesOf(before, { principal }).identity);
    const { draft, result } = draftOf(before);
    draft.put({ ...ann, groups: ['g'] });
    draft.put({ ...group('g'), inline: { all, more: all } });
    expect(policiesOf(result(), { principal }).identity).toHaveLength(3);
    expect(policiesOf(directoryOf([]), { principal }).identity).toEqual([]);
  });

  test('of another one with the same name are none of his', () => {
    expect(policiesOf(directoryOf([{ ...ann, id: 'AIDAother' }]), { principal }).identity).toEqual([]);
  });

  test('a boundary or a managed policy that is gone allows nothing', () => {
    const boundary = `arn:aws:iam::${accountId}:policy/gone`;
    const found = policiesOf(directoryOf([{ ...ann, boundary, attached: [boundary] }]), { principal });
    expect(found.identity).toHaveLength(1);
    expect(found.boundary).toEqual({ name: boundary, policy: { kind: 'boundary', statements: [] } });
  });
});
