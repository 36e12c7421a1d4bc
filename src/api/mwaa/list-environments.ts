import { validate } from '../../contract/constraints.ts';
import { validationException } from '../../contract/errors.ts';
import { environmentNameInput, listEnvironmentsInput } from '../../contract/shapes/environments.ts';
import type { Operation } from '../operation.ts';

const pageSize = 25;

const encodeToken = (after: string): string => Buffer.from(JSON.stringify({ after })).toString('base64url');

/** A token only says where to go on, so it needs no secret: it is checked like any name. */
const decodeToken = (token: string): string => {
  try {
    const { after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { after?: unknown };
    validate(environmentNameInput, { Name: after });
    if (typeof after === 'string' && encodeToken(after) === token) return after;
  } catch {
    // Not one of ours: answered below.
  }
  throw validationException('NextToken is not valid. Send the NextToken of the previous answer, unchanged.');
};

/** Names only, in order. */
export const listEnvironments: Operation = {
  name: 'ListEnvironments',
  input: listEnvironmentsInput,
  action: 'airflow:ListEnvironments',
  checks: () => [{ action: 'airflow:ListEnvironments', resources: ['*'] }],
  auditsSuccess: false,
  execute: async ({ input }, { accountId, region, store }) => {
    const limit = typeof input['MaxResults'] === 'number' ? input['MaxResults'] : pageSize;
    const token = typeof input['NextToken'] === 'string' ? input['NextToken'] : '';
    const after = token === '' ? {} : { after: decodeToken(token) };
    const names = await store.list({ accountId, region }, { ...after, limit: limit + 1 });
    const page = names.slice(0, limit);
    const last = page.at(-1);
    const more = names.length > limit && last !== undefined;
    return { Environments: page, ...(more ? { NextToken: encodeToken(last) } : {}) };
  },
};
