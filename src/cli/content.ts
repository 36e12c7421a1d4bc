import { z } from 'zod';
import { plural } from '../lib/plural.ts';
import type { ApiClient } from './api-client.ts';

const file = z.object({
  Path: z.string(),
  Sha256: z.string().optional(),
  At: z.number(),
  ReadAt: z.number().optional(),
  State: z.enum(['waiting', 'read', 'failed', 'no-dag', 'unknown', 'leaving']),
  Dags: z.array(z.string()).optional(),
  LeavingDags: z.array(z.string()).optional(),
  Error: z.object({ Line: z.number().optional(), Message: z.string() }).optional(),
});
export type LiveFile = z.infer<typeof file>;

const content = z.object({
  Version: z.string(),
  Since: z.number(),
  FollowedFolder: z.string().optional(),
  /** The other server of S3 that has the bucket; AWS without an endpoint. */
  BucketServer: z
    .object({ Endpoint: z.string().optional(), Region: z.string(), PathStyle: z.boolean() })
    .optional(),
  /** Why the bucket cannot be read now; what is live stays. */
  Fault: z.object({ Since: z.number(), Message: z.string() }).optional(),
  Files: z.array(file),
});
export type LiveContent = z.infer<typeof content>;

/** What is live in an environment. Windsock's own: Amazon MWAA has no such operation. */
export const getContent = (api: ApiClient, name: string): Promise<LiveContent> =>
  api.call(content, {
    ...{ method: 'GET', service: 'windsock' },
    path: `/windsock/environments/${encodeURIComponent(name)}/content`,
  });

const shownDags = (dags: readonly string[]): string =>
  dags.length > 3 ? plural(dags.length, 'DAG') : dags.join(', ');

const leavingText = (dags: readonly string[] | undefined): string =>
  dags ? `; no longer in it: ${shownDags(dags)}` : '';

/** What Airflow made of a file, in words. */
export const outcomeText = ({ State, Dags = [], LeavingDags, Error: error }: LiveFile): string => {
  switch (State) {
    case 'waiting':
      return 'not read yet';
    case 'unknown':
      return 'not known: the database does not answer now';
    case 'read':
      return shownDags(Dags) + leavingText(LeavingDags);
    case 'failed':
      return `import error${error?.Line === undefined ? '' : ` in line ${error.Line}`}: ${error?.Message ?? ''}`;
    case 'no-dag':
      return `no DAG${leavingText(LeavingDags)}`;
    case 'leaving':
      return 'gone; its DAGs are still shown';
  }
};
