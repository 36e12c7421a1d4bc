import { ownQuery } from './own-database.ts';
import { signed } from './raw.ts';
import type { Place } from './server.ts';
import { runWindsock } from './windsock.ts';

/** An event as `windsock audit list --json` gives it. */
export interface AuditEvent {
  readonly eventName: string;
  readonly eventTime: string;
  readonly eventID: string;
  readonly requestID: string | null;
  readonly readOnly: boolean;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly userIdentity: Readonly<Record<string, unknown>>;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestParameters: Readonly<Record<string, unknown>> | null;
  readonly responseElements: Readonly<Record<string, unknown>> | null;
  readonly additionalEventData?: Readonly<Record<string, unknown>>;
}

/** Everything recorded, oldest first. */
export const auditEvents = async (
  place: Place,
  more: readonly string[] = [],
): Promise<readonly AuditEvent[]> => {
  const { code, stdout, stderr } = await runWindsock(place, [
    'audit',
    'list',
    '--json',
    '--most',
    '5000',
    ...more,
  ]);
  if (code !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { Records: AuditEvent[] }).Records.reverse();
};

/** Everything that is recorded, events of objects too, which the API does not tell. */
export const recordedEvents = async (place: Place): Promise<readonly AuditEvent[]> => {
  const text = 'select event from audit_events';
  return (await ownQuery<{ event: AuditEvent }>(place, 'windsock', text)).map(({ event }) => event);
};

export interface Verified {
  readonly intact: boolean;
  readonly seals: number;
  readonly records: number;
  readonly waiting: number;
  readonly expiredThrough: number;
  readonly findings: readonly {
    readonly what: string;
    readonly seal?: number;
    readonly record?: string;
    readonly text: string;
  }[];
}

/** What `windsock audit verify --json` says. */
export const verifyAudit = async (place: Place): Promise<Verified> => {
  const { code, stdout, stderr } = await runWindsock(place, ['audit', 'verify', '--json']);
  if (code !== 0 && code !== 3) throw new Error(`${stdout}\n${stderr}`);
  const found = JSON.parse(stdout) as Verified;
  if (found.intact !== (code === 0)) throw new Error(`exit code ${code} for ${stdout}`);
  return found;
};

/** One call of CloudTrail's LookupEvents. */
export const lookupEvents = (place: Place, input: object, more: Parameters<typeof signed>[1] | object = {}) =>
  signed(place, {
    method: 'POST',
    path: '/',
    service: 'cloudtrail',
    body: JSON.stringify(input),
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
    },
    ...more,
  });
