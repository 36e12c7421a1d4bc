import { z } from 'zod';

/** How a bucket that another S3 server has is reached. */
export interface RemoteBucketSettings {
  /** Name of a bucket, or what names begin with and `*`. */
  readonly name: string;
  /** Origin of the server; undefined for AWS. */
  readonly endpoint: string | undefined;
  /** The region of the installation where none is given. */
  readonly region: string | undefined;
  /** The bucket is the first part of the path, not of the host name. */
  readonly pathStyle: boolean;
  /** Whose credentials: what every AWS SDK finds, the environment's execution role, or a profile of the AWS config files. */
  readonly credentials: string;
  /** The account that must own the bucket. */
  readonly owner: string | undefined;
}

const name = z.string().regex(/^(?:[a-z0-9][a-z0-9.-]{0,62}\*?|\*)$/, {
  error: (issue) =>
    `names "${String(issue.input)}", which is no bucket: give a name, or the start of names and *`,
});

/** Without a user or a path: secrets of URLs are shown in logs. */
const isOrigin = (text: string): boolean => {
  const url = URL.parse(text);
  return (
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '') &&
    url.pathname === '/' &&
    !/[@?#]/.test(text)
  );
};

const endpoint = z
  .string()
  .refine(isOrigin, {
    error: 'needs endpoints like https://s3.example.com:9000, with nothing behind the port',
  })
  .transform((text) => new URL(text).origin);

const how = z.strictObject({
  endpoint: endpoint.optional(),
  region: z
    .string()
    .regex(/^[\w-]{1,64}$/, { error: 'needs a region like eu-west-1' })
    .optional(),
  pathStyle: z.boolean().optional(),
  credentials: z
    .string()
    .regex(/^(?:machine|role|profile:[\w+=,.@/ -]{1,128})$/, {
      error: 'needs credentials that are machine, role or profile:NAME',
    })
    .default('machine'),
  owner: z
    .string()
    .regex(/^\d{12}$/, { error: 'needs an owner that is an account of 12 digits' })
    .optional(),
});

type Entry = readonly [bucket: string, how: unknown];

/** `dags,team-*=https://s3.example.com` */
const entriesOfText = (text: string): readonly Entry[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part): Entry => {
      const at = part.indexOf('=');
      return at === -1 ? [part, {}] : [part.slice(0, at), { endpoint: part.slice(at + 1) }];
    });

const isObject = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

const entries = z
  .array(z.tuple([name, z.union([endpoint.transform((at) => how.parse({ endpoint: at })), how])]))
  .refine((all) => new Set(all.map(([bucket]) => bucket)).size === all.length, {
    error: 'names a bucket twice',
  })
  .transform((all): readonly RemoteBucketSettings[] =>
    all.map(([bucket, { endpoint: at, region, pathStyle, credentials, owner }]) => ({
      ...{ name: bucket, endpoint: at, region, credentials, owner },
      // AWS wants the name in the host, and hardly any other server does
      pathStyle: pathStyle ?? at !== undefined,
    })),
  );

/** Text as on the command line, or an object with more as in settings.json. */
export const remoteBuckets = z
  .union(
    [z.string().transform(entriesOfText), z.custom<object>(isObject).transform((all) => Object.entries(all))],
    {
      error: 'must be text like NAME=URL, or an object with one member for each bucket',
    },
  )
  .pipe(entries);

/** The settings of the bucket of this name, if it is elsewhere: its own, else those of the longest beginning. */
export const remoteBucketFor = <T extends Pick<RemoteBucketSettings, 'name'>>(
  all: readonly T[],
  bucket: string,
): T | undefined => {
  const own = all.find((one) => one.name === bucket);
  if (own !== undefined) return own;
  const fitting = all.filter(({ name: n }) => n.endsWith('*') && bucket.startsWith(n.slice(0, -1)));
  return fitting.toSorted((a, b) => b.name.length - a.name.length)[0];
};
