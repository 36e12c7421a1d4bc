// `node tools/trim-model.ts FOLDER`: writes the parts of AWS's models of IAM and STS that Windsock speaks to
// src/contract/models, from the data folder of an installed botocore.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const entities = ['User', 'Group', 'Role'] as const;

/** What is served of each service. */
const served = {
  'iam/2010-05-08': [
    ...['CreateUser', 'GetUser', 'ListUsers', 'UpdateUser', 'DeleteUser'],
    ...[
      'TagUser',
      'UntagUser',
      'ListUserTags',
      'PutUserPermissionsBoundary',
      'DeleteUserPermissionsBoundary',
    ],
    ...['CreateGroup', 'GetGroup', 'ListGroups', 'UpdateGroup', 'DeleteGroup'],
    ...['AddUserToGroup', 'RemoveUserFromGroup', 'ListGroupsForUser'],
    ...['CreateRole', 'GetRole', 'ListRoles', 'UpdateRole', 'UpdateRoleDescription', 'DeleteRole'],
    ...['UpdateAssumeRolePolicy', 'TagRole', 'UntagRole', 'ListRoleTags', 'ListInstanceProfilesForRole'],
    ...['PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary'],
    ...['CreateAccessKey', 'ListAccessKeys', 'UpdateAccessKey', 'DeleteAccessKey', 'GetAccessKeyLastUsed'],
    ...[
      'CreatePolicy',
      'GetPolicy',
      'ListPolicies',
      'DeletePolicy',
      'TagPolicy',
      'UntagPolicy',
      'ListPolicyTags',
    ],
    ...['CreatePolicyVersion', 'GetPolicyVersion', 'ListPolicyVersions', 'SetDefaultPolicyVersion'],
    ...['DeletePolicyVersion', 'ListEntitiesForPolicy'],
    ...entities.flatMap((e) => [`Put${e}Policy`, `Get${e}Policy`, `List${e}Policies`, `Delete${e}Policy`]),
    ...entities.flatMap((e) => [`Attach${e}Policy`, `Detach${e}Policy`, `ListAttached${e}Policies`]),
    ...['GetAccountAuthorizationDetails', 'GetAccountSummary', 'ListAccountAliases'],
    ...['SimulatePrincipalPolicy', 'SimulateCustomPolicy'],
    ...['GetContextKeysForCustomPolicy', 'GetContextKeysForPrincipalPolicy'],
  ],
  'sts/2011-06-15': ['GetCallerIdentity', 'AssumeRole', 'GetSessionToken', 'GetAccessKeyInfo'],
};

type Json = Readonly<Record<string, unknown>>;
interface Model {
  readonly metadata: Readonly<Record<string, string>>;
  readonly operations: Readonly<Record<string, { readonly [key: string]: unknown }>>;
  readonly shapes: Readonly<Record<string, Json>>;
}

const left = new Set(['documentation', 'documentationUrl', 'exception', 'idempotent', 'auth', 'box']);
const withoutTexts = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, v]) =>
      left.has(key) && typeof v !== 'object' ? [] : [[key, withoutTexts(v)]],
    ),
  );
};

const namesIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) =>
    key === 'shape' && typeof v === 'string' ? [v] : namesIn(v),
  );
};

const trimmed = (model: Model, names: readonly string[]): object => {
  const operations = Object.fromEntries(
    names.map((name) => {
      const found = model.operations[name];
      if (!found) throw new Error(`the model has no operation ${name}`);
      const { input, output } = found;
      return [name, { ...(input ? { input } : {}), ...(output ? { output } : {}) }];
    }),
  );
  const shapes: Record<string, unknown> = {};
  const take = (name: string): void => {
    if (name in shapes) return;
    shapes[name] = withoutTexts(model.shapes[name]);
    namesIn(shapes[name]).forEach(take);
  };
  namesIn(operations).forEach(take);
  const { apiVersion, xmlNamespace } = model.metadata;
  return { apiVersion, xmlNamespace, operations: withoutTexts(operations), shapes };
};

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the data folder of a botocore.');
for (const [path, names] of Object.entries(served)) {
  const model: Model = JSON.parse(
    gunzipSync(readFileSync(join(folder, path, 'service-2.json.gz'))).toString('utf8'),
  );
  const file = fileURLToPath(new URL(`../src/contract/models/${path.split('/')[0]}.json`, import.meta.url));
  writeFileSync(file, `${JSON.stringify(trimmed(model, names))}\n`);
}
