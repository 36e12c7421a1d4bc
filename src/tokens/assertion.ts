import { randomUUID } from 'node:crypto';
import { type AirflowRole, airflowRoles } from '../contract/roles.ts';
import type { RoleAction } from '../identity/authorizer.ts';
import type { MintContext } from '../identity/principal.ts';
import type { Clock } from '../lib/clock.ts';
import { signJwt } from './jwt.ts';
import type { TokenEnvironment } from './ports.ts';
import type { WebSession } from './session-store.ts';
import type { SigningKeys } from './signing-keys.ts';

const lifetimeSeconds = 60;
const reuseMilliseconds = 30_000;
const reuseEntries = 2_000;

/** What policies need to know of an environment to name its roles. */
export interface RoleEnvironment extends TokenEnvironment {
  readonly accountId: string;
  readonly region: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The core roles that the policies of now give to whoever minted, for that action (CreateWebLoginToken when left out);
 * none when the right is gone.
 */
export type RolesOf = (
  mint: MintContext,
  e: RoleEnvironment,
  action?: RoleAction,
) => readonly AirflowRole[] | Promise<readonly AirflowRole[]>;

export interface AssertionDeps {
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly installationId: string;
  readonly rolesOf: RolesOf;
  /** Whether the policies of now let whoever minted run commands. */
  readonly mayRunCommands: (mint: MintContext, e: RoleEnvironment) => boolean;
}

/** Whom an assertion speaks for. */
export interface Asserted {
  readonly mint: MintContext;
  readonly airflowIdentity: string;
}

export interface Assertions {
  /** The roles that the policies of now give. */
  readonly rolesOf: RolesOf;
  /** A fresh assertion; undefined when the policies of now give no role. */
  sign(who: Asserted, e: RoleEnvironment, action?: RoleAction): Promise<string | undefined>;
  /** The same for a session, reused for at most 30 s; the environment, with its tags of now, is asked for when it is not. */
  forSession(session: WebSession, environment: () => Promise<RoleEnvironment>): Promise<string | undefined>;
}

const claimsOf = (deps: AssertionDeps, who: Asserted, e: RoleEnvironment, roles: readonly AirflowRole[]) => {
  const iat = Math.floor(deps.clock.now() / 1000);
  return {
    iss: deps.installationId,
    aud: e.id,
    sub: who.airflowIdentity,
    roles: airflowRoles.filter((role) => roles.includes(role)),
    name: who.airflowIdentity,
    iat,
    nbf: iat,
    exp: iat + lifetimeSeconds,
    jti: randomUUID(),
  };
};

/** Signs what Airflow believes: who is calling, with which of the core roles, for 60 s at one environment. */
export const createAssertions = (deps: AssertionDeps): Assertions => {
  const recent = new Map<
    string,
    { readonly assertion: string; readonly until: number; readonly signedAt: number }
  >();
  /** Airflow holds its times against the wall clock, which may be set back or forth. */
  const isStillGood = (known: { readonly until: number; readonly signedAt: number }): boolean => {
    const age = deps.clock.now() - known.signedAt;
    return known.until > deps.clock.monotonic() && age >= 0 && age < lifetimeSeconds * 1000;
  };
  const sign: Assertions['sign'] = async (who, e, action) => {
    const roles = await deps.rolesOf(who.mint, e, action);
    if (roles.length === 0) return undefined;
    return signJwt(deps.keys.assertion, 'assertion+jwt', claimsOf(deps, who, e, roles));
  };
  const forSession: Assertions['forSession'] = async (session, environment) => {
    const known = recent.get(session.id);
    if (known && isStillGood(known)) return known.assertion;
    recent.delete(session.id);
    const signedAt = deps.clock.now();
    const until = deps.clock.monotonic() + reuseMilliseconds;
    const assertion = await sign(session, await environment());
    if (!assertion) return undefined;
    recent.set(session.id, { assertion, until, signedAt });
    const oldest = recent.keys().next().value;
    if (recent.size > reuseEntries && oldest !== undefined) recent.delete(oldest);
    return assertion;
  };
  return { rolesOf: deps.rolesOf, sign, forSession };
};
