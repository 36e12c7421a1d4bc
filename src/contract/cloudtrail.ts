import { anyInteger, anyText, maybeEmpty, oneOf, type StructureShape, structure, text } from './shape.ts';

/** What Windsock speaks of AWS CloudTrail, 2013-11-01 (JSON 1.1): the target's prefix before the operation's name. */
export const cloudTrailTarget = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101';

/** LookupAttributeKey. */
export const lookupAttributes = [
  'EventId',
  'EventName',
  'ReadOnly',
  'Username',
  'ResourceType',
  'ResourceName',
  'EventSource',
  'AccessKeyId',
] as const;

/** LookupEventsRequest; the bounds of MaxResults have an error of their own. */
export const lookupEventsInput: StructureShape = structure({
  LookupAttributes: {
    kind: 'list',
    member: structure({ AttributeKey: oneOf(...lookupAttributes), AttributeValue: text(2_000) }, [
      'AttributeKey',
      'AttributeValue',
    ]),
  },
  StartTime: { kind: 'timestamp' },
  EndTime: { kind: 'timestamp' },
  EventCategory: anyText,
  MaxResults: anyInteger,
  NextToken: maybeEmpty(4_096),
});
