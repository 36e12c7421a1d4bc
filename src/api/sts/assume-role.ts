import type { Checked } from '../../contract/constraints.ts';
import { accessDeniedException } from '../../contract/errors.ts';
import { assumedRoleArn, roleArn } from '../../identity/arn.ts';
import type { IamRole } from '../../identity/directory.ts';
import { managedDocument } from '../../identity/policies-of.ts';
import type { MintContext, SessionFacts } from '../../identity/principal.ts';
import { issueCredentials } from '../../identity/session-token.ts';
import { MalformedPolicy } from '../../policy/malformed.ts';
import { compiledPolicy, parsePolicy } from '../../policy/parse.ts';
import type { ApiDeps } from '../deps.ts';
import { tagContext } from '../iam/tags.ts';
import { requestTags } from '../mwaa/rights.ts';
import { type Call, optionalString, stringMember } from '../operation.ts';
import { packedPolicyTooLarge, stsMalformedPolicy, stsValidation } from './errors.ts';
import { refuseMfa } from './mfa.ts';
import { shownCredentials, stsOperation } from './operation.ts';
import { newSessionTags } from './session-tags.ts';

const usualSeconds = 3_600;
/** Characters of all session policies together. */
const longestPolicies = 2_048;

/** The role that the call names; undefined when there is none, which nobody without rights may learn. */
const findRole = (input: Checked, { directory, accountId }: ApiDeps): IamRole | undefined => {
  const arn = stringMember(input, 'RoleArn');
  const role = directory.current.get('role', arn.slice(arn.lastIndexOf('/') + 1));
  return role && roleArn(accountId, role) === arn ? role : undefined;
};

/** The condition keys of STS (Service Authorization Reference, AWS Security Token Service). */
const contextOf = (input: Checked, role: IamRole | undefined, tags: Readonly<Record<string, string>>) => {
  const [externalId, sourceIdentity] = [
    optionalString(input, 'ExternalId'),
    optionalString(input, 'SourceIdentity'),
  ];
  const transitive = input['TransitiveTagKeys'] as readonly string[] | undefined;
  return {
    'sts:RoleSessionName': stringMember(input, 'RoleSessionName'),
    ...(externalId === undefined ? {} : { 'sts:ExternalId': externalId }),
    ...(sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity }),
    ...(transitive === undefined ? {} : { 'sts:TransitiveTagKeys': transitive }),
    ...tagContext(role?.tags ?? {}),
    ...requestTags(tags),
  };
};

const givenTags = (input: Checked): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ((input['Tags'] ?? []) as readonly { Key: string; Value: string }[]).map(({ Key, Value }) => [
      Key,
      Value,
    ]),
  );

/** What the call needs besides the right to assume: setting tags or a source identity are rights of their own. */
const actionsOf = (input: Checked): readonly string[] => [
  'sts:AssumeRole',
  ...(Object.keys(givenTags(input)).length === 0 ? [] : ['sts:TagSession']),
  ...(optionalString(input, 'SourceIdentity') === undefined ? [] : ['sts:SetSourceIdentity']),
];

/**
 * The trust policy decides, and where it trusts the account as a whole the caller's own policies too. The root user
 * assumes no role, as on AWS. A role that is not there is answered like one that nobody may assume.
 */
const authorize = (call: Call, role: IamRole | undefined, deps: ApiDeps): void => {
  const { input, mint, principal } = call;
  if (principal.type === 'Root') throw accessDeniedException('Roles may not be assumed by root accounts.');
  const resource = stringMember(input, 'RoleArn');
  const context = contextOf(input, role, givenTags(input));
  const trust = role && {
    name: `trust policy of ${resource}`,
    policy: compiledPolicy(role.trust, 'trust'),
  };
  for (const action of actionsOf(input)) {
    if (trust && deps.authorizer.mayAssume(mint, { action, resource, context }, trust)) continue;
    throw accessDeniedException(
      `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`,
    );
  }
};

/** Throws for a session policy that cannot be read, is too long, or does not exist. */
const sessionPoliciesOf = (
  input: Checked,
  { directory, accountId }: ApiDeps,
): Pick<SessionFacts, 'sessionPolicies'> => {
  const inline = optionalString(input, 'Policy');
  const arns = ((input['PolicyArns'] ?? []) as readonly { readonly arn?: string }[]).map(
    ({ arn }) => arn ?? '',
  );
  const managed = arns.map((arn) => {
    const document = managedDocument(directory.current, arn, accountId);
    if (document === undefined) throw stsValidation(`The policy ${arn} is not there.`);
    return document;
  });
  const texts = [...(inline === undefined ? [] : [inline]), ...managed];
  if (texts.length === 0) return {};
  if (texts.reduce((sum, text) => sum + text.length, 0) > longestPolicies)
    throw packedPolicyTooLarge(
      `The session policies are together longer than ${longestPolicies} characters.`,
    );
  return { sessionPolicies: texts.map(checkedSessionPolicy) };
};

const checkedSessionPolicy = (text: string): string => {
  try {
    parsePolicy(text, 'session');
    return text;
  } catch (error) {
    if (error instanceof MalformedPolicy) throw stsMalformedPolicy(error.publicText);
    throw error;
  }
};

/** Whoever is in a role's session already gets the next one for an hour at most. */
const secondsOf = (input: Checked, role: IamRole, mint: MintContext): number => {
  const asked = typeof input['DurationSeconds'] === 'number' ? input['DurationSeconds'] : usualSeconds;
  if (mint.principal.type === 'AssumedRole' && asked > usualSeconds)
    throw stsValidation(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  if (asked > role.maxSessionDuration)
    throw stsValidation('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  return asked;
};

/** A source identity that is set stays, whatever roles follow. */
const sourceIdentityOf = (input: Checked, { principal }: MintContext) => {
  const [before, given] = [principal.sourceIdentity, optionalString(input, 'SourceIdentity')];
  if (before !== undefined && given !== undefined && given !== before)
    throw stsValidation('The SourceIdentity of a session cannot be changed by the role that follows.');
  const sourceIdentity = given ?? before;
  return sourceIdentity === undefined ? {} : { sourceIdentity };
};

const newSession = (call: Call, role: IamRole, deps: ApiDeps) => {
  const { input, mint } = call;
  const { accountId } = deps;
  const sessionName = stringMember(input, 'RoleSessionName');
  const now = deps.clock.now();
  const seconds = secondsOf(input, role, mint);
  const principal = {
    type: 'AssumedRole' as const,
    arn: assumedRoleArn(accountId, role.name, sessionName),
    accountId,
    iamIdentity: `assumed-role/${role.name}/${sessionName}`,
    id: role.id,
    sessionName,
    firstCaller: mint.principal.firstCaller ?? mint.principal.arn,
    ...sourceIdentityOf(input, mint),
  };
  const session: SessionFacts = {
    credentialsIssuedAt: now,
    ...sessionPoliciesOf(input, deps),
    ...newSessionTags(input, mint),
    ...(mint.mfaAuthenticated === undefined ? {} : { mfaAuthenticated: mint.mfaAuthenticated }),
    ...(mint.mfaAuthenticatedAt === undefined ? {} : { mfaAuthenticatedAt: mint.mfaAuthenticatedAt }),
  };
  return { principal, session, expiresAt: now + seconds * 1000 };
};

/** Temporary credentials of a role, for whoever its trust policy and his own policies let have them. */
export const assumeRole = stsOperation('AssumeRole', {
  // the trust policy has its say in it, so it is asked where the role is known
  checks: () => [],
  givesOut: true,
  auditsSuccess: true,
  execute: async (call, deps) => {
    const role = findRole(call.input, deps);
    refuseMfa(call.input);
    authorize(call, role, deps);
    if (!role) throw new Error('a role that is not there was assumed');
    const { principal, session, expiresAt } = newSession(call, role, deps);
    const credentials = issueCredentials(deps.boxes.sessionTokens, { principal, session }, expiresAt);
    const AssumedRoleUser = {
      AssumedRoleId: `${role.id}:${principal.sessionName}`,
      Arn: principal.arn,
    };
    const { accessKeyId } = credentials;
    const responseElements = {
      Credentials: { AccessKeyId: accessKeyId, Expiration: expiresAt },
      AssumedRoleUser,
    };
    await deps.audit.write(call.auditEntry({ responseElements }));
    const { sourceIdentity } = principal as { readonly sourceIdentity?: string };
    return {
      Credentials: shownCredentials(credentials),
      AssumedRoleUser,
      ...(session.sessionPolicies === undefined
        ? {}
        : { PackedPolicySize: packedSize(session.sessionPolicies) }),
      ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    };
  },
});

/** Percent of what is allowed. */
const packedSize = (policies: readonly string[]): number =>
  Math.ceil((100 * policies.reduce((sum, text) => sum + text.length, 0)) / longestPolicies);
