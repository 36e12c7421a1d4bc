import pg from 'pg';
import type { DatabaseAddress, MetadataDatabases } from '../airflow/ports.ts';
import type { EnvironmentId } from '../environments/record.ts';
import { codeOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { randomSecret } from '../lib/ids.ts';
import { boundAnswers, CautiousClient } from './cautious-client.ts';
import { dropDatabase, dropRole } from './drop-metadata.ts';
import { databaseOf, databasesOf, roleOf } from './metadata-names.ts';
import { type AsAdministrator, snapshots } from './snapshots.ts';

export interface MetadataServer {
  /** A connection with the rights of a superuser, to one of the server's databases. */
  readonly administrator: (database: string) => pg.ClientConfig;
  /** A connection of a role with its password. */
  readonly asRole: (role: string, password: string, database: string) => pg.ClientConfig;
  /** The SQLAlchemy URL by which an account gets in with a password. */
  readonly url: (role: string, password: string, database: string) => string;
}

const names = (base: string) => ({
  template: `template_${base}`,
  unfinished: `unfinished_${base}`,
  owner: `template_owner_${base}`,
});

const duplicateObject = '42710';
/** Milliseconds. */
const askPatience = 5_000;
/** Bytes that an environment's database may answer: what is larger would be held in memory whole. */
const mostAnswered = 32 * 1024 * 1024;
const id = pg.escapeIdentifier;
const literal = pg.escapeLiteral;

/** A new database lets everybody in: it is open to connections only once that is taken away. */
const openToOwner = async (client: pg.Client, database: string): Promise<void> => {
  await client.query(`revoke connect, temporary on database ${id(database)} from public`);
  await client.query(`alter database ${id(database)} allow_connections true`);
};

const ignoring = async (code: string, work: Promise<unknown>): Promise<void> => {
  await work.catch((error: unknown) => {
    if (codeOf(error) !== code) throw error;
  });
};

/**
 * Every environment's Airflow metadata: a database and a role each, copied from the closed template of its base.
 *
 * The template's contents belong to a role without superuser rights that owns nothing else; the template
 * database is given to the administrator before the first copy, because REASSIGN OWNED moves databases too.
 * From the LOGIN of an environment's role on, nothing with more rights queries inside its database: a view that
 * its DAGs plant would run with the rights of whoever reads it.
 */
export const metadataDatabases = (server: MetadataServer): MetadataDatabases => {
  const as: AsAdministrator = async (database, work, patience = 120_000) => {
    const client = new CautiousClient({
      ...server.administrator(database),
      connectionTimeoutMillis: 10_000,
      query_timeout: patience,
    });
    client.on('error', () => {});
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  };
  const exists = async (client: pg.Client, database: string): Promise<boolean> =>
    (await client.query('select 1 from pg_database where datname = $1', [database])).rowCount === 1;

  const closeTemplate = async (client: pg.Client, base: string): Promise<void> => {
    const { template, unfinished, owner } = names(base);
    await client.query(`alter role ${id(owner)} nologin password null`);
    failpoint('template:owner-locked');
    await client.query(`alter database ${id(unfinished)} allow_connections false`);
    failpoint('template:closed');
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      unfinished,
    ]);
    await client.query(`alter database ${id(unfinished)} owner to current_user`);
    failpoint('template:given-away');
    await client.query(`alter database ${id(unfinished)} is_template true`);
    failpoint('template:marked');
    await client.query(`alter database ${id(unfinished)} rename to ${id(template)}`);
    failpoint('template:renamed');
  };

  const makeTemplate: MetadataDatabases['ensureTemplate'] = (base, migrate) =>
    as('postgres', async (client) => {
      const { template, unfinished, owner } = names(base);
      if (await exists(client, template)) return;
      const password = randomSecret();
      await dropDatabase(client, unfinished);
      await ignoring(duplicateObject, client.query(`create role ${id(owner)}`));
      failpoint('template:role-made');
      await client.query(`alter role ${id(owner)} login password ${literal(password)}`);
      await client.query(`create database ${id(unfinished)} owner ${id(owner)} allow_connections false`);
      failpoint('template:database-made');
      await openToOwner(client, unfinished);
      failpoint('template:kept-from-others');
      await migrate({ sqlAlchemyUrl: server.url(owner, password, unfinished) });
      failpoint('template:migrated');
      await closeTemplate(client, base);
    });

  const making = new Map<string, Promise<void>>();
  /** Environments that are created at the same time wait for one migration: a second one would drop its database. */
  const ensureTemplate: MetadataDatabases['ensureTemplate'] = (base, migrate) => {
    const running = making.get(base) ?? makeTemplate(base, migrate).finally(() => making.delete(base));
    making.set(base, running);
    return running;
  };

  const mayLogIn = async (client: pg.Client, role: string): Promise<boolean> =>
    (await client.query('select 1 from pg_roles where rolname = $1 and rolcanlogin', [role])).rowCount === 1;

  /** A database's comment is the Airflow version of its tables: it comes and goes with the database. */
  const setVersion = async (client: pg.Client, database: string, version: string): Promise<void> => {
    await client.query(`comment on database ${id(database)} is ${literal(version)}`);
  };
  const versionOf = async (client: pg.Client, database: string): Promise<string | undefined> => {
    const { rows } = await client.query<{ version: string | null }>(
      `select shobj_description(oid, 'pg_database') as version from pg_database where datname = $1`,
      [database],
    );
    return rows[0]?.version ?? undefined;
  };

  const copy = async (
    client: pg.Client,
    environment: EnvironmentId,
    base: string,
    version: string,
  ): Promise<void> => {
    const [database, role] = [databaseOf(environment), roleOf(environment)];
    await ignoring(duplicateObject, client.query(`create role ${id(role)} nologin`));
    failpoint('database:role-made');
    if (!(await exists(client, database))) {
      await client.query(
        `create database ${id(database)} template ${id(names(base).template)} owner ${id(role)} allow_connections false`,
      );
    }
    failpoint('database:copied');
    await openToOwner(client, database);
    failpoint('database:kept-from-others');
    await as(database, (inside) => inside.query(`reassign owned by ${id(names(base).owner)} to ${id(role)}`));
    failpoint('database:reassigned');
    await setVersion(client, database, version);
  };

  const ensure: MetadataDatabases['ensure'] = (environment, base, { password, connections, version }) =>
    as('postgres', async (client) => {
      const [database, role] = [databaseOf(environment), roleOf(environment)];
      if (!(await mayLogIn(client, role))) await copy(client, environment, base, version);
      // Making a snapshot that did not end may have left it closed.
      else await openToOwner(client, database);
      await client.query(
        `alter role ${id(role)} login connection limit ${connections} password ${literal(password)}`,
      );
      failpoint('database:opened');
      return { sqlAlchemyUrl: server.url(role, password, database) } satisfies DatabaseAddress;
    });

  return {
    hasTemplate: (base) => as('postgres', (client) => exists(client, names(base).template)),
    ensureTemplate,
    hasAny: (environment) =>
      as('postgres', async (client) => {
        const found = await client.query(
          'select 1 from pg_database where datname = any($1) union all select 1 from pg_roles where rolname = $2',
          [databasesOf(environment), roleOf(environment)],
        );
        return found.rowCount !== 0;
      }),
    ensure,
    version: (environment) => as('postgres', (client) => versionOf(client, databaseOf(environment))),
    setVersion: (environment, version) =>
      as('postgres', (client) => setVersion(client, databaseOf(environment), version)),
    ...snapshots({ as, exists, versionOf, setVersion }),
    ask: async (environment, password, statements) => {
      const client = new CautiousClient({
        ...server.asRole(roleOf(environment), password, databaseOf(environment)),
        // a function of the environment with the name of one of PostgreSQL's is not called in its place
        options: '-c search_path=pg_catalog',
        connectionTimeoutMillis: askPatience,
        query_timeout: askPatience,
      });
      client.on('error', () => {});
      boundAnswers(client, mostAnswered);
      await client.connect();
      try {
        const answers = [];
        for (const { text, values = [] } of statements)
          answers.push((await client.query(text, [...values])).rows);
        return answers;
      } finally {
        void client.end().catch(() => {});
      }
    },
    drop: (environment) =>
      as('postgres', async (client) => {
        for (const database of databasesOf(environment)) await dropDatabase(client, database);
        failpoint('remove-database:dropped');
        await dropRole(client, environment);
      }),
  };
};
