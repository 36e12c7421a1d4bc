import { auditKeyFrom } from '../audit/audit-key.ts';
import { newestSealFile } from '../audit/newest-seal-file.ts';
import { type Verification, verifyAudit } from '../audit/verify.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { codeOf, textOf, WindsockError } from '../lib/errors.ts';
import { readKeyFile } from '../lib/key-file.ts';
import type { Log } from '../lib/log.ts';
import { atOneMoment, sealedBatches, unsealedRecords } from '../store/audit-seals.ts';
import { openDatabase } from '../store/database.ts';
import { externalServer } from '../store/database-server.ts';
import { clusterMajor } from '../store/postgres/cluster.ts';
import type { ServerAccounts } from './accounts.ts';
import { auditKeyFile } from './identities.ts';
import { clusterFolder, startEmbedded, stopUnlessUsed } from './own-database.ts';

interface Options {
  readonly folders: DataFolder;
  readonly accounts: Pick<ServerAccounts, 'postgres'> | undefined;
  /** A PostgreSQL of the user's own. */
  readonly url: string | undefined;
  readonly log: Log;
}

const readKey = (file: string) => {
  try {
    const seed = readKeyFile(file);
    if (seed) return auditKeyFrom(seed);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT')
      throw new WindsockError(
        'AuditKeyUnreadable',
        `The key that the audit record is checked with cannot be read: ${textOf(error)}. Run this as the account that runs the server.`,
      );
  }
  throw new WindsockError(
    'AuditKeyUnreadable',
    `There is no usable key in ${file}. Name the data folder of a server with --data, or restore the file from a backup.`,
  );
};

const openServer = async (o: Options) => {
  if (o.url !== undefined) return { server: externalServer(o.url), close: async () => {} };
  if (clusterMajor(clusterFolder(o.folders)) === undefined)
    throw new WindsockError(
      'NothingToVerify',
      `There are no databases in ${o.folders.root}. Name the data folder of a server with --data.`,
    );
  const embedded = await startEmbedded(o);
  return { server: embedded.server, close: () => stopUnlessUsed(embedded) };
};

/**
 * Checks the audit record of a data folder, as it is at one moment. The server may run meanwhile; PostgreSQL is
 * started for it where it does not run.
 * @throws WindsockError with a text for people when it cannot be checked
 */
export const verifyAuditRecord = async (o: Options): Promise<Verification> => {
  const key = readKey(auditKeyFile(o.folders));
  const { server, close } = await openServer(o);
  try {
    const db = openDatabase(server.own, () => {}, 1);
    try {
      // the file first: a seal that is made meanwhile must not look cut off
      const newest = await newestSealFile(o.folders.newestSeal).read();
      return await atOneMoment(db, (tx) =>
        verifyAudit({
          batches: sealedBatches(db, tx),
          unsealed: () => unsealedRecords(db, tx),
          newest,
          key,
        }),
      );
    } finally {
      await db.close();
    }
  } finally {
    await close();
  }
};
