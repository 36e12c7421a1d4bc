import { validationException } from '../../contract/errors.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { mayAsk, type Request } from '../../environments/status.ts';

const verbs: Readonly<Record<Request, string>> = {
  update: 'updated',
  delete: 'deleted',
  access: 'used',
};

/** Nothing is being done to it, and nothing else than deleting it helps. */
const deleteOnly = ['CREATE_FAILED', 'UNAVAILABLE'];

/** AWS has no word for it, so the status says nothing of it. */
export const stoppedText = (name: string): string =>
  `Environment ${name} is stopped. Start it first: windsock environment start ${name}`;

/** @throws AwsError ValidationException in AWS's own words, where they are known */
export const checkStatus = ({ status }: EnvironmentRecord, request: Request): void => {
  if (mayAsk(status, request)) return;
  if (deleteOnly.includes(status))
    throw validationException(
      `Environments with ${status} status cannot be ${verbs[request]}. Delete the environment and create it again.`,
    );
  throw validationException(
    `Environments with ${status} status must complete previous operation before initiating a new operation`,
  );
};
