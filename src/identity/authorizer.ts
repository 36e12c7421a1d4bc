import { airflowRoleArn, type Scope } from '../contract/arn.ts';
import { type AirflowRole, airflowRoles } from '../contract/roles.ts';
import type { Clock } from '../lib/clock.ts';
import {
  type Decision,
  evaluate,
  evaluateTrust,
  mostSteps,
  type NamedPolicy,
  type Policies,
} from '../policy/evaluate.ts';
import { Steps } from '../policy/steps.ts';
import { type ConditionContext, conditionContext } from './condition-context.ts';
import type { Directory } from './directory.ts';
import { policiesOf } from './policies-of.ts';
import type { MintContext } from './principal.ts';

/** One thing that somebody wants to do. */
export interface Question {
  /** For instance `airflow:GetEnvironment`. */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  /** Condition keys of this call, over the global ones. */
  readonly context?: ConditionContext | undefined;
  /** The policy of the resource itself, where it has one. */
  readonly policy?: NamedPolicy | undefined;
}

/** The actions on the resource `rbac-role`. */
export type RoleAction = 'airflow:CreateWebLoginToken' | 'airflow:InvokeRestApi';

/** The environment whose Airflow roles are asked for. */
export interface RoleQuestion extends Scope {
  readonly environmentName: string;
  /** CreateWebLoginToken when left out. */
  readonly action?: RoleAction | undefined;
  readonly context?: ConditionContext | undefined;
}

/** The one place that decides who may do what. */
export interface Authorizer {
  decide(mint: MintContext, question: Question): Decision;
  /** The decision on each of the five Airflow roles; together they may take no more work than one. */
  airflowRoles(mint: MintContext, question: RoleQuestion): ReadonlyMap<AirflowRole, Decision>;
  /** Whether a role's trust policy, and with it what the caller holds, lets him do this with the role. */
  mayAssume(mint: MintContext, question: Question, trust: NamedPolicy): boolean;
  /** What has a say now. */
  policiesOf(mint: MintContext): Policies;
}

/** Those of the roles that are allowed, strongest first. Root is Admin alone: that holds every right of the others. */
export const grantedRoles = (
  mint: MintContext,
  decisions: ReadonlyMap<AirflowRole, Decision>,
): readonly AirflowRole[] =>
  mint.principal.type === 'Root' ? ['Admin'] : airflowRoles.filter((role) => decisions.get(role)?.allowed);

export const createAuthorizer = (d: {
  readonly directory: () => Directory;
  readonly clock: Pick<Clock, 'now'>;
  readonly region: string;
}): Authorizer => {
  const decider = (mint: MintContext) => {
    const directory = d.directory();
    const policies = policiesOf(directory, mint);
    const global = conditionContext(mint, { ...d, directory });
    const { principal } = mint;
    const steps = new Steps(mostSteps);
    return ({ action, resource, context, policy }: Question): Decision =>
      evaluate(
        { principal, action, resource, context: { ...global, ...context } },
        policy === undefined ? policies : { ...policies, resource: policy },
        steps,
      );
  };
  return {
    decide: (mint, question) => decider(mint)(question),
    airflowRoles: (mint, q) => {
      const decide = decider(mint);
      const { action = 'airflow:CreateWebLoginToken', context, environmentName } = q;
      return new Map(
        airflowRoles.map((role) => [
          role,
          decide({ action, resource: airflowRoleArn(q, environmentName, role), context }),
        ]),
      );
    },
    mayAssume: (mint, { action, resource, context }, trust) => {
      const directory = d.directory();
      const global = conditionContext(mint, { ...d, directory });
      const { principal } = mint;
      const request = { principal, action, resource, context: { ...global, ...context } };
      const trusted = evaluateTrust(request, trust.policy);
      return (
        trusted !== 'none' && evaluate(request, { ...policiesOf(directory, mint), resource: trust }).allowed
      );
    },
    policiesOf: (mint) => policiesOf(d.directory(), mint),
  };
};
