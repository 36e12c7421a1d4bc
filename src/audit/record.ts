import type { Principal, SessionFacts } from '../identity/principal.ts';
import type { Transaction } from '../lib/transaction.ts';

/** A service that acts for somebody, as CloudTrail names it. */
export interface ActingService {
  /** For instance `airflow-env.amazonaws.com`. */
  readonly service: string;
}

/** What happened, before it is shaped like a CloudTrail event. Never holds a token, a secret or a signature. */
export interface AuditEntry {
  /** An operation (`CreateCliToken`) or a thing the door did (`WebLogin`, `RunCliCommand`, `WebLoginRefused`). */
  readonly eventName: string;
  readonly readOnly: boolean;
  /** `airflow.amazonaws.com`, or `windsock` for our own operations, when left out. */
  readonly eventSource?: string;
  /** An object was changed or asked for: a data event, which LookupEvents does not show. */
  readonly isDataEvent?: true;
  /** `server` for what Windsock does by itself, a service of AWS's that it stands for; undefined when the caller could not be told. */
  readonly principal: Principal | 'server' | ActingService | undefined;
  /** What temporary credentials remember of how they were made. */
  readonly session?: SessionFacts | undefined;
  /**
   * Of what is handed on to Airflow: `intent` is kept before, `outcome` after. An intent without its outcome may or
   * may not have had an effect.
   */
  readonly phase?: 'intent' | 'outcome';
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly environmentId?: string;
  readonly requestParameters?: Readonly<Record<string, unknown>>;
  readonly responseElements?: Readonly<Record<string, unknown>>;
  /** What the policies said, and which statements. */
  readonly authorization?: AuthorizationRecord;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

/** The decision on a call: the right that was missing, or the call's own. */
export interface AuthorizationRecord {
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly reason: string;
  /** The layer that decided, and its statements as `POLICY statement 2 (Sid)`. */
  readonly layer?: string;
  readonly statements: readonly string[];
  /** Of a refusal, for administrators: all that was found, and what would have allowed it. */
  readonly explanation?: Readonly<Record<string, unknown>>;
}

export interface AuditSink {
  /** Resolves once the entry is durable (with the transaction, when one is given); throws when it cannot be kept. */
  write(entry: AuditEntry, tx?: Transaction): Promise<void>;
}
