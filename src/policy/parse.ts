import { createHash } from 'node:crypto';
import { Document, type Value } from './document.ts';
import { parseConditions } from './parse-condition.ts';
import { parsePrincipal } from './parse-principal.ts';
import { matcherOf, patternOf } from './pattern.ts';
import type { ActionPattern, Policy, PolicyKind, Statement } from './policy.ts';
import { type ResourcePattern, resourcePattern } from './resource.ts';

const versions = ['2012-10-17', '2008-10-17'];
const mostStatements = 1_000;
const elements = new Set([
  ...['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource'],
  ...['Principal', 'NotPrincipal', 'Condition'],
]);

const withPrincipal = (kind: PolicyKind): boolean =>
  kind === 'trust' || kind === 'resource' || kind === 'bucket';

type Members = ReadonlyMap<string, Value>;

const oneOf = (
  members: Members,
  name: string,
): { readonly value: Value; readonly not: boolean } | undefined => {
  const [value, not] = [members.get(name), members.get(`Not${name}`)];
  if (value) return { value, not: false };
  return not && { value: not, not: true };
};

const checkElements = (doc: Document, statement: Value, members: Members, kind: PolicyKind): void => {
  for (const [name, value] of members)
    if (!elements.has(name))
      throw doc.fault('Syntax errors in policy.', value, `a statement has no element ${name.slice(0, 50)}`);
  for (const name of ['Action', 'Resource', 'Principal'])
    if (members.has(name) && members.has(`Not${name}`))
      throw doc.fault('Syntax errors in policy.', statement, `it has both ${name} and Not${name}`);
  const principal = oneOf(members, 'Principal');
  if (principal && !withPrincipal(kind))
    throw doc.fault(
      'Policy document should not specify a principal.',
      principal.value,
      'it is for whoever the policy is attached to; take the element out',
    );
  if (!principal && withPrincipal(kind))
    throw doc.fault('Missing required field Principal', statement, 'say who is trusted');
  if (principal?.not && members.get('Effect')?.node.value === 'Allow')
    throw doc.fault(
      kind === 'trust' ? 'Has prohibited field NotPrincipal' : 'Allow with NotPrincipal is not allowed.',
      principal.value,
      'name who is trusted',
    );
  const resource = oneOf(members, 'Resource');
  if (resource && kind === 'trust')
    throw doc.fault('Has prohibited field Resource', resource.value, 'a trust policy is about its role');
};

const parseEffect = (doc: Document, statement: Value, members: Members): Statement['effect'] => {
  const value = members.get('Effect');
  if (!value) throw doc.fault('Missing required field Effect', statement, 'it is Allow or Deny');
  const text = doc.text(value);
  if (text === 'Allow' || text === 'Deny') return text;
  throw doc.fault(`Invalid effect: ${text.slice(0, 50)}`, value, 'it is Allow or Deny, spelled so');
};

const actionPattern = (doc: Document, value: Value): ActionPattern => {
  const text = doc.text(value);
  if (text === '*') return { text, matches: () => true };
  const colon = text.indexOf(':');
  if (colon < 0)
    throw doc.fault(
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
      value,
      `${text.slice(0, 60)} has none; write for instance airflow:GetEnvironment`,
    );
  const [vendor, name] = [text.slice(0, colon), text.slice(colon + 1)];
  if (!/^[A-Za-z0-9-]+$/.test(vendor))
    throw doc.fault(
      `Vendor ${vendor.slice(0, 60)} is not valid`,
      value,
      'no wildcards stand before the colon',
    );
  if (!/^[A-Za-z0-9*?]*$/.test(name))
    throw doc.fault('Syntax errors in policy.', value, `${text.slice(0, 60)} is no action`);
  return { text, matches: matcherOf(patternOf(text.toLowerCase())) };
};

const parseActions = (doc: Document, statement: Value, members: Members) => {
  const found = oneOf(members, 'Action');
  const items = found ? doc.items(found.value) : [];
  if (!found || items.length === 0)
    throw doc.fault('Policy statement must contain actions.', found?.value ?? statement);
  return { actions: items.map((item) => actionPattern(doc, item)), notActions: found.not };
};

const resourceHelp = {
  'not-an-arn': 'write an ARN with six parts, or "*"',
  'variable-too-early': 'variables may only stand after the fifth colon',
  'bad-variable': 'a variable is a key in braces after a dollar sign',
} as const;

const parseResource = (doc: Document, value: Value, withVariables: boolean): ResourcePattern => {
  const text = doc.text(value);
  const pattern = resourcePattern(text, withVariables);
  if (typeof pattern !== 'string') return pattern;
  throw doc.fault(
    `Resource ${text.slice(0, 200)} must be in ARN format or "*".`,
    value,
    resourceHelp[pattern],
  );
};

const parseResources = (doc: Document, statement: Value, members: Members, o: Options) => {
  if (o.kind === 'trust') return { resources: undefined, notResources: false };
  const found = oneOf(members, 'Resource');
  const items = found ? doc.items(found.value) : [];
  if (!found || items.length === 0)
    throw doc.fault('Policy statement must contain resources.', found?.value ?? statement);
  return {
    resources: items.map((item) => parseResource(doc, item, o.withVariables)),
    notResources: found.not,
  };
};

const parseSid = (doc: Document, members: Members, kind: PolicyKind): string | undefined => {
  const value = members.get('Sid');
  if (!value) return undefined;
  const text = doc.text(value);
  // Trust and resource policies may have blanks and more in theirs.
  if (!withPrincipal(kind) && !/^[0-9A-Za-z]*$/.test(text))
    throw doc.fault(
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
      value,
    );
  return text === '' ? undefined : text;
};

interface Options {
  readonly kind: PolicyKind;
  readonly withVariables: boolean;
  readonly isStored: boolean;
}

const parseStatement = (doc: Document, statement: Value, index: number, o: Options): Statement => {
  const members = doc.members(statement);
  checkElements(doc, statement, members, o.kind);
  const principal = oneOf(members, 'Principal');
  return {
    sid: parseSid(doc, members, o.kind),
    index,
    effect: parseEffect(doc, statement, members),
    ...parseActions(doc, statement, members),
    ...parseResources(doc, statement, members, o),
    principal:
      principal &&
      parsePrincipal(doc, principal.value, {
        negated: principal.not,
        byId: o.kind === 'trust' || o.kind === 'bucket',
      }),
    conditions: parseConditions(doc, members.get('Condition'), o),
    start: doc.start(statement),
    end: doc.end(statement),
  };
};

const checkSids = (doc: Document, statements: readonly Statement[], values: readonly Value[]): void => {
  const seen = new Set<string>();
  for (const { sid, index } of statements) {
    if (sid === undefined) continue;
    if (seen.has(sid))
      throw doc.fault(
        'Statement IDs (SID) in a single policy must be unique.',
        values[index] ?? 0,
        `${sid.slice(0, 60)} is there twice`,
      );
    seen.add(sid);
  }
};

const parseVersion = (doc: Document, value: Value | undefined, kind: PolicyKind): string => {
  const version = value === undefined ? '2008-10-17' : doc.text(value);
  const isKnown = versions.includes(version);
  if (!isKnown)
    throw doc.fault(
      'Policy document must be version 2012-10-17 or greater.',
      value ?? 0,
      `${version.slice(0, 30)} is not a version; write "Version": "2012-10-17"`,
    );
  if (kind === 'guard-rail' && version !== '2012-10-17')
    throw doc.fault('Policy document must be version 2012-10-17 or greater.', value ?? 0);
  return version;
};

/**
 * Reads and checks a policy (IAM User Guide, "IAM JSON policy element reference"). Throws MalformedPolicy with AWS's
 * text and the place.
 */
export const parsePolicy = (text: string, kind: PolicyKind, isStored = false): Policy => {
  const doc = new Document(text.startsWith('\ufeff') ? '\u0000' : text);
  const members = doc.members(doc.root);
  for (const [name, value] of members)
    if (!['Version', 'Id', 'Statement'].includes(name))
      throw doc.fault('Syntax errors in policy.', value, `a policy has no element ${name.slice(0, 50)}`);
  const version = parseVersion(doc, members.get('Version'), kind);
  const id = members.get('Id');
  if (id) doc.text(id);
  const given = members.get('Statement');
  const values = given ? doc.items(given) : [];
  if (!given || values.length === 0)
    throw doc.fault('Syntax errors in policy.', given ?? doc.root, 'it has no statement');
  if (values.length > mostStatements)
    throw doc.fault('Syntax errors in policy.', given, `it has more than ${mostStatements} statements`);
  const o = { kind, withVariables: version === '2012-10-17', isStored };
  const statements = values.map((value, i) => parseStatement(doc, value, i, o));
  checkSids(doc, statements, values);
  if (kind === 'guard-rail' && !statements.some(({ effect }) => effect === 'Allow'))
    throw doc.fault(
      'Syntax errors in policy.',
      given,
      'it allows nothing, so nobody could do anything; add a statement that allows what is not to be denied',
    );
  return { kind, statements };
};

const mostCached = 2_000;
const cache = new Map<string, Policy>();

/**
 * The same of what is stored, read once for each content: a check that came after it was put must not make it unreadable. Kept by a hash, not by the text, so that a key is short whatever the document;
 * the least recently used goes first.
 */
export const compiledPolicy = (text: string, kind: PolicyKind): Policy => {
  const key = `${kind} ${createHash('sha256').update(text).digest('base64')}`;
  const known = cache.get(key) ?? parsePolicy(text, kind, true);
  cache.delete(key);
  cache.set(key, known);
  const oldest = cache.keys().next().value;
  if (cache.size > mostCached && oldest !== undefined) cache.delete(oldest);
  return known;
};
