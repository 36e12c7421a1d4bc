import { holds } from './condition.ts';
import type { Position } from './malformed.ts';
import type { Policy, Statement } from './policy.ts';
import { type PolicyPrincipal, type PrincipalMatch, principalMatch } from './principal-match.ts';
import { type AskedResource, askedResource, resourceMatches } from './resource.ts';
import { Steps, TooComplex } from './steps.ts';
import { type Context, fill } from './variables.ts';

export type { PolicyPrincipal } from './principal-match.ts';

/** A policy and where it comes from, for explanations: an ARN, or `… inline policy NAME`. */
export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** Every policy that has a say in one request. */
export interface Policies {
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy | undefined;
  /** Undefined: none was given; an empty list allows nothing. */
  readonly session?: readonly NamedPolicy[] | undefined;
  /** Undefined: none is set. */
  readonly guardRails?: readonly NamedPolicy[] | undefined;
  /** Of the thing that is asked for: a resource policy, or a role's trust policy. */
  readonly resource?: NamedPolicy | undefined;
}

export interface AuthorizationRequest {
  readonly principal: PolicyPrincipal;
  /** For instance `airflow:GetEnvironment`. */
  readonly action: string;
  /** An ARN, or `*` for actions without a resource. */
  readonly resource: string;
  /** Condition keys and their values, for instance `aws:SourceIp`. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

export type Layer = 'identity' | 'boundary' | 'session' | 'guard-rail' | 'resource';

/** A statement that spoke of the request. */
export interface MatchedStatement {
  readonly policy: string;
  readonly layer: Layer;
  readonly effect: 'Allow' | 'Deny';
  readonly sid?: string;
  readonly index: number;
  readonly start: Position;
  readonly end: Position;
}

/** Why a decision is what it is; the list is closed so that callers can branch on it. */
export type Reason =
  | 'root-user'
  | 'always-allowed'
  | 'policies-too-complex'
  | 'allowed-by-identity-policy'
  | 'allowed-by-resource-policy'
  | `explicit-deny-in-${Layer}-policy`
  | `no-${Layer}-policy-allows`;

/** A decision is data; somebody else turns it into a response. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  /** What stopped it, or let it through. */
  readonly layer?: Layer;
  readonly matched: readonly MatchedStatement[];
  /** Condition keys that statements asked for and the request did not have. */
  readonly missingContextKeys: readonly string[];
}

/** A request, cut once for all statements. */
interface Asked {
  readonly principal: PolicyPrincipal;
  /** In small letters. */
  readonly action: string;
  readonly resource: AskedResource;
  readonly context: Context;
  readonly missing: Set<string>;
  readonly steps: Steps;
  /** Whether a permissions boundary limits the caller. */
  readonly isBounded: boolean;
}

const contextOf = (given: AuthorizationRequest['context']): Context => {
  const context = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(given))
    context.set(key.toLowerCase(), typeof value === 'string' ? [value] : value);
  return context;
};

const actionMatches = ({ actions, notActions }: Statement, { action, steps }: Asked): boolean =>
  actions.some((pattern) => pattern.matches(action, steps)) !== notActions;

/**
 * A NotResource whose variable has no value speaks of nothing, as a Resource does: under Allow it must not widen.
 */
const resourceHolds = ({ resources, notResources, effect }: Statement, asked: Asked): boolean => {
  if (resources === undefined) return true;
  const { resource, context, steps } = asked;
  const names = () => resources.some((pattern) => resourceMatches(pattern, resource, context, steps));
  if (!notResources) return names();
  if (effect === 'Allow' && resources.some((pattern) => lacksValue(pattern, context, steps))) return false;
  return !names();
};

const lacksValue = (
  pattern: NonNullable<Statement['resources']>[number],
  context: Context,
  steps: Steps,
): boolean =>
  pattern.kind === 'arn' && pattern.tail?.kind === 'open' && fill(pattern.tail, context, steps) === undefined;

const conditionsHold = ({ conditions }: Statement, { context, missing, steps }: Asked): boolean => {
  let all = true;
  for (const condition of conditions) {
    steps.take(perStatement);
    if (!context.has(condition.key)) missing.add(condition.name);
    all &&= holds(condition, context, steps);
  }
  return all;
};

/** NotPrincipal spares nobody who has a boundary (IAM User Guide, "AWS JSON policy elements: NotPrincipal"). */
const who = ({ principal, effect }: Statement, asked: Asked): PrincipalMatch => {
  if (principal === undefined || (principal.negated && asked.isBounded)) return 'named';
  return principalMatch(principal, asked.principal, effect);
};

const speaksOf = (statement: Statement, asked: Asked): boolean =>
  actionMatches(statement, asked) && resourceHolds(statement, asked) && conditionsHold(statement, asked);

/** What one layer says, and by which statements. */
interface Verdict {
  readonly layer: Layer;
  readonly allows: boolean;
  readonly denies: boolean;
  readonly matched: readonly MatchedStatement[];
}

const matchedStatement = (name: string, layer: Layer, s: Statement): MatchedStatement => ({
  policy: name,
  layer,
  effect: s.effect,
  ...(s.sid === undefined ? {} : { sid: s.sid }),
  index: s.index,
  start: s.start,
  end: s.end,
});

/** A resource policy grants to whoever it names; an account that it names only lets the account's policies decide. */
const grants = (statement: Statement, layer: Layer, match: PrincipalMatch): boolean =>
  statement.effect === 'Allow' && (layer !== 'resource' || match === 'named');

const verdict = (layer: Layer, policies: readonly NamedPolicy[], asked: Asked): Verdict => {
  let [allows, denies] = [false, false];
  const matched: MatchedStatement[] = [];
  for (const { name, policy } of policies)
    for (const statement of policy.statements) {
      asked.steps.take(perStatement);
      const match = who(statement, asked);
      if (match === 'none' || !speaksOf(statement, asked)) continue;
      asked.steps.take(perMatch);
      if (statement.effect === 'Deny') denies = true;
      else allows ||= grants(statement, layer, match);
      matched.push(matchedStatement(name, layer, statement));
    }
  return { layer, allows, denies, matched };
};

/**
 * What one evaluation may take: some milliseconds. What the default quotas let one user hold takes a tenth of it.
 */
export const mostSteps = 1_000_000;

/** Steps of a statement or a condition, and of a statement that is told of. */
const [perStatement, perMatch] = [16, 64];

const askedOf = (request: AuthorizationRequest, steps: Steps, isBounded: boolean): Asked => ({
  principal: request.principal,
  action: request.action.toLowerCase(),
  resource: askedResource(request.resource),
  context: contextOf(request.context),
  missing: new Set(),
  steps,
  isBounded,
});

/** Answered to everybody, whatever policies say (STS API reference, GetCallerIdentity). */
const alwaysAllowed = 'sts:getcalleridentity';

interface Outcome {
  readonly allowed: boolean;
  readonly reason: Reason;
  readonly layer: Layer;
}

const explicitDeny = (verdicts: readonly Verdict[]): Outcome | undefined => {
  const denying = verdicts.find(({ denies }) => denies);
  return (
    denying && { allowed: false, reason: `explicit-deny-in-${denying.layer}-policy`, layer: denying.layer }
  );
};

/**
 * A resource policy that names a user is not limited by what his boundary or session leaves unsaid; one that names a
 * role is (IAM User Guide, "Evaluating policies within a single account").
 */
const outcome = (verdicts: readonly Verdict[], type: PolicyPrincipal['type']): Outcome => {
  const denied = explicitDeny(verdicts);
  if (denied) return denied;
  const of = (layer: Layer) => verdicts.find((v) => v.layer === layer);
  const missing = (layer: Layer): Outcome => ({ allowed: false, reason: `no-${layer}-policy-allows`, layer });
  if (of('guard-rail')?.allows === false) return missing('guard-rail');
  const isNamed = of('resource')?.allows === true;
  if (isNamed && type !== 'AssumedRole')
    return { allowed: true, reason: 'allowed-by-resource-policy', layer: 'resource' };
  if (!isNamed && of('identity')?.allows !== true) return missing('identity');
  if (of('boundary')?.allows === false) return missing('boundary');
  if (of('session')?.allows === false) return missing('session');
  const layer = isNamed ? 'resource' : 'identity';
  return { allowed: true, reason: `allowed-by-${layer}-policy`, layer };
};

/**
 * Decides by IAM's rules within one account (IAM User Guide, "Policy evaluation logic"): an explicit deny anywhere,
 * then guard rails, the resource's own policy, the caller's policies, his boundary, the policies of his session. The
 * root user may do everything: guard rails do not bind him, so that nobody locks himself out. What takes more than
 * `steps` is denied: an explicit deny may be among what was not looked at. Never throws.
 */
export const evaluate = (
  request: AuthorizationRequest,
  policies: Policies,
  steps: Steps = new Steps(mostSteps),
): Decision => {
  const nothing = { matched: [], missingContextKeys: [] };
  if (request.principal.type === 'Root') return { ...nothing, allowed: true, reason: 'root-user' };
  const asked = askedOf(request, steps, policies.boundary !== undefined);
  if (asked.action === alwaysAllowed) return { ...nothing, allowed: true, reason: 'always-allowed' };
  return within(
    () => decide(asked, policies),
    () => ({ ...nothing, allowed: false, reason: 'policies-too-complex' }),
  );
};

/** What the work gives, or the other when it takes too many steps. */
const within = <T>(work: () => T, otherwise: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (error instanceof TooComplex) return otherwise();
    throw error;
  }
};

const decide = (asked: Asked, policies: Policies): Decision => {
  const { identity, boundary, session, guardRails, resource } = policies;
  const verdicts = [
    ...(guardRails ? [verdict('guard-rail', guardRails, asked)] : []),
    ...(resource ? [verdict('resource', [resource], asked)] : []),
    verdict('identity', identity, asked),
    ...(boundary ? [verdict('boundary', [boundary], asked)] : []),
    ...(session ? [verdict('session', session, asked)] : []),
  ];
  return {
    ...outcome(verdicts, asked.principal.type),
    matched: verdicts.flatMap(({ matched }) => matched),
    missingContextKeys: [...asked.missing],
  };
};

/**
 * Whether a trust policy lets this caller in by himself, as one of the account, or not at all. A deny wins; so does a
 * policy that takes too many steps.
 */
export const evaluateTrust = (request: AuthorizationRequest, trust: Policy): PrincipalMatch =>
  within(
    () => trustMatch(askedOf(request, new Steps(mostSteps), false), trust),
    () => 'none',
  );

const trustMatch = (asked: Asked, trust: Policy): PrincipalMatch => {
  const speaking = trust.statements
    .map((statement) => ({ statement, match: who(statement, asked) }))
    .filter(({ statement, match }) => match !== 'none' && speaksOf(statement, asked));
  if (speaking.some(({ statement }) => statement.effect === 'Deny')) return 'none';
  const matches = speaking.map(({ match }) => match);
  return matches.includes('named') ? 'named' : matches.includes('account') ? 'account' : 'none';
};
