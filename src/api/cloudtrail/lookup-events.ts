import { createHash } from 'node:crypto';
import type { CloudTrailEvent } from '../../audit/cloudtrail.ts';
import type { AuditFilter, AuditPosition, FoundEvent } from '../../audit/reader.ts';
import { resourcesOf } from '../../audit/resources.ts';
import { userNameOfEvent } from '../../audit/user-name.ts';
import { lookupEventsInput } from '../../contract/cloudtrail.ts';
import type { Checked } from '../../contract/constraints.ts';
import { AwsError, throttlingException } from '../../contract/errors.ts';
import { countedPrincipal } from '../../identity/principal.ts';
import { type Operation, type Output, optionalString } from '../operation.ts';

const mostResults = 50;
/** Characters of the events of a page. */
const mostText = 1024 * 1024;

const refused = (code: string, message: string): AwsError => new AwsError(code, 400, message);

const filterOf = (input: Checked): AuditFilter | undefined => {
  const given = (input['LookupAttributes'] ?? []) as readonly {
    AttributeKey: string;
    AttributeValue: string;
  }[];
  const [first, second] = given;
  if (second)
    throw refused(
      'InvalidLookupAttributesException',
      'You can provide only one lookup attribute in a request.',
    );
  return first && { by: first.AttributeKey as AuditFilter['by'], value: first.AttributeValue };
};

/** Milliseconds from 1970 that a Date can be of (ECMA-262, "Time Values and Time Range"). */
const farthest = 8.64e15;

const moment = (seconds: unknown): number | undefined => {
  if (typeof seconds !== 'number') return undefined;
  if (Math.abs(seconds * 1000) <= farthest) return seconds * 1000;
  throw refused('InvalidTimeRangeException', 'The time is too far away.');
};

const rangeOf = (input: Checked) => {
  const [from, to] = [moment(input['StartTime']), moment(input['EndTime'])];
  if (from !== undefined && to !== undefined && from > to)
    throw refused('InvalidTimeRangeException', 'The start time must be before the end time.');
  return { from, to };
};

const mostOf = (input: Checked): number => {
  const most = (input['MaxResults'] ?? mostResults) as number;
  if (most >= 1 && most <= mostResults) return most;
  throw refused('InvalidMaxResultsException', `MaxResults must be a number from 1 to ${mostResults}.`);
};

/** A token is good for the question that it was given for. */
const questionOf = (input: Checked): string => {
  const { LookupAttributes, StartTime, EndTime } = input;
  return createHash('sha256')
    .update(JSON.stringify([LookupAttributes ?? [], StartTime, EndTime]))
    .digest('base64url');
};

const tokenAfter = (input: Checked, { time, id }: AuditPosition): string =>
  Buffer.from(JSON.stringify({ time, id, of: questionOf(input) })).toString('base64url');

const positionOf = (input: Checked): AuditPosition | undefined => {
  const token = optionalString(input, 'NextToken');
  if (token === undefined) return undefined;
  const invalid = refused(
    'InvalidNextTokenException',
    'The token was not given for a request like this one.',
  );
  try {
    const { time, id, of } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<
      string,
      unknown
    >;
    if (typeof time !== 'number' || !Number.isFinite(time) || Math.abs(time) > farthest) throw invalid;
    if (typeof id !== 'string' || !/^\d{1,18}$/.test(id) || of !== questionOf(input)) throw invalid;
    return { time, id };
  } catch {
    throw invalid;
  }
};

const present = (members: Output): Output =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

const shown = ({ eventId, time, text }: FoundEvent): Output => {
  const event = JSON.parse(text) as CloudTrailEvent & {
    readonly userIdentity?: { readonly accessKeyId?: string };
    readonly requestParameters: Readonly<Record<string, unknown>> | null;
  };
  return present({
    EventId: eventId,
    EventName: event['eventName'],
    ReadOnly: String(event['readOnly']),
    AccessKeyId: event.userIdentity?.accessKeyId,
    EventTime: Math.floor(time / 1000),
    EventSource: event['eventSource'],
    Username: userNameOfEvent(event),
    Resources: resourcesOf(event.requestParameters),
    CloudTrailEvent: text,
  });
};

/** The audit record, newest first (AWS CloudTrail API Reference, LookupEvents). Insight events are not made here. */
export const lookupEvents: Operation = {
  name: 'LookupEvents',
  input: lookupEventsInput,
  action: 'cloudtrail:LookupEvents',
  checks: () => [{ action: 'cloudtrail:LookupEvents', resources: ['*'] }],
  auditsSuccess: false,
  execute: async ({ input, principal }, { auditReader, lookups }) => {
    if (!lookups.take(countedPrincipal(principal))) throw throttlingException();
    const category = optionalString(input, 'EventCategory');
    if (category !== undefined && category !== 'insight')
      throw refused('InvalidEventCategoryException', 'The event category must be insight, or left out.');
    const [range, most, where] = [rangeOf(input), mostOf(input), filterOf(input)];
    const before = positionOf(input);
    if (category === 'insight') return { Events: [] };
    const { events, more } = await auditReader.find({ ...range, where, before, most, mostText });
    const last = events.at(-1);
    return present({
      Events: events.map(shown),
      NextToken: more && last ? tokenAfter(input, last) : undefined,
    });
  },
};
