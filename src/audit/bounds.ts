import { createHash } from 'node:crypto';
import type { CloudTrailEvent } from './cloudtrail.ts';

/** Bytes of JSON that a field of a record may have (CloudTrail User Guide, "CloudTrail record contents"). */
const most = {
  requestParameters: 100 * 1024,
  responseElements: 100 * 1024,
  additionalEventData: 28 * 1024,
} as const;

/** Bytes of JSON up to which a member stays where its field is cut. */
const shortMember = 1_024;
const mostMembers = 20;
/** Characters of a text. */
const longestText = 1_024;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Which document it was can still be told by its hash. */
const hashOf = (json: string): string => createHash('sha256').update(json).digest('hex');

/**
 * What stays of a field that is too large. CloudTrail keeps nothing of it, so that a long policy hides what it was
 * attached to; here the short members stay, and of the others their SHA-256 as JSON.
 */
const cut = (field: string, value: unknown, originalSize: number) => {
  const [kept, omittedMembers]: Record<string, unknown>[] = [{}, {}];
  for (const [name, member] of isObject(value) ? Object.entries(value).slice(0, mostMembers) : []) {
    const json = JSON.stringify(member) ?? '';
    if (json.length <= shortMember) Object.assign(kept ?? {}, { [name]: member });
    else Object.assign(omittedMembers ?? {}, { [name]: { sha256: hashOf(json) } });
  }
  return { ...kept, omitted: true, originalSize, reason: `${field} too large`, omittedMembers };
};

const boundedField = (field: keyof typeof most, value: unknown): unknown => {
  if (value === null || value === undefined) return value;
  const size = Buffer.byteLength(JSON.stringify(value));
  return size <= most[field] ? value : cut(field, value, size);
};

/** The event with every field within its bound: a record has 256 KB at most, and says what was left out. */
export const bounded = (event: CloudTrailEvent): CloudTrailEvent =>
  Object.fromEntries(
    Object.entries(event).map(([field, value]) => {
      if (Object.hasOwn(most, field)) return [field, boundedField(field as keyof typeof most, value)];
      return [field, typeof value === 'string' ? value.slice(0, longestText) : value];
    }),
  );
