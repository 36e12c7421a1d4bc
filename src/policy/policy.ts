import type { Condition } from './condition.ts';
import type { Position } from './malformed.ts';
import type { Matcher } from './pattern.ts';
import type { PrincipalElement } from './principal-match.ts';
import type { ResourcePattern } from './resource.ts';

/**
 * What a document is for: that decides which elements it must have and may not have. The policy of a bucket is a resource policy
 * that is kept with unique ids in the place of users and roles.
 */
export type PolicyKind = 'identity' | 'session' | 'boundary' | 'guard-rail' | 'trust' | 'resource' | 'bucket';

/** Tests of actions; they are the same in any spelling. */
export interface ActionPattern {
  readonly text: string;
  readonly matches: Matcher;
}

/** One statement, ready to be evaluated. */
export interface Statement {
  readonly sid: string | undefined;
  /** From 0, in the order of the document. */
  readonly index: number;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly ActionPattern[];
  readonly notActions: boolean;
  /** Undefined in a trust policy: the role itself. */
  readonly resources: readonly ResourcePattern[] | undefined;
  readonly notResources: boolean;
  readonly principal: PrincipalElement | undefined;
  readonly conditions: readonly Condition[];
  readonly start: Position;
  readonly end: Position;
}

/** A policy that was read and checked. */
export interface Policy {
  readonly kind: PolicyKind;
  readonly statements: readonly Statement[];
}
