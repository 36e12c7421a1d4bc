import { z } from 'zod';
import { type ApiClient, ApiError, createApiClient } from './api-client.ts';
import type { Context } from './context.ts';
import { CliError, exitCodes } from './errors.ts';
import { type AccessKey, connectionAs, type EndpointFacts } from './server.ts';

/** Whose credentials they are. */
const identitySchema = z.object({ Account: z.string(), Arn: z.string() });
type Identity = z.infer<typeof identitySchema>;

const createdSchema = z.object({ AccessKeyId: z.string(), SecretAccessKey: z.string() });

/** Asks the server whose key this is; throws ApiError when it is nobody's. */
const identityOf = (key: AccessKey, facts: EndpointFacts, context: Context): Promise<Identity> =>
  createApiClient(connectionAs(key, facts), context.signal).form(identitySchema, {
    service: 'sts',
    action: 'GetCallerIdentity',
  });

const isRefused = (error: unknown): boolean =>
  error instanceof ApiError &&
  ['InvalidClientTokenId', 'SignatureDoesNotMatch', 'AccessDenied'].includes(error.code);

/** True when the server knows this key as one of that user. */
export const isKeyOf = async (
  user: string,
  key: AccessKey,
  facts: EndpointFacts,
  context: Context,
): Promise<boolean> => {
  try {
    const { Arn } = await identityOf(key, facts, context);
    return Arn.includes(':user/') && Arn.split('/').at(-1) === user;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
};

const explained = (user: string, error: unknown): unknown => {
  if (!(error instanceof ApiError)) return error;
  if (error.code === 'NoSuchEntity')
    return new CliError(`There is no IAM user "${user}".`, {
      todo: `Make it first: aws iam create-user --user-name ${user}`,
      cause: error,
    });
  if (error.code === 'LimitExceeded')
    return new CliError(`The user "${user}" has two access keys already, and may have no more.`, {
      why: 'The secret of a key is told only when it is made, so a new one is needed for a new profile.',
      todo: `See them with "aws iam list-access-keys --user-name ${user}", and delete one that is not used: aws iam delete-access-key --user-name ${user} --access-key-id ID. If you have the secret of one: windsock env --access-key ID`,
      cause: error,
    });
  return error;
};

/** Makes an access key of an IAM user with the rights of `api`; throws CliError. */
export const createKey = async (user: string, api: ApiClient): Promise<AccessKey> => {
  const call = { service: 'iam', action: 'CreateAccessKey', members: { UserName: user } } as const;
  try {
    const made = await api.form(createdSchema, call);
    return { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey };
  } catch (error) {
    throw explained(user, error);
  }
};

/** Takes back a key that could not be kept anywhere. */
export const deleteKey = async (user: string, { accessKeyId }: AccessKey, api: ApiClient): Promise<void> => {
  const members = { UserName: user, AccessKeyId: accessKeyId };
  await api.form(z.unknown(), { service: 'iam', action: 'DeleteAccessKey', members });
};

const secretFrom = async (accessKeyId: string, { env, input }: Context): Promise<string> => {
  // the variable may hold the secret of another key, of AWS for instance: it counts only beside its own id
  if (env['AWS_ACCESS_KEY_ID'] === accessKeyId && env['AWS_SECRET_ACCESS_KEY'])
    return env['AWS_SECRET_ACCESS_KEY'];
  const secret = (await input.line(`Secret access key of ${accessKeyId}: `, { isSecret: true }))?.trim();
  if (secret) return secret;
  throw new CliError(`The secret of ${accessKeyId} is missing.`, {
    todo: 'Give it as a line on standard input, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    exitCode: exitCodes.usage,
  });
};

/** The key with that id; its secret comes from the environment or standard input. Throws CliError for a wrong one. */
export const givenKey = async (
  accessKeyId: string,
  facts: EndpointFacts,
  context: Context,
): Promise<AccessKey> => {
  if (!/^\w{16,128}$/.test(accessKeyId))
    throw new CliError('--access-key takes the id of an access key.', {
      why: 'An id has 16 letters and digits or more, such as AKIAIOSFODNN7EXAMPLE.',
      todo: 'Give the secret on standard input, never as an argument.',
      exitCode: exitCodes.usage,
    });
  const key = { accessKeyId, secretAccessKey: await secretFrom(accessKeyId, context) };
  await identityOf(key, facts, context).catch((error: unknown) => {
    if (!isRefused(error)) throw error;
    throw new CliError(`The server does not accept the access key ${accessKeyId}.`, {
      why: 'The key is not of this installation, it is inactive, or the secret is another one.',
      todo: 'Check both, or ask for a new key: aws iam create-access-key --user-name NAME',
      cause: error,
    });
  });
  return key;
};
