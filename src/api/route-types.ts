import type { Checked } from '../contract/constraints.ts';
import type { AwsError } from '../contract/errors.ts';
import type { Caller } from '../identity/principal.ts';
import type { ApiDeps } from './deps.ts';
import type { Call, Operation } from './operation.ts';
import type { ApiResponse } from './restjson.ts';

/** The signing names that requests are signed for. */
export type Service = 'airflow' | 'windsock' | 'iam' | 'sts' | 'cloudtrail' | 's3';

/** Where a request goes: what the pipeline does with it, step by step. */
export interface Route {
  readonly operation: Pick<Operation, 'name' | 'checks' | 'auditsSuccess' | 'givesOut'>;
  readonly service: Service;
  /** What CloudTrail calls read-only. */
  readonly readOnly: boolean;
  /** What CloudTrail calls a data event. */
  readonly isDataEvent?: boolean;
  /** Who calls; throws an AwsError that says why the request is not believed. */
  readonly authenticate: (deps: ApiDeps) => Promise<Caller>;
  /** The members that were given. Throws SerializationException, ValidationException. */
  readonly input: () => Promise<Checked>;
  /** What of them may be kept in the audit record. */
  readonly recorded: (input: Checked) => Checked;
  readonly answer: (call: Call, deps: ApiDeps) => Promise<ApiResponse>;
}

/** How errors of this request are written, also before it is known where it goes. */
export type ErrorWriter = (error: AwsError, requestId: string) => ApiResponse;
