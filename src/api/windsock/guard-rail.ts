import { resourceNotFoundException, validationException } from '../../contract/errors.ts';
import { guardRailInput, nothingInput } from '../../contract/shapes/access.ts';
import type { DirectoryDraft } from '../../identity/directory.ts';
import { MalformedPolicy } from '../../policy/malformed.ts';
import { parsePolicy } from '../../policy/parse.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, stringMember } from '../operation.ts';

const name = 'account';

const checksOf =
  (action: string): Operation['checks'] =>
  () => [{ action, resources: ['*'] }];

const change = async (call: Call, deps: ApiDeps, work: (draft: DirectoryDraft) => void) => {
  await deps.directory.change(work, (tx) => deps.audit.write(call.auditEntry({}), tx));
  return {};
};

const checked = (document: string): string => {
  try {
    parsePolicy(document, 'guard-rail');
    return document;
  } catch (error) {
    if (error instanceof MalformedPolicy)
      throw validationException(`MalformedPolicyDocument: ${error.publicText}`);
    throw error;
  }
};

/** Sets the policy over everybody in the account but its root user: what it does not allow, nobody may do. */
export const putGuardRail: Operation = {
  name: 'PutGuardRail',
  input: guardRailInput,
  action: 'windsock:PutGuardRail',
  checks: checksOf('windsock:PutGuardRail'),
  auditsSuccess: true,
  execute: (call, deps) => {
    const document = checked(stringMember(call.input, 'PolicyDocument'));
    const createdAt = deps.clock.now();
    return change(call, deps, (draft) => draft.put({ kind: 'guard-rail', name, document, createdAt }));
  },
};

const absent = () => resourceNotFoundException('No guard rail is set: policies alone decide.');

export const getGuardRail: Operation = {
  name: 'GetGuardRail',
  input: nothingInput,
  action: 'windsock:GetGuardRail',
  checks: checksOf('windsock:GetGuardRail'),
  auditsSuccess: false,
  execute: async (_call, { directory }) => {
    const found = directory.current.get('guard-rail', name);
    if (!found) throw absent();
    return { PolicyDocument: found.document, CreatedAt: found.createdAt / 1000 };
  },
};

export const deleteGuardRail: Operation = {
  name: 'DeleteGuardRail',
  input: nothingInput,
  action: 'windsock:DeleteGuardRail',
  checks: checksOf('windsock:DeleteGuardRail'),
  auditsSuccess: true,
  execute: (call, deps) =>
    change(call, deps, (draft) => {
      const found = draft.get('guard-rail', name);
      if (!found) throw absent();
      draft.remove(found);
    }),
};
