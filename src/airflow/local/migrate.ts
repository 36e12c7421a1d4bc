import { StepFailed } from '../../environments/errors.ts';
import type { StepContext } from '../../environments/ports.ts';
import type { EnvironmentRecord } from '../../environments/record.ts';
import { compareVersions } from '../../lib/version-order.ts';
import { findVersion } from '../versions.ts';
import { accountOf, baseOf, type LocalDriverOptions, migrationViewFor, versionOf } from './context.ts';
import { makeDatabase } from './steps.ts';
import { migrateCommands, runMigration } from './template.ts';

/** Up by the newer Airflow, down by the newer one too: only that knows what it added. */
const wayTo = (from: string, to: string) =>
  compareVersions(from, to) <= 0
    ? { by: to, commands: migrateCommands }
    : { by: from, commands: [['db', 'downgrade', '--to-version', to, '--yes']] };

/**
 * Takes the tables of the environment's database to the version that is wanted, as its own account. Cut short at any
 * line it goes on where it was.
 * @throws StepFailed with Airflow's own words
 */
export const migrateDatabase = async (
  o: LocalDriverOptions,
  e: EnvironmentRecord,
  { lease, report }: StepContext,
): Promise<void> => {
  const to = versionOf(e).version;
  const from = (await o.databases.version(e.id)) ?? to;
  const way = wayTo(from, to);
  const version = findVersion(way.by);
  if (!version) throw new StepFailed(`Airflow ${way.by} is not known here`, { retry: false });
  if (from !== to) {
    await runMigration({
      commands: way.commands,
      version,
      base: baseOf(o, version),
      cache: o.cache,
      account: accountOf(o, e.id),
      userName: o.userName,
      databasePeer: o.databasePeer,
      view: migrationViewFor(o, e, version),
      pidNamespace: o.view.pidNamespace,
      address: { sqlAlchemyUrl: await makeDatabase(o, e) },
      report,
      signal: lease.signal,
    });
  }
  await o.databases.setVersion(e.id, to);
};
