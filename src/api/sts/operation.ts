import { queryOperation, stsService } from '../../contract/aws-model.ts';
import type { Operation } from '../operation.ts';

/** An operation of STS. */
export const stsOperation = (
  name: string,
  rest: Pick<Operation, 'checks' | 'givesOut' | 'auditsSuccess' | 'execute'>,
): Operation => ({
  name,
  input: queryOperation(stsService, name).input,
  action: `sts:${name}`,
  ...rest,
});

/** The structure Credentials of STS's model. */
export const shownCredentials = (c: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: number;
}) => ({
  AccessKeyId: c.accessKeyId,
  SecretAccessKey: c.secretAccessKey,
  SessionToken: c.sessionToken,
  Expiration: c.expiresAt,
});
