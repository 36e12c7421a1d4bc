import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything is kept when no folder is named: `/var/lib/windsock` as root, else the user's data folder. */
export const defaultDataFolder = (
  env: Readonly<Record<string, string | undefined>>,
  isRoot: boolean,
): string => {
  if (isRoot) return '/var/lib/windsock';
  const base = env['XDG_DATA_HOME'];
  return join(base?.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.local', 'share'), 'windsock');
};

/** The paths of one data folder. */
export interface DataFolder {
  readonly root: string;
  /** 0700: keys, certificates, the root access key. */
  readonly secrets: string;
  readonly rootAccessKey: string;
  readonly endpoint: string;
  /** Which process is the server. */
  readonly server: string;
  /** How everything was when it last changed. */
  readonly status: string;
  /** What outlives the server: PostgreSQL's programs, the shim, uv, Python. */
  readonly programs: string;
  readonly postgres: string;
  /** Sockets; a short path of its own where the data folder's is too long. */
  readonly sockets: string;
  readonly bases: string;
  /** Virtual environments with packages of users. */
  readonly sets: string;
  readonly cache: string;
  readonly environments: string;
  readonly buckets: string;
  /** 0700: the bytes of all versions of objects. */
  readonly bucketStore: string;
  /** Which folders are followed in the place of a bucket's. */
  readonly followed: string;
  readonly logs: string;
  readonly trash: string;
  /** The newest seal of the audit record: outside the database, to show when that has lost it. */
  readonly newestSeal: string;
  readonly ca: string;
  readonly caBundle: string;
}

/** A Unix socket's path may hold 107 bytes (unix(7)); PostgreSQL appends `/.s.PGSQL.5432`. */
const longestSocketFolder = 107 - '/.s.PGSQL.5432'.length;

const socketFolder = (root: string, env: Readonly<Record<string, string | undefined>>): string => {
  const own = join(root, 'run');
  if (Buffer.byteLength(own) <= longestSocketFolder) return own;
  // Root's must lie where nobody else can put a link in its place.
  const base = process.geteuid?.() === 0 ? '/run' : (env['XDG_RUNTIME_DIR'] ?? '/tmp');
  const tag = createHash('sha256').update(root).digest('hex').slice(0, 12);
  return join(base, `windsock-${tag}`);
};

/** The layout of a data folder; makes nothing. */
export const dataFolder = (root: string, env: Readonly<Record<string, string | undefined>>): DataFolder => ({
  root,
  secrets: join(root, 'secrets'),
  rootAccessKey: join(root, 'secrets', 'root-access-key.json'),
  endpoint: join(root, 'endpoint.json'),
  server: join(root, 'server.json'),
  status: join(root, 'status.json'),
  programs: join(root, 'programs'),
  postgres: join(root, 'postgres'),
  sockets: socketFolder(root, env),
  bases: join(root, 'bases'),
  sets: join(root, 'sets'),
  cache: join(root, 'cache'),
  environments: join(root, 'environments'),
  buckets: join(root, 'buckets'),
  bucketStore: join(root, 'bucket-store'),
  followed: join(root, 'followed.json'),
  logs: join(root, 'logs'),
  trash: join(root, 'trash'),
  newestSeal: join(root, 'newest-audit-seal.json'),
  ca: join(root, 'ca.pem'),
  caBundle: join(root, 'ca-bundle.pem'),
});
