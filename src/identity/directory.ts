/** Times are epoch milliseconds. Names keep their case and are unique without it (IAM User Guide, "IAM identifiers"). */
interface Named {
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  /** `AIDA…`, `AGPA…`, `AROA…`, `ANPA…`: never given twice, unlike the name. */
  readonly id: string;
  readonly createdAt: number;
}

export type IamTags = Readonly<Record<string, string>>;

/** What can hold policies. */
export interface PolicyHolder extends Named {
  /** Documents by name, as they were given. */
  readonly inline: Readonly<Record<string, string>>;
  /** ARNs of managed policies, in the order in which they were attached. */
  readonly attached: readonly string[];
}

export interface IamUser extends PolicyHolder {
  readonly kind: 'user';
  readonly tags: IamTags;
  /** ARN of a managed policy. */
  readonly boundary?: string | undefined;
  /** Names of groups. */
  readonly groups: readonly string[];
}

export interface IamGroup extends PolicyHolder {
  readonly kind: 'group';
}

export interface IamRole extends PolicyHolder {
  readonly kind: 'role';
  readonly tags: IamTags;
  readonly boundary?: string | undefined;
  /** The trust policy as it was given. */
  readonly trust: string;
  readonly description?: string | undefined;
  /** Seconds. */
  readonly maxSessionDuration: number;
}

export interface PolicyVersion {
  /** `v1`, `v2`, …; a number is never given twice. */
  readonly id: string;
  readonly document: string;
  readonly createdAt: number;
}

export interface ManagedPolicy extends Named {
  readonly kind: 'policy';
  readonly arn: string;
  readonly description?: string | undefined;
  readonly versions: readonly PolicyVersion[];
  readonly defaultVersion: string;
  /** The highest number given so far. */
  readonly lastVersion: number;
  readonly updatedAt: number;
  readonly tags: IamTags;
}

export interface AccessKey {
  readonly kind: 'access-key';
  readonly id: string;
  readonly userName: string;
  readonly isActive: boolean;
  /** The secret, sealed under a key outside the database; base64. */
  readonly sealedSecret: string;
  readonly createdAt: number;
}

/** A policy over everybody in the account but its root user. */
export interface GuardRail {
  readonly kind: 'guard-rail';
  readonly name: string;
  readonly document: string;
  readonly createdAt: number;
}

export type IamEntity = IamUser | IamGroup | IamRole | ManagedPolicy | AccessKey | GuardRail;
export type EntityKind = IamEntity['kind'];

/** What an entity is found by among those of its kind. */
const keyOf = (entity: IamEntity): string => {
  if (entity.kind === 'policy') return entity.arn;
  return entity.kind === 'access-key' ? entity.id : entity.name.toLowerCase();
};

export type EntityOf<K extends EntityKind> = Extract<IamEntity, { kind: K }>;

/** Everybody and everything that IAM knows of the account. */
export interface Directory {
  get<K extends EntityKind>(kind: K, key: string): EntityOf<K> | undefined;
  /** In the order of their keys. */
  all<K extends EntityKind>(kind: K): readonly EntityOf<K>[];
  /** The user or role with this unique id, whatever it is called now. */
  byId(id: string): IamUser | IamRole | undefined;
}

/** A directory that is being changed; what `changes` lists is written when the work on it succeeds. */
export interface DirectoryDraft extends Directory {
  put(entity: IamEntity): void;
  remove(entity: IamEntity): void;
}

/** What becomes of one entity. */
export interface EntityChange {
  readonly kind: EntityKind;
  readonly key: string;
  /** Undefined when it is removed. */
  readonly entity: IamEntity | undefined;
}

const placeOf = (kind: EntityKind, key: string): string =>
  `${kind} ${kind === 'user' || kind === 'group' || kind === 'role' || kind === 'guard-rail' ? key.toLowerCase() : key}`;

type Entities = ReadonlyMap<string, IamEntity>;

const ofKind = <K extends EntityKind>(entities: Iterable<IamEntity>, kind: K): readonly EntityOf<K>[] =>
  [...entities]
    .filter((entity): entity is EntityOf<K> => entity.kind === kind)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

/** A directory of these entities, which are not changed any more. */
export const directoryOf = (entities: Iterable<IamEntity>): Directory => {
  const known: Entities = new Map(
    [...entities].map((entity) => [placeOf(entity.kind, keyOf(entity)), entity]),
  );
  const lists = new Map<EntityKind, readonly IamEntity[]>();
  let ids: ReadonlyMap<string, IamUser | IamRole> | undefined;
  return {
    byId: (id) => {
      ids ??= new Map(
        [...ofKind(known.values(), 'user'), ...ofKind(known.values(), 'role')].map((entity) => [
          entity.id,
          entity,
        ]),
      );
      return ids.get(id);
    },
    get: <K extends EntityKind>(kind: K, key: string) =>
      known.get(placeOf(kind, key)) as EntityOf<K> | undefined,
    all: <K extends EntityKind>(kind: K) => {
      const list = lists.get(kind) ?? ofKind(known.values(), kind);
      lists.set(kind, list);
      return list as readonly EntityOf<K>[];
    },
  };
};

const everything = (directory: Directory): readonly IamEntity[] => [
  ...directory.all('user'),
  ...directory.all('group'),
  ...directory.all('role'),
  ...directory.all('policy'),
  ...directory.all('access-key'),
  ...directory.all('guard-rail'),
];

/** A draft over a directory, which stays as it is. */
export const draftOf = (directory: Directory) => {
  const changed = new Map<string, EntityChange>();
  const note = (entity: IamEntity, now: IamEntity | undefined) => {
    const [kind, key] = [entity.kind, keyOf(entity)];
    changed.set(placeOf(kind, key), { kind, key, entity: now });
  };
  const get = <K extends EntityKind>(kind: K, key: string) => {
    const change = changed.get(placeOf(kind, key));
    return change ? (change.entity as EntityOf<K> | undefined) : directory.get(kind, key);
  };
  const after = (): readonly IamEntity[] => {
    const kept = everything(directory).filter((e) => !changed.has(placeOf(e.kind, keyOf(e))));
    return [...kept, ...[...changed.values()].flatMap(({ entity }) => entity ?? [])];
  };
  const draft: DirectoryDraft = {
    get,
    all: (kind) => ofKind(after(), kind),
    byId: (id) => {
      for (const { entity } of changed.values())
        if ((entity?.kind === 'user' || entity?.kind === 'role') && entity.id === id) return entity;
      const before = directory.byId(id);
      return before && !changed.has(placeOf(before.kind, keyOf(before))) ? before : undefined;
    },
    put: (entity) => note(entity, entity),
    remove: (entity) => note(entity, undefined),
  };
  return { draft, changes: () => [...changed.values()], result: () => directoryOf(after()) };
};
