import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../lib/sha256.ts';
import { handleCall } from './pipeline.ts';
import { region, root, type World } from './testing.ts';

/** For tests of this room only: a client of IAM and STS that signs, and reads the XML of their answers. */

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** An element: its text, its members in turn where it is a list, or its children by name. */
// biome-ignore lint/suspicious/noExplicitAny: what a test expects says what is there
type Xml = any;

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll(/&#x([0-9a-fA-F]+);/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replaceAll('&amp;', '&');

const readXml = (text: string): Xml => {
  const tokens = text.matchAll(/<(\/?)([A-Za-z]+)[^>]*?(\/?)>|([^<]+)/g);
  const stack: { readonly name: string; readonly children: [string, Xml][]; text: string }[] = [
    { name: '', children: [], text: '' },
  ];
  const close = () => {
    const done = stack.pop();
    if (!done) return;
    const isList = done.children.length > 0 && done.children.every(([name]) => name === 'member');
    const value = isList
      ? done.children.map(([, child]) => child)
      : done.children.length > 0
        ? Object.fromEntries(done.children)
        : unescaped(done.text);
    stack.at(-1)?.children.push([done.name, value]);
  };
  for (const [, slash, name, empty, inside] of tokens) {
    if (inside !== undefined) (stack.at(-1) ?? { text: '' }).text += inside;
    else if (slash) close();
    else {
      stack.push({ name: name ?? '', children: [], text: '' });
      if (empty) close();
    }
  }
  return Object.fromEntries(stack[0]?.children ?? []);
};

/** `{ Tags: [{ Key: 'a' }] }` as `Tags.member.1.Key=a`. */
const formOf = (given: Readonly<Record<string, unknown>>): URLSearchParams => {
  const form = new URLSearchParams();
  const add = (name: string, value: unknown): void => {
    if (Array.isArray(value)) {
      if (value.length === 0) form.append(name, '');
      for (const [i, item] of value.entries()) add(`${name}.member.${i + 1}`, item);
    } else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) add(`${name}.${key}`, item);
    else form.append(name, String(value));
  };
  for (const [name, value] of Object.entries(given)) add(name, value);
  return form;
};

const versions = { iam: '2010-05-08', sts: '2011-06-15' };

/** What a test looks at: an error's code and text, or the result's members. */
export interface QueryAnswer {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly result: Xml;
  readonly text: string;
}

/** Sends a form as it is, signed for the service. */
export const sendForm = async (
  world: Pick<World, 'deps'>,
  service: 'iam' | 'sts',
  body: string,
  credentials: Credentials = root,
): Promise<QueryAnswer> => {
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const target = { method: 'POST', protocol: 'http:', hostname: 'localhost', path: '/' };
  const headers = { host: 'localhost', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const signed = await signer.sign({ ...target, headers, body });
  const response = await handleCall(
    {
      ...{ method: 'POST', target: '/', rawHeaders: Object.entries(signed.headers).flat() },
      ...{ body: Buffer.from(body), sourceIp: '127.0.0.1' },
      requestId: '7a3c3f0e-0000-4000-8000-000000000000',
    },
    world.deps,
  );
  const [root_] = Object.values(readXml(response.body)) as Xml[];
  const result = Object.entries(root_ ?? {}).find(([name]) => name.endsWith('Result'))?.[1];
  const { Code: code, Message: message } = root_?.Error ?? {};
  return { status: response.status, code, message, result, text: response.body };
};

/** Calls an operation; the root user does, unless credentials are given. */
export const query = (
  world: Pick<World, 'deps'>,
  operation: string,
  given: Readonly<Record<string, unknown>> = {},
  credentials?: Credentials,
): Promise<QueryAnswer> => {
  const service = /^(?:AssumeRole|GetCallerIdentity|GetSessionToken|GetAccessKeyInfo)$/.test(operation)
    ? 'sts'
    : 'iam';
  const form = formOf({ Action: operation, Version: versions[service], ...given });
  return sendForm(world, service, form.toString(), credentials);
};

/** Answers `ok`, or the error as `CODE: text`. */
export const outcome = async (...call: Parameters<typeof query>): Promise<string> => {
  const { status, code, message } = await query(...call);
  return code === undefined ? (status === 200 ? 'ok' : String(status)) : `${status} ${code}: ${message}`;
};

export const policy = (...Statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement });

export const allow = (Action: unknown = '*', Resource: unknown = '*', more: object = {}) => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...more,
});

/** A trust policy. */
export const trusts = (principal: unknown, more: object = {}): string =>
  policy({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...more });

/** A user with an access key, and what he may do. */
export const userWithKey = async (
  world: Pick<World, 'deps'>,
  UserName: string,
  ...statements: readonly object[]
): Promise<Credentials> => {
  await query(world, 'CreateUser', { UserName });
  if (statements.length > 0)
    await query(world, 'PutUserPolicy', {
      ...{ UserName, PolicyName: 'own', PolicyDocument: policy(...statements) },
    });
  return credentialsOf((await query(world, 'CreateAccessKey', { UserName })).result.AccessKey);
};

/** As the structures AccessKey and Credentials have them. */
export const credentialsOf = (given: Xml): Credentials => ({
  accessKeyId: given.AccessKeyId,
  secretAccessKey: given.SecretAccessKey,
  ...(given.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
});
