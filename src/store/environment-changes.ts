import type pg from 'pg';
import type { EnvironmentHints } from '../environments/ports.ts';
import type { Stop } from '../lib/stop.ts';
import { type Database, orEnd } from './database.ts';

/** Carries the id of each environment that a request changed. */
export const channel = 'environment_changed';

/** Milliseconds until a lost connection is made again, and between tries. */
const pause = { lost: 1_000, failed: 2_000 } as const;

/** Tells each change that another connection announces; `missed` after changes may have gone by unheard. */
export const watchEnvironments = async (db: Database, hints: EnvironmentHints): Promise<Stop> => {
  let ended = false;
  let current: pg.Client | undefined;
  const later = (wait: number): void => {
    if (!ended) setTimeout(() => void again(), wait).unref();
  };
  const listen = async (): Promise<void> => {
    const client = await db.connect();
    client.on('notification', (n) => n.payload && hints.changed(n.payload));
    let lost = (): void => {};
    client.on('end', () => lost());
    await orEnd(client, () => client.query(`listen ${channel}`));
    lost = () => later(pause.lost);
    current = client;
    if (ended) await client.end();
  };
  const again = (): Promise<void> => listen().then(hints.missed, () => later(pause.failed));
  await listen();
  return () => {
    ended = true;
    void current?.end().catch(() => {});
  };
};
