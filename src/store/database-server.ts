import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type pg from 'pg';
import { WindsockError } from '../lib/errors.ts';
import type { MetadataServer } from './metadata-databases.ts';
import { bootRole, ownDatabase, ownRole } from './postgres/cluster.ts';

/** A PostgreSQL server that Windsock may make databases and roles on. */
export interface DatabaseServer extends MetadataServer {
  /** Windsock's own database. */
  readonly own: pg.ClientConfig;
  /** Account that serves the Unix socket; undefined for a server elsewhere. */
  readonly peer: string | undefined;
  /** True for the server that Windsock brings. */
  readonly isEmbedded: boolean;
}

/**
 * The embedded server, by its Unix socket: Airflow is known by password, and this process by its account, or by password
 * too where Airflow has the same account.
 */
export const embeddedServer = (
  socketFolder: string,
  peer: string | undefined,
  password?: string,
): DatabaseServer => ({
  own: { host: socketFolder, user: ownRole, database: ownDatabase, password },
  administrator: (database) => ({ host: socketFolder, user: bootRole, database, password }),
  asRole: (role, password, database) => ({ host: socketFolder, user: role, database, password }),
  url: (role, password, database) =>
    `postgresql+psycopg2://${role}:${password}@/${database}?host=${socketFolder}`,
  peer,
  isEmbedded: true,
});

const isLocal = (host: string): boolean =>
  host === '' ||
  host === 'localhost' ||
  host === '::1' ||
  host.startsWith('/') ||
  (isIPv4(host) && host.startsWith('127.'));

/**
 * A PostgreSQL of the user's own, by URL; its role must be a superuser. TLS with a checked name when it is not
 * on this machine.
 * @throws WindsockError DatabaseWithoutTls
 */
export const externalServer = (address: string): DatabaseServer => {
  const url = new URL(address);
  const host = url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '');
  const mode = url.searchParams.get('sslmode');
  const rootCertificate = url.searchParams.get('sslrootcert');
  if (!isLocal(host) && mode !== 'verify-full') {
    throw new WindsockError(
      'DatabaseWithoutTls',
      'WINDSOCK_DATABASE_URL names a server on another machine: add ?sslmode=verify-full (and sslrootcert=FILE for a private authority).',
    );
  }
  const port = Number(url.port || url.searchParams.get('port') || 5432);
  const common: pg.ClientConfig = {
    host,
    port,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ...(mode === 'verify-full'
      ? {
          ssl: {
            rejectUnauthorized: true,
            ...(rootCertificate ? { ca: readFileSync(rootCertificate, 'utf8') } : {}),
          },
        }
      : {}),
  };
  const secure =
    mode === 'verify-full'
      ? `&sslmode=verify-full${rootCertificate ? `&sslrootcert=${rootCertificate}` : ''}`
      : '';
  return {
    own: { ...common, database: ownDatabase },
    administrator: (database) => ({ ...common, database }),
    asRole: (role, password, database) => ({ ...common, user: role, password, database }),
    url: (role, password, database) =>
      `postgresql+psycopg2://${role}:${password}@/${database}?host=${host}&port=${port}${secure}`,
    peer: undefined,
    isEmbedded: false,
  };
};
