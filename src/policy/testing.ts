import type { AuthorizationRequest, NamedPolicy, Policies } from './evaluate.ts';
import { parsePolicy } from './parse.ts';
import type { PolicyKind } from './policy.ts';

/** For tests of this room only. */

export type Given = Readonly<Record<string, unknown>>;

/** A policy of these statements, in the newer version unless the document says otherwise. */
export const policy = (kind: PolicyKind, ...statements: readonly Given[]): NamedPolicy => ({
  name: kind,
  policy: parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), kind),
});

export const allow = (Action: unknown = '*', Resource: unknown = '*', more: Given = {}): Given => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

export const deny = (Action: unknown = '*', Resource: unknown = '*', more: Given = {}): Given => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
});

export const account = '123456789012';
export const ann = {
  type: 'IAMUser',
  arn: `arn:aws:iam::${account}:user/ann`,
  id: `AIDA${'A'.repeat(14)}ANN`,
} as const;
export const session = {
  type: 'AssumedRole',
  arn: `arn:aws:sts::${account}:assumed-role/ci/run`,
  ...{ id: `AROA${'A'.repeat(15)}CI`, sessionName: 'run' },
} as const;
export const root = { type: 'Root', arn: `arn:aws:iam::${account}:root` } as const;
export const airflow = (resource: string): string => `arn:aws:airflow:us-east-1:${account}:${resource}`;

export const request = (change: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
  principal: ann,
  action: 'airflow:GetEnvironment',
  resource: airflow('environment/demo'),
  context: {},
  ...change,
});

export const identity = (...statements: readonly Given[]): Policies => ({
  identity: statements.length === 0 ? [] : [policy('identity', ...statements)],
});
