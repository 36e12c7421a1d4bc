import type { Principal } from '../identity/principal.ts';
import type { Transaction } from '../lib/transaction.ts';

/** What happened, before it is shaped like a CloudTrail event. Never holds a token, a secret or a signature. */
export interface AuditEntry {
  /** An operation (`CreateCliToken`) or a thing the door did (`WebLogin`, `RunCliCommand`, `WebLoginRefused`). */
  readonly eventName: string;
  readonly readOnly: boolean;
  /** `airflow.amazonaws.com`, or `windsock` for our own operations, when left out. */
  readonly eventSource?: string;
  /** Undefined when the caller could not be told. */
  readonly principal: Principal | undefined;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly environmentId?: string;
  readonly requestParameters?: Readonly<Record<string, unknown>>;
  readonly responseElements?: Readonly<Record<string, unknown>>;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export interface AuditSink {
  /** Resolves once the entry is durable (with the transaction, when one is given); throws when it cannot be kept. */
  write(entry: AuditEntry, tx?: Transaction): Promise<void>;
}
