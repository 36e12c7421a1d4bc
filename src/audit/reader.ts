import type { lookupAttributes } from '../contract/cloudtrail.ts';

/** What the audit record is searched by. */
export interface AuditQuery {
  /** Epoch milliseconds, both included. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly where: AuditFilter | undefined;
  /** Only what is older than this event. */
  readonly before: AuditPosition | undefined;
  readonly most: number;
  /** Characters of all events together; the first is found whatever its length. */
  readonly mostText: number;
}

/** One attribute of CloudTrail's LookupEvents. */
export interface AuditFilter {
  readonly by: AuditAttribute;
  readonly value: string;
}

export type AuditAttribute = (typeof lookupAttributes)[number];

/** A place in the record: newest first is by time, then by id. */
export interface AuditPosition {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly id: string;
}

/** An event as it was kept, and where. */
export interface FoundEvent extends AuditPosition {
  readonly eventId: string;
  /** JSON of a CloudTrail event. */
  readonly text: string;
}

/** Some of the events that a query is about. */
export interface FoundPage {
  /** Newest first. */
  readonly events: readonly FoundEvent[];
  /** Whether older ones were left out. */
  readonly more: boolean;
}

/** The audit record for those who may read it. */
export interface AuditReader {
  /** The events of one request, oldest first. */
  findByRequest(requestId: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  find(query: AuditQuery): Promise<FoundPage>;
}
