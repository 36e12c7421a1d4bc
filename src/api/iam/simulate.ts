import type { Checked } from '../../contract/constraints.ts';
import type { Directory } from '../../identity/directory.ts';
import { policiesOfArn } from '../../identity/policies-of.ts';
import { contextKeysOf } from '../../policy/context-keys.ts';
import {
  type Decision,
  evaluate,
  type MatchedStatement,
  type NamedPolicy,
  type Policies,
} from '../../policy/evaluate.ts';
import { MalformedPolicy } from '../../policy/malformed.ts';
import { compiledPolicy } from '../../policy/parse.ts';
import type { PolicyKind } from '../../policy/policy.ts';
import { type Operation, type Output, optionalString, stringMember } from '../operation.ts';
import { invalidInput, noSuchEntity } from './errors.ts';
import { reading, type TargetOf, type Work } from './operation.ts';
import { page } from './page.ts';
import { withoutExcluded } from './policy-exclusions.ts';
import { onAll } from './targets.ts';

/** A document of the request, named as AWS names it in MatchedStatements. Throws InvalidInput. */
const given = (text: string, kind: PolicyKind, name: string) => {
  try {
    return { name, policy: compiledPolicy(text, kind) };
  } catch (error) {
    if (error instanceof MalformedPolicy) throw invalidInput(error.publicText);
    throw error;
  }
};

const listOf = (input: Checked, member: string, kind: PolicyKind) =>
  ((input[member] ?? []) as readonly string[]).map((text, i) => given(text, kind, `${member}.${i + 1}`));

interface ContextEntry {
  readonly ContextKeyName?: string;
  readonly ContextKeyValues?: readonly string[];
}

const contextOf = (input: Checked): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    ((input['ContextEntries'] ?? []) as readonly ContextEntry[]).map(
      ({ ContextKeyName = '', ContextKeyValues = [] }) => [ContextKeyName, ContextKeyValues],
    ),
  );

const sourceTypes = {
  ...{ identity: 'user-managed', boundary: 'user-managed', resource: 'resource' },
  ...{ session: 'none', 'guard-rail': 'none' },
} as const;

/** `arn:aws:iam::ACCOUNT:user/ann inline policy web` is a policy of a user. */
const sourceType = ({ policy, layer }: MatchedStatement): string => {
  if (policy.startsWith('arn:aws:iam::aws:')) return 'aws-managed';
  return /^arn:aws:iam::\d+:(user|group|role)\//.exec(policy)?.[1] ?? sourceTypes[layer];
};

const shownStatement = (statement: MatchedStatement) => ({
  SourcePolicyId: statement.policy,
  SourcePolicyType: sourceType(statement),
  StartPosition: { Line: statement.start.line, Column: statement.start.column },
  EndPosition: { Line: statement.end.line, Column: statement.end.column },
});

const decisionName = ({ allowed, reason }: Decision): string => {
  if (allowed) return 'allowed';
  return reason.startsWith('explicit-deny') ? 'explicitDeny' : 'implicitDeny';
};

const shownResult = (action: string, resource: string, decision: Decision, policies: Policies) => ({
  EvalActionName: action,
  EvalResourceName: resource,
  EvalDecision: decisionName(decision),
  MatchedStatements: decision.matched.map(shownStatement),
  MissingContextValues: decision.missingContextKeys,
  ...(policies.guardRails === undefined
    ? {}
    : { OrganizationsDecisionDetail: { AllowedByOrganizations: decision.layer !== 'guard-rail' } }),
  ...(policies.boundary === undefined
    ? {}
    : {
        PermissionsBoundaryDecisionDetail: {
          AllowedByPermissionsBoundary: decision.layer !== 'boundary',
        },
      }),
});

/** A user, or a role in a session: what a resource policy grants is not limited alike for the two. */
const callerOf = (arn: string) => ({
  type: /:(?:role|assumed-role)\//.test(arn) ? ('AssumedRole' as const) : ('IAMUser' as const),
  arn,
});

/** Every action on every resource, a result each; only those of the page are decided. */
const simulate = ({ input }: Work, callerArn: string, policies: Policies): Output => {
  const principal = callerOf(callerArn);
  const resources = (input['ResourceArns'] as readonly string[] | undefined) ?? ['*'];
  const context = contextOf(input);
  const pairs = (input['ActionNames'] as readonly string[]).flatMap((action) =>
    resources.map((resource) => ({ action, resource })),
  );
  const numbered = pairs.map((pair, i) => ({ ...pair, key: String(i).padStart(7, '0') }));
  const { items, end } = page(numbered, input, ({ key }) => key);
  const EvaluationResults = items.map(({ action, resource }) => {
    const decision = evaluate({ principal, action, resource, context }, policies);
    return shownResult(action, resource, decision, policies);
  });
  return { EvaluationResults, ...end };
};

/** What the request brings comes on top of what somebody has; a boundary takes the place of his. */
const addedPolicies = (input: Checked, kept: Policies): Policies => {
  const [boundary] = listOf(input, 'PermissionsBoundaryPolicyInputList', 'boundary');
  const resource = optionalString(input, 'ResourcePolicy');
  return {
    ...kept,
    identity: [...kept.identity, ...listOf(input, 'PolicyInputList', 'identity')],
    ...(boundary ? { boundary } : {}),
    ...(resource === undefined ? {} : { resource: given(resource, 'resource', 'ResourcePolicy') }),
  };
};

const simulateCustomPolicy = reading('SimulateCustomPolicy', onAll, (_directory, work) => {
  const caller = optionalString(work.input, 'CallerArn') ?? `arn:aws:iam::${work.accountId}:user/simulated`;
  return simulate(work, caller, addedPolicies(work.input, { identity: [] }));
});

const sourceOf = (directory: Directory, { input, accountId }: Work) => {
  const arn = stringMember(input, 'PolicySourceArn');
  const policies = policiesOfArn(directory, arn, accountId);
  if (!policies) throw noSuchEntity(`The entity ${arn} cannot be found.`);
  return { arn, policies };
};

const onSource: TargetOf = ({ input }) => ({ resource: stringMember(input, 'PolicySourceArn') });

const simulatePrincipalPolicy = reading('SimulatePrincipalPolicy', onSource, (directory, work) => {
  const { arn, policies } = sourceOf(directory, work);
  const kept = withoutExcluded(work.input, policies);
  return simulate(work, optionalString(work.input, 'CallerArn') ?? arn, addedPolicies(work.input, kept));
});

const contextKeys = (policies: readonly NamedPolicy[]): Output => ({
  ContextKeyNames: contextKeysOf(policies.map(({ policy }) => policy)),
});

const keysForCustomPolicy = reading('GetContextKeysForCustomPolicy', onAll, (_directory, { input }) =>
  contextKeys(listOf(input, 'PolicyInputList', 'identity')),
);

/** Only what is attached to the entity and what the request brings; guard rails are not told (IAM API reference). */
const keysForPrincipalPolicy = reading('GetContextKeysForPrincipalPolicy', onSource, (directory, work) => {
  const { identity } = sourceOf(directory, work).policies;
  return contextKeys([...identity, ...listOf(work.input, 'PolicyInputList', 'identity')]);
});

export const simulationOperations: readonly Operation[] = [
  ...[simulateCustomPolicy, simulatePrincipalPolicy, keysForCustomPolicy, keysForPrincipalPolicy],
];
