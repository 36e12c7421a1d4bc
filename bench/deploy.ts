// How soon a change in the bucket's folder is in place and shown by Airflow, and what an idle environment costs.
// node bench/deploy.ts [CHANGES [SIZE ...]], where SIZE is FILES or FILES/DAGS
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type ApiClient, createApiClient } from '../src/cli/api-client.ts';
import { connection } from '../src/cli/server.ts';
import { ended, freePort, Running } from './harness.ts';

const [changes = '30', ...given] = process.argv.slice(2);
const sizes = (given.length > 0 ? given : ['1/1', '100/20', '1000/100']).map((size) => {
  const [files = 1, dags = files] = size.split('/').map(Number);
  return { files, dags };
});
const versions = ['2.7.2', '3.3.1'];
const kinds = ['new', 'changed', 'deleted'] as const;
const idleSeconds = 20;
const ticks = 100;

interface Airflow {
  readonly api: ApiClient;
  readonly bucket: string;
  /** The DAGs folder of the environment. */
  readonly dags: string;
}

const dagText = (id: string, description: string): string =>
  `from airflow import DAG\nwith DAG(dag_id="${id}", description="${description}"):\n    pass\n`;

const rest = z.object({
  RestApiResponse: z.object({ dags: z.array(z.looseObject({ dag_id: z.string() })) }),
});

/** The description of the DAG as Airflow shows it; undefined when it shows none. */
const shown = async ({ api }: Airflow, id: string): Promise<string | undefined> => {
  const answer = await api.call(rest, {
    ...{ method: 'POST', path: '/restapi/demo' },
    body: { Method: 'GET', Path: '/dags', QueryParameters: { dag_id_pattern: id } },
  });
  return answer.RestApiResponse.dags.map((dag) => String(dag['description'])).at(0);
};

const secondsUntil = async (what: () => boolean | Promise<boolean>): Promise<number> => {
  const began = performance.now();
  while (!(await what())) {
    if (performance.now() - began > 120_000) return Number.POSITIVE_INFINITY;
    await delay(20);
  }
  return (performance.now() - began) / 1000;
};

/** One change, from the write on: when it is in place, and when Airflow shows it. */
const measure = async (a: Airflow, kind: (typeof kinds)[number], n: number) => {
  const [file, id] = [join(a.bucket, 'measured.py'), 'measured'];
  const [target, description] = [join(a.dags, 'measured.py'), `change ${n}`];
  if (kind === 'deleted') rmSync(file);
  else writeFileSync(file, dagText(id, description));
  const isThere = () => existsSync(target) && readFileSync(target, 'utf8').includes(description);
  const [placed, visible] = await Promise.all([
    secondsUntil(() => (kind === 'deleted' ? !existsSync(target) : isThere())),
    secondsUntil(async () => (await shown(a, id)) === (kind === 'deleted' ? undefined : description)),
  ]);
  return { placed, visible };
};

const processorSeconds = (account: string): number =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .reduce((sum, pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        if (!status.includes(`\t${account}\t`)) return sum;
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
        return sum + [11, 12, 13, 14].reduce((t, i) => t + Number(fields[i]), 0) / ticks;
      } catch {
        return sum;
      }
    }, 0);

const quantile = (all: readonly number[], q: number): string => {
  const sorted = [...all].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN).toFixed(2);
};

const row = (name: string, all: readonly { readonly placed: number; readonly visible: number }[]): string => {
  const of = (which: 'placed' | 'visible') => {
    const values = all.map((one) => one[which]);
    return `${quantile(values, 0.5).padStart(7)} ${quantile(values, 0.95).padStart(7)}`;
  };
  return `  ${name.padEnd(9)} ${of('placed')}  ${of('visible')}`;
};

const fill = (bucket: string, { files, dags }: (typeof sizes)[number]): void => {
  for (let i = 1; i < files; i += 1) {
    const path = join(bucket, `d${i % 10}`, i < dags ? `dag_${i}.py` : `text_${i}.sql`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, i < dags ? dagText(`dag_${i}`, 'one of many') : `select ${i}`);
  }
};

const waitUntilRead = async (a: Airflow): Promise<void> => {
  const content = z.object({ Files: z.array(z.object({ State: z.string() })) });
  const call = { method: 'GET', path: '/windsock/environments/demo/content', service: 'windsock' } as const;
  await secondsUntil(async () => (await a.api.call(content, call)).Files.every((f) => f.State !== 'waiting'));
};

const bench = async (version: string, size: (typeof sizes)[number]): Promise<void> => {
  const data = mkdtempSync(join(tmpdir(), 'windsock-bench-'));
  chmodSync(data, 0o755);
  const options = ['--airflow-version', version, '--requests-per-second', '10000'];
  const server = new Running(data, [await freePort(), await freePort()], ...options);
  try {
    await server.ready();
    const context = { env: {}, isRoot: true } as unknown as Parameters<typeof connection>[1];
    const api = createApiClient(connection({ data }, context), AbortSignal.timeout(3_600_000));
    const folder = readdirSync(join(data, 'environments'))[0] ?? '';
    const used = readdirSync(join(data, 'buckets'))[0] ?? 'demo';
    const a: Airflow = {
      api,
      bucket: join(data, 'buckets', used, 'dags'),
      dags: join(data, 'environments', folder, 'dags'),
    };
    fill(a.bucket, size);
    await delay(3_000);
    await waitUntilRead(a);
    console.log(`\nAirflow ${version}, ${size.files} files, ${size.dags} of them DAGs; seconds`);
    console.log(`  ${''.padEnd(9)} in place: p50 p95   shown: p50 p95`);
    const measured = new Map(kinds.map((kind) => [kind, [] as { placed: number; visible: number }[]]));
    for (let n = 0; n < Number(changes); n += 1)
      for (const kind of kinds) {
        measured.get(kind)?.push(await measure(a, kind, n * 2 + (kind === 'changed' ? 1 : 0)));
        await delay(Math.random() * 1_000);
      }
    for (const [kind, all] of measured) console.log(row(kind, all));
    const uid = String(statSync(join(data, 'environments', folder, 'home')).uid);
    const before = processorSeconds(uid);
    await delay(idleSeconds * 1_000);
    const share = ((processorSeconds(uid) - before) / idleSeconds) * 100;
    console.log(`  at rest ${share.toFixed(1)} % of a core`);
  } finally {
    await ended(server.child);
    rmSync(data, { recursive: true, force: true });
  }
};

for (const version of versions) for (const size of sizes) await bench(version, size);
