import { isIP } from 'node:net';
import { z } from 'zod';
import { remoteBuckets } from './remote-buckets.ts';

const port = z.coerce
  .number({ error: 'must be a port number' })
  .int({ error: 'must be a whole number' })
  .min(1, { error: 'must be from 1 to 65535' })
  .max(65_535, { error: 'must be from 1 to 65535' });

const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0'])])
  .transform((v) => v === true || v === 'true' || v === '1');

const databaseUrl = z.string().refine(
  (text) => {
    try {
      return ['postgres:', 'postgresql:'].includes(new URL(text).protocol);
    } catch {
      return false;
    }
  },
  { error: 'must be a URL like postgresql://user:password@host:5432/postgres' },
);

/** Several, separated by commas. */
const list = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (typeof given === 'string' ? given.split(',') : given).map((text) => text.trim()));

/** Addresses of this machine. */
const addresses = list.refine((given) => given.length > 0 && given.every((text) => isIP(text) !== 0), {
  error: 'must be IP addresses, separated by commas',
});

/** `10.0.0.1` or `10.0.0.0/24`; a network of everybody is none. */
const isNetwork = (text: string): boolean => {
  const [, address = '', bits] = /^([^/]+)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
  return isIP(address) !== 0 && Number(bits ?? 1) <= (isIP(address) === 4 ? 32 : 128);
};
const networks = list.refine((given) => given.every(isNetwork), {
  error: 'must be IP addresses or networks like 10.0.0.0/24, separated by commas',
});

const files = list.refine((given) => given.length > 0 && given.every((text) => text.startsWith('/')), {
  error: 'must be absolute paths, separated by commas',
});

/** A number of things, at least one. */
const count = (usual: number) => ({
  schema: z.coerce
    .number({ error: 'must be a number' })
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be at least 1' })
    .max(1_000, { error: 'must be at most 1000' })
    .default(usual),
  value: 'COUNT',
});

/** One setting: how it is written on the command line, in the environment and in the file, and what it means. */
export interface SettingDefinition {
  readonly schema: z.ZodType;
  readonly description: string;
  /** What stands after the flag in help; undefined for a switch. */
  readonly value?: string;
  /** Not on the command line, which every account of the machine can read. */
  readonly secret?: true;
  /** How the default reads where it is computed. */
  readonly defaultText?: string;
}

/**
 * Every setting. `port` is `--port` on the command line, `WINDSOCK_PORT` in the environment and `port` in
 * `settings.json` of the data folder; in this order of precedence.
 */
export const settingDefinitions = {
  data: {
    schema: z.string().startsWith('/', { error: 'must be an absolute path' }).optional(),
    value: 'DIR',
    description: 'Folder that holds everything: databases, environments, keys, logs',
    defaultText: '/var/lib/windsock as root, else ~/.local/share/windsock',
  },
  port: { schema: port.default(7400), value: 'PORT', description: 'Port of the API on localhost' },
  doorPort: {
    schema: port.default(7443),
    value: 'PORT',
    description: 'Port of the first environment’s web server; the next takes the next free one',
  },
  privateAddress: {
    schema: addresses.default(['127.0.0.1', '::1']),
    value: 'ADDRESSES',
    description: 'Addresses at which environments with private access answer, for instance that of a VPN',
    defaultText: '127.0.0.1,::1',
  },
  publicAddress: {
    schema: addresses.default([]),
    value: 'ADDRESSES',
    description: 'Addresses at which environments with public access answer',
    defaultText: 'none: they answer at the private ones',
  },
  domain: {
    schema: z
      .string()
      .regex(/^(?=.{1,200}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$/, {
        error: 'must be a domain such as airflow.example.com',
      })
      .optional(),
    value: 'DOMAIN',
    description: 'Domain in which each environment has a name; all answer at the one port --door-port',
    defaultText: 'none: each environment has a port at localhost',
  },
  certificate: {
    schema: files.optional(),
    value: 'FILES',
    description:
      'Certificate for all names of the domain, with its chain (PEM), then those for custom domains; read again when they change',
  },
  certificateKey: {
    schema: files.optional(),
    value: 'FILES',
    description: 'Private keys of these certificates (PEM), in the same order',
  },
  externalPort: {
    schema: port.optional(),
    value: 'PORT',
    description: 'Port of environments in a domain as their users see it, when a proxy in front has another',
    defaultText: 'that of --door-port',
  },
  proxyAddress: {
    schema: networks.default([]),
    value: 'ADDRESSES',
    description: 'Addresses or networks of the reverse proxies and load balancers in front of environments',
    defaultText: 'none: whoever connects is the client',
  },
  proxyTells: {
    schema: z
      .enum(['proxy-protocol', 'forwarded', 'x-forwarded-for'], {
        error: 'must be proxy-protocol, forwarded or x-forwarded-for',
      })
      .optional(),
    value: 'HOW',
    description:
      'How these say who the client is: proxy-protocol (versions 1 and 2; TLS goes through them), or by the header forwarded or x-forwarded-for (they end TLS and begin it anew)',
  },
  region: {
    schema: z
      .string()
      .regex(/^[a-z]{2,}(-[a-z]+)+-\d$/, { error: 'must look like us-east-1' })
      .default('us-east-1'),
    value: 'REGION',
    description: 'AWS region this installation answers for',
  },
  environment: {
    schema: z
      .string()
      .regex(/^[a-zA-Z][0-9a-zA-Z-_]{0,79}$/, {
        error: 'must start with a letter and hold at most 80 letters, digits, hyphens and underscores',
      })
      .default('demo'),
    value: 'NAME',
    description: 'Name of the environment that the first start creates',
  },
  airflowVersion: {
    schema: z.string().optional(),
    value: 'VERSION',
    description: 'Airflow version of that environment',
    defaultText: 'the newest',
  },
  dags: {
    schema: z.string().optional(),
    value: 'DIR',
    description:
      'Folder of DAGs that is followed from now on in the place of that environment’s bucket; none ends it',
    defaultText: 'two small examples in the bucket',
  },
  demo: { schema: flag.default(true), description: 'Create an environment on the first start' },
  python: {
    schema: z.string().startsWith('/', { error: 'must be an absolute path' }).optional(),
    value: 'FILE',
    description: 'Python interpreter to build environments with',
    defaultText: 'a Python 3.11 found on this machine, else one installed into the data folder',
  },
  remoteBuckets: {
    schema: remoteBuckets.default([]),
    value: 'BUCKETS',
    description:
      'Buckets that are elsewhere, separated by commas: NAME in AWS, NAME=URL in another S3; a name may end in *. More in settings.json',
    defaultText: 'none: every bucket is in this data folder',
  },
  taskLogDays: {
    schema: z.coerce
      .number({ error: 'must be a number of days' })
      .int()
      .min(1, { error: 'must be at least 1' })
      .default(30),
    value: 'DAYS',
    description: 'How long task logs are kept',
  },
  packageHosts: {
    schema: list
      .refine((given) => given.every((host) => /^[\w.-]+(:\d{1,5})?$/.test(host)), {
        error: 'must be host names, with a port where it is not 443, separated by commas',
      })
      .default([]),
    value: 'HOSTS',
    description:
      'Hosts that a requirements.txt may name for packages, besides the package index that this machine uses (PyPI by default)',
  },
  strictDags: {
    schema: flag.default(false),
    description:
      'Let an update fail, instead of a warning, when a DAG that works with the packages that run now cannot be imported with the new ones',
  },
  objectVersionDays: {
    schema: z.coerce
      .number({ error: 'must be a number of days' })
      .int()
      .min(0, { error: 'must not be negative' })
      .default(0),
    value: 'DAYS',
    description:
      'How long versions of objects are kept that are no longer the latest; 0: for ever. One that an environment names stays',
  },
  auditDays: {
    schema: z.coerce
      .number({ error: 'must be a number of days' })
      .int()
      .min(1, { error: 'must be at least 1' })
      .default(90),
    value: 'DAYS',
    description: 'How long audit records are kept; their seals stay',
  },
  creationMinutes: {
    schema: z.coerce
      .number({ error: 'must be a number of minutes' })
      .min(1, { error: 'must be at least 1' })
      .default(20),
    value: 'MINUTES',
    description: 'How long a creation may try before the environment is CREATE_FAILED',
  },
  sessionHours: {
    schema: z.coerce
      .number({ error: 'must be a number of hours' })
      .min(0.1, { error: 'must be at least 0.1' })
      .max(168, { error: 'must be at most 168' })
      .default(12),
    value: 'HOURS',
    description: 'How long a web session lasts, whatever is done in it',
  },
  sessionIdleMinutes: {
    schema: z.coerce
      .number({ error: 'must be a number of minutes' })
      .min(1, { error: 'must be at least 1' })
      .default(720),
    value: 'MINUTES',
    description: 'How long a web session lasts without a request',
  },
  awsEndpoints: {
    schema: z.enum(['windsock', 'aws'], { error: 'must be windsock or aws' }).default('windsock'),
    value: 'WHERE',
    description:
      'Where DAGs find S3, STS, IAM and CloudTrail: windsock, with the rights of the execution role in its IAM, or aws, with those of --aws-credentials',
  },
  awsCredentials: {
    schema: z
      .string()
      .regex(/^(?:none|role|machine|profile:[\w+=,.@/ -]{1,128})$/, {
        error: 'must be none, role, machine or profile:NAME',
      })
      .default('none'),
    value: 'WHOSE',
    description:
      'With --aws-endpoints aws, whose credentials of AWS DAGs are given: none, role (those of the execution role, which this machine takes by its own), machine, or profile:NAME of the AWS config files',
  },
  roleSessionMinutes: {
    schema: z.coerce
      .number({ error: 'must be a number of minutes' })
      .min(20, { error: 'must be at least 20: clients renew credentials 15 minutes before they expire' })
      .max(720, { error: 'must be at most 720' })
      .default(60),
    value: 'MINUTES',
    description: 'How long credentials of an execution role last; no longer than the role itself allows',
  },
  singleUseCliTokens: {
    schema: flag.default(false),
    description: 'Let a CLI token run one command only, instead of several within its 60 seconds',
  },
  signingKeyDays: {
    schema: z.coerce
      .number({ error: 'must be a number of days' })
      .min(1, { error: 'must be at least 1' })
      .default(30),
    value: 'DAYS',
    description: 'How long a key signs tokens and assertions before a new one does',
  },
  tokensPerSecond: {
    schema: z.coerce
      .number({ error: 'must be a number' })
      .min(1, { error: 'must be at least 1' })
      .default(10),
    value: 'COUNT',
    description:
      'How often a second one caller may be given a token or credentials; five times as many at once',
  },
  requestsPerSecond: {
    schema: z.coerce
      .number({ error: 'must be a number' })
      .min(1, { error: 'must be at least 1' })
      .default(200),
    value: 'COUNT',
    description:
      'Requests a second of one principal to Airflow, and to the API, and of one address without a session; five times as many at once',
  },
  connectionsPerAddress: {
    schema: z.coerce
      .number({ error: 'must be a number' })
      .int({ error: 'must be a whole number' })
      .min(10, { error: 'must be at least 10' })
      .default(1_000),
    value: 'COUNT',
    description: 'Connections at once from one address to environments',
  },
  maxEnvironments: { ...count(10), description: 'How many environments there may be' },
  maxWorkers: { ...count(25), description: 'The most workers that an environment may ask for' },
  maxWebservers: { ...count(5), description: 'The most web servers that an environment may ask for' },
  sharedAirflowUsers: {
    schema: flag.default(false),
    description: 'Let all who assume a role be one Airflow user, as on MWAA, instead of one each',
  },
  jsonLogs: {
    schema: flag.default(false),
    description: 'Print one JSON line an event, and nothing else',
  },
  databaseUrl: {
    schema: databaseUrl.optional(),
    value: 'URL',
    secret: true,
    description: 'PostgreSQL to use instead of the embedded one; its role must be a superuser',
  },
} as const satisfies Record<string, SettingDefinition>;

export type SettingName = keyof typeof settingDefinitions;

/** The settings after defaults. */
export type Settings = { readonly [K in SettingName]: z.output<(typeof settingDefinitions)[K]['schema']> };

/** `doorPort` → `door-port`. */
export const flagName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `doorPort` → `WINDSOCK_DOOR_PORT`. */
export const variableName = (name: string): string =>
  `WINDSOCK_${flagName(name).replaceAll('-', '_').toUpperCase()}`;
