import type { AuditKey } from '../audit/audit-key.ts';
import { newestSealFile } from '../audit/newest-seal-file.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { AuditSink } from '../audit/record.ts';
import { createSealer } from '../audit/sealer.ts';
import { createStrangers, type Strangers } from '../audit/strangers.ts';
import type { Clock } from '../lib/clock.ts';
import { textOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { createAuditStore } from '../store/audit.ts';
import { createAuditReader } from '../store/audit-reader.ts';
import { createSealStore } from '../store/audit-seals.ts';
import type { Database } from '../store/database.ts';
import type { Started } from './started.ts';

/** The audit record, sealed every second until the server stops. */
export const keepAudit = (o: {
  readonly db: Database;
  readonly key: AuditKey;
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  /** Where the newest seal is kept. */
  readonly file: string;
  /** How long records are kept. */
  readonly days: number;
  readonly log: Log;
  readonly started: Started;
}): { readonly audit: AuditSink; readonly reader: AuditReader; readonly strangers: Strangers } => {
  const { db, key, clock, region, accountId, days, log } = o;
  const sealer = createSealer({
    ...{ key, clock, log, days },
    store: createSealStore(db),
    file: newestSealFile(o.file),
  });
  const audit = createAuditStore(db, { clock, region, accountId, key, trouble: sealer.trouble });
  o.started.add('audit', sealer.start(audit));
  const strangers = createStrangers({
    ...{ audit, now: clock.now },
    failed: (error) => log.warn('housekeeping failed', { reason: textOf(error) }),
  });
  o.started.add('unknown callers', () => strangers.close());
  return { audit, reader: createAuditReader(db), strangers };
};
