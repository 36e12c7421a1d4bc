import { rootKey } from './mwaa.ts';
import { type Key, signed } from './raw.ts';
import type { Place } from './server.ts';

type Parameter = string | number | readonly Parameter[] | { readonly [name: string]: Parameter };
type Parameters = Readonly<Record<string, Parameter>>;

/** `Tags.member.1.Key=a`, as the query protocol writes lists and structures. */
const flat = (value: Parameter, name: string): readonly (readonly [string, string])[] => {
  if (Array.isArray(value)) return value.flatMap((member, i) => flat(member, `${name}.member.${i + 1}`));
  if (typeof value === 'object')
    return Object.entries(value).flatMap(([member, v]) =>
      flat(v, name === '' ? member : `${name}.${member}`),
    );
  return [[name, String(value)]];
};

const unescaped = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** The text of the first element of that name. @throws Error */
const element = (xml: string, name: string): string => {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  if (text === undefined) throw new Error(`There is no ${name} in ${xml}`);
  return unescaped(text);
};

/** What `iam` or `sts` answered instead of 200. */
export class QueryFault extends Error {
  readonly code: string;

  constructor(action: string, xml: string) {
    super(`${action}: ${xml}`);
    this.code = element(xml, 'Code');
  }
}

export interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: object;
}

/** Statements that allow, and of everything, where they say nothing else. */
export const policyOf = (statements: readonly Statement[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((s) => ({ Effect: 'Allow', Resource: '*', ...s })),
  });

const tagsOf = (tags: Readonly<Record<string, string>>): Parameter =>
  Object.entries(tags).map(([name, value]) => ({ Key: name, Value: value }));

export interface Rights {
  readonly statements?: readonly Statement[];
  /** Names of ready-made policies. */
  readonly attached?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  /** What at most the holder may do. */
  readonly boundary?: readonly Statement[];
}

/** The directory of people and programs of one server, over signed requests of the services `iam` and `sts`. */
export class Iam {
  readonly accountId: string;
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
    this.accountId = rootKey(place).accountId;
  }

  /** One call as the root user, or with another key; gives the XML. @throws QueryFault */
  async call(action: string, parameters: Parameters = {}, key?: Key): Promise<string> {
    const isIam = !/^(AssumeRole|GetCallerIdentity|GetSessionToken)$/.test(action);
    const body = new URLSearchParams({ Action: action, Version: isIam ? '2010-05-08' : '2011-06-15' });
    for (const [name, value] of flat(parameters, '')) body.append(name, value);
    const answer = await signed(this.#place, {
      ...{ method: 'POST', path: '/', service: isIam ? 'iam' : 'sts' },
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: body.toString(),
      ...(key ? { key } : {}),
    });
    const xml = String(answer.body['text']);
    if (answer.status !== 200) throw new QueryFault(action, xml);
    return xml;
  }

  arn(kind: 'user' | 'role' | 'policy', name: string): string {
    return `arn:aws:iam::${this.accountId}:${kind}/${name}`;
  }

  /** A user with these rights, and an access key of theirs. */
  async user(name: string, rights: Rights = {}): Promise<Key> {
    await this.call('CreateUser', { UserName: name, Tags: tagsOf(rights.tags ?? {}) });
    await this.#give('User', name, rights);
    return this.key(name);
  }

  async key(name: string): Promise<Key> {
    const xml = await this.call('CreateAccessKey', { UserName: name });
    return { accessKeyId: element(xml, 'AccessKeyId'), secretAccessKey: element(xml, 'SecretAccessKey') };
  }

  /** A role with these rights that everybody in the account may assume who has the right to. */
  async role(name: string, rights: Rights = {}): Promise<void> {
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: this.accountId }, Action: 'sts:AssumeRole' }],
    };
    const document = { AssumeRolePolicyDocument: JSON.stringify(trust), Tags: tagsOf(rights.tags ?? {}) };
    await this.call('CreateRole', { RoleName: name, ...document });
    await this.#give('Role', name, rights);
  }

  /** Sets the one policy that stands in the user or role itself. */
  async put(kind: 'User' | 'Role', name: string, statements: readonly Statement[]): Promise<void> {
    const policy = { PolicyName: 'own', PolicyDocument: policyOf(statements) };
    await this.call(`Put${kind}Policy`, { [`${kind}Name`]: name, ...policy });
  }

  async drop(kind: 'User' | 'Role', name: string): Promise<void> {
    await this.call(`Delete${kind}Policy`, { [`${kind}Name`]: name, PolicyName: 'own' });
  }

  /** Temporary credentials; `limits` is a session policy. */
  async assume(key: Key, role: string, session: string, limits?: readonly Statement[]): Promise<Key> {
    const given = { RoleArn: this.arn('role', role), RoleSessionName: session };
    const xml = await this.call(
      'AssumeRole',
      { ...given, ...(limits ? { Policy: policyOf(limits) } : {}) },
      key,
    );
    const [accessKeyId, secretAccessKey] = [element(xml, 'AccessKeyId'), element(xml, 'SecretAccessKey')];
    return { accessKeyId, secretAccessKey, sessionToken: element(xml, 'SessionToken') };
  }

  async #give(kind: 'User' | 'Role', name: string, rights: Rights): Promise<void> {
    const who = { [`${kind}Name`]: name };
    if (rights.statements?.length) await this.put(kind, name, rights.statements);
    for (const policy of rights.attached ?? [])
      await this.call(`Attach${kind}Policy`, { ...who, PolicyArn: `arn:aws:iam::aws:policy/${policy}` });
    if (!rights.boundary) return;
    const edge = { PolicyName: `edge-of-${name}`, PolicyDocument: policyOf(rights.boundary) };
    const PermissionsBoundary = element(await this.call('CreatePolicy', edge), 'Arn');
    await this.call(`Put${kind}PermissionsBoundary`, { ...who, PermissionsBoundary });
  }
}
