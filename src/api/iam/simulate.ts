import type { Checked } from '../../contract/constraints.ts';
import type { Directory } from '../../identity/directory.ts';
import { policiesOfArn } from '../../identity/policies-of.ts';
import { slices } from '../../lib/turns.ts';
import { contextKeyCount, contextKeysOf } from '../../policy/context-keys.ts';
import {
  type Decision,
  evaluate,
  type MatchedStatement,
  mostSteps,
  type NamedPolicy,
  type Policies,
} from '../../policy/evaluate.ts';
import { MalformedPolicy } from '../../policy/malformed.ts';
import { parsePolicy } from '../../policy/parse.ts';
import type { PolicyKind } from '../../policy/policy.ts';
import { Steps } from '../../policy/steps.ts';
import { type Operation, type Output, optionalString, stringMember } from '../operation.ts';
import { invalidInput, noSuchEntity, policyEvaluation } from './errors.ts';
import { reading, type TargetOf, type Work } from './operation.ts';
import { numberedMarker, numberedPage } from './page.ts';
import { withoutExcluded } from './policy-exclusions.ts';
import { onAll } from './targets.ts';

/**
 * A document of the request, named as AWS names it in MatchedStatements. It is not kept: what callers send would take
 * the place of what is attached. Throws InvalidInput.
 */
const given = (text: string, kind: PolicyKind, name: string) => {
  try {
    return { name, policy: parsePolicy(text, kind) };
  } catch (error) {
    if (error instanceof MalformedPolicy) throw invalidInput(error.publicText);
    throw error;
  }
};

/** Of all documents of a list: one result may name each of them. */
const [mostStatements, mostKeys] = [2_000, 5_000];

const listOf = async (input: Checked, member: string, kind: PolicyKind): Promise<readonly NamedPolicy[]> => {
  const [pause, policies]: [() => Promise<void>, NamedPolicy[]] = [slices(), []];
  let [statements, keys] = [0, 0];
  for (const [i, text] of ((input[member] ?? []) as readonly string[]).entries()) {
    await pause();
    const policy = given(text, kind, `${member}.${i + 1}`);
    statements += policy.policy.statements.length;
    if (statements > mostStatements)
      throw invalidInput(`${member} has more than ${mostStatements} statements.`);
    keys += contextKeyCount(policy.policy);
    if (keys > mostKeys) throw invalidInput(`${member} names condition keys more than ${mostKeys} times.`);
    policies.push(policy);
  }
  return policies;
};

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

/**
 * Of one page, which may end before MaxItems (IAM API reference, MaxItems): steps, statements and missing keys that are
 * told, and characters of those keys.
 */
const mostOfPage = { steps: 20 * mostSteps, told: 2_000, text: 256 * 1024 };

interface Pair {
  readonly action: string;
  readonly resource: string;
}

const tooComplex = ({ action, resource }: Pair) =>
  policyEvaluation(
    `The policies are too complex to be evaluated for ${action} on ${resource.slice(0, 200)}. Send fewer policies, or shorter patterns and lists of values.`,
  );

/** Results until the page is full; the first one always. Throws PolicyEvaluation. */
const resultsOf = async (pairs: Iterable<Pair>, decide: (pair: Pair, steps: Steps) => Decision) => {
  const pause = slices();
  const results: { readonly pair: Pair; readonly decision: Decision }[] = [];
  let [taken, told, text] = [0, 0, 0];
  for (const pair of pairs) {
    if (taken > mostOfPage.steps || told > mostOfPage.told || text > mostOfPage.text) break;
    await pause();
    const steps = new Steps(mostSteps);
    const decision = decide(pair, steps);
    if (decision.reason === 'policies-too-complex') throw tooComplex(pair);
    results.push({ pair, decision });
    taken += steps.taken;
    told += decision.matched.length + decision.missingContextKeys.length;
    text += decision.missingContextKeys.reduce((sum, key) => sum + key.length, 0);
  }
  return results;
};

/** Every action on every resource, from one place on: a request can ask for a million, of which a page is decided. */
function* pairsFrom(start: number, end: number, actions: readonly string[], resources: readonly string[]) {
  for (let at = start; at < end; at += 1)
    yield {
      action: actions[Math.floor(at / resources.length)] ?? '',
      resource: resources[at % resources.length] ?? '',
    };
}

/** Every action on every resource, a result each; only those of the page are decided. */
const simulate = async ({ input }: Work, callerArn: string, policies: Policies): Promise<Output> => {
  const principal = callerOf(callerArn);
  const resources = (input['ResourceArns'] as readonly string[] | undefined) ?? ['*'];
  const actions = input['ActionNames'] as readonly string[];
  const [context, total] = [contextOf(input), actions.length * resources.length];
  const { start, most } = numberedPage(input, total);
  const pairs = pairsFrom(start, Math.min(total, start + most), actions, resources);
  const results = await resultsOf(pairs, ({ action, resource }, steps) =>
    evaluate({ principal, action, resource, context }, policies, steps),
  );
  const next = start + results.length;
  return {
    EvaluationResults: results.map(({ pair, decision }) =>
      shownResult(pair.action, pair.resource, decision, policies),
    ),
    ...(next < total ? { IsTruncated: true, Marker: numberedMarker(next) } : { IsTruncated: false }),
  };
};

/** What the request brings comes on top of what somebody has; a boundary takes the place of his. */
const addedPolicies = async (input: Checked, kept: Policies): Promise<Policies> => {
  const [boundary, second] = await listOf(input, 'PermissionsBoundaryPolicyInputList', 'boundary');
  if (second) throw invalidInput('PermissionsBoundaryPolicyInputList takes one policy.');
  const resource = optionalString(input, 'ResourcePolicy');
  return {
    ...kept,
    identity: [...kept.identity, ...(await listOf(input, 'PolicyInputList', 'identity'))],
    ...(boundary ? { boundary } : {}),
    ...(resource === undefined ? {} : { resource: given(resource, 'resource', 'ResourcePolicy') }),
  };
};

const simulateCustomPolicy = reading('SimulateCustomPolicy', onAll, async (_directory, work) => {
  const caller = optionalString(work.input, 'CallerArn') ?? `arn:aws:iam::${work.accountId}:user/simulated`;
  return simulate(work, caller, await addedPolicies(work.input, { identity: [] }));
});

const sourceOf = (directory: Directory, { input, accountId }: Work) => {
  const arn = stringMember(input, 'PolicySourceArn');
  const policies = policiesOfArn(directory, arn, accountId);
  if (!policies) throw noSuchEntity(`The entity ${arn} cannot be found.`);
  return { arn, policies };
};

const onSource: TargetOf = ({ input }) => ({ resource: stringMember(input, 'PolicySourceArn') });

const simulatePrincipalPolicy = reading('SimulatePrincipalPolicy', onSource, async (directory, work) => {
  const { arn, policies } = sourceOf(directory, work);
  const kept = withoutExcluded(work.input, policies);
  const caller = optionalString(work.input, 'CallerArn') ?? arn;
  return simulate(work, caller, await addedPolicies(work.input, kept));
});

const contextKeys = (policies: readonly NamedPolicy[]): Output => ({
  ContextKeyNames: contextKeysOf(policies.map(({ policy }) => policy)),
});

const keysForCustomPolicy = reading('GetContextKeysForCustomPolicy', onAll, async (_directory, { input }) =>
  contextKeys(await listOf(input, 'PolicyInputList', 'identity')),
);

/** Only what is attached to the entity and what the request brings; guard rails are not told (IAM API reference). */
const keysForPrincipalPolicy = reading(
  'GetContextKeysForPrincipalPolicy',
  onSource,
  async (directory, work) => {
    const { identity } = sourceOf(directory, work).policies;
    return contextKeys([...identity, ...(await listOf(work.input, 'PolicyInputList', 'identity'))]);
  },
);

export const simulationOperations: readonly Operation[] = [
  ...[simulateCustomPolicy, simulatePrincipalPolicy, keysForCustomPolicy, keysForPrincipalPolicy],
];
