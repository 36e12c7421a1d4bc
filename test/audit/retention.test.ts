// Records are kept as long as is set, and dropped by whole batches that leave their seals.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyAudit } from '../harness/audit.ts';
import { ownQuery } from '../harness/own-database.ts';
import { Rig } from '../harness/rig.ts';
import { makePlace, type Place, removePlace } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const module = pathToFileURL(fileURLToPath(new URL('../harness/moved-clock.mjs', import.meta.url))).href;
const day = 86_400_000;

let place: Place;
let rig: Rig;
const sql = (text: string) => ownQuery<{ n: string }>(place, 'windsock', text);
const count = async (what: string) => Number((await sql(`select count(*) as n from ${what}`))[0]?.n);
const sealed = () => until('everything is sealed', 10, async () => (await count('audit_unsealed')) === 0);

beforeAll(async () => {
  place = await makePlace();
  const env = { NODE_OPTIONS: `--import=${module}`, MOVED_CLOCK: join(place.folder, 'offset') };
  rig = await Rig.make({ place, env, args: ['--audit-days', '30'] });
});
afterAll(async () => {
  try {
    await rig?.remove();
  } finally {
    removePlace(place);
  }
});

const startAfter = async (days: number) => {
  await rig.stop();
  writeFileSync(join(place.folder, 'offset'), String(days * day));
  await rig.start();
};

test('records go when their time is over, seals stay, and that is itself recorded', async () => {
  for (let i = 0; i < 3; i += 1) {
    await rig.api.list();
    await sealed();
  }
  const before = await verifyAudit(place);
  expect(before).toMatchObject({ intact: true, expiredThrough: 0 });
  await startAfter(29);
  await sealed();
  expect((await verifyAudit(place)).records).toBe(before.records);
  await startAfter(31);
  await until('they are gone', 10, async () => (await count('audit_seals where ids is null')) > 0);
  await sealed();
  const after = await verifyAudit(place);
  expect(after).toMatchObject({
    intact: true,
    expiredThrough: before.seals,
    seals: before.seals + 1,
    records: 1,
  });
  const [expiry] = await ownQuery<{ event: Record<string, unknown> }>(
    place,
    'windsock',
    'select event from audit_events',
  );
  expect(expiry?.event).toMatchObject({
    eventName: 'ExpireAuditRecords',
    eventType: 'AwsServiceEvent',
    userIdentity: { type: 'AWSService', invokedBy: 'windsock' },
    responseElements: { throughSeal: before.seals, records: before.records },
  });
}, 120_000);

test('a batch that somebody else empties is missed', async () => {
  await sql(
    'delete from audit_events where id in (select unnest(ids) from audit_seals where ids is not null)',
  );
  await sql('update audit_seals set ids = null');
  const { findings } = await verifyAudit(place);
  expect(findings.map(({ what }) => what)).toContain('missing batch');
}, 60_000);
