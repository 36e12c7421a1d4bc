import type { CloudTrailEvent } from './cloudtrail.ts';

/** Whom LookupEvents names for an event: the user, the session of a role, or root. */
export const userNameOfEvent = (event: CloudTrailEvent): string | undefined => {
  const who = event['userIdentity'] as Readonly<Record<string, unknown>> | undefined;
  if (who?.['type'] === 'Root') return 'root';
  if (who?.['type'] === 'AssumedRole') return String(who['principalId']).split(':')[1];
  return typeof who?.['userName'] === 'string' ? who['userName'] : undefined;
};
