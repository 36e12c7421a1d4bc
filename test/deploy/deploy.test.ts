// `windsock deploy`, `windsock content` and what an editor writes, on real Airflow: what is live, and what it says of files.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restPath, type Session, signIn } from '../harness/door.ts';
import { rootKey } from '../harness/mwaa.ts';
import { Rig } from '../harness/rig.ts';
import { until } from '../harness/until.ts';
import { runWindsock } from '../harness/windsock.ts';

const isFull = process.env['WINDSOCK_TEST_FULL'] === '1';
const versions = isFull ? ['2.7.2', '2.10.3', '3.0.6', '3.3.1'] : ['2.7.2', '3.3.1'];
const nameOf = (version: string): string => `v${version.replaceAll('.', '-')}`;

interface LiveFile {
  readonly Path: string;
  readonly State: string;
  readonly Dags?: readonly string[];
  readonly LeavingDags?: readonly string[];
  readonly Error?: { readonly Line?: number; readonly Message: string };
}
interface Content {
  readonly Version: string;
  readonly Files: readonly LiveFile[];
}
interface Deployed {
  readonly Added: readonly string[];
  readonly Changed: readonly string[];
  readonly Removed: readonly string[];
  readonly NotRead: readonly string[];
  readonly Failed: readonly LiveFile[];
}

let rig: Rig;
const folders: string[] = [];
beforeAll(async () => {
  rig = await Rig.make({ real: versions });
  await Promise.all(versions.map((version) => rig.create(nameOf(version), version)));
  for (const version of versions) await rig.becomes(nameOf(version), 'AVAILABLE', 900);
}, 1_200_000);
afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await rig?.remove();
}, 120_000);

/** As whoever deploys to Amazon MWAA: this server is AWS, found as every AWS SDK finds it. */
const asAws = (): Readonly<Record<string, string>> => {
  const { accessKeyId, secretAccessKey } = rootKey(rig.place);
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: 'us-east-1' };
};

const dag = (id: string, more = ''): string =>
  `from airflow import DAG\n${more}\nwith DAG(dag_id=${id}):\n    pass\n`;

describe.each(versions)('Airflow %s', { concurrent: false }, (version) => {
  const name = nameOf(version);
  const major = version.startsWith('2') ? 2 : 3;
  const from = mkdtempSync(join(tmpdir(), 'windsock-deployed-'));
  folders.push(from);
  let session: Session;
  beforeAll(async () => {
    session = await until('a session', 60, () => signIn(rig.place, rig.mint, name, major));
  });

  const put = (path: string, text: string, folder = from) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const bucket = () => join(rig.place.data, 'buckets', name, 'dags');
  const deploy = async (...more: string[]) => {
    const isAws = more.includes('--aws');
    const endpoint = `http://127.0.0.1:${rig.place.ports.api}`;
    const endpoints = isAws ? ['--mwaa-endpoint', endpoint, '--s3-endpoint', endpoint] : [];
    const words = ['deploy', name, from, '--json', ...more, ...endpoints];
    const env = isAws ? asAws() : {};
    const { code, stdout, stderr } = await runWindsock(rig.place, words, { env });
    if (code !== 0 && code !== 1) throw new Error(stderr);
    return { code, ...(JSON.parse(stdout) as Deployed) };
  };
  const content = async (): Promise<Content> => {
    const { stdout, stderr } = await runWindsock(rig.place, ['content', name, '--json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Content;
  };
  const liveFile = async (path: string) => (await content()).Files.find((file) => file.Path === path);
  const shown = async (): Promise<readonly string[]> => {
    const answer = await session.get(`${restPath(major)}/dags?limit=100`);
    return (JSON.parse(answer.text) as { dags: { dag_id: string }[] }).dags.map((d) => d.dag_id).sort();
  };

  test('a folder with one broken file: all are told of, the others are live', async () => {
    put('good.py', dag('"good"'));
    put('deep/er/nested.py', dag('"nested"'));
    put('broken.py', dag('"broken"', 'import math\nconnect()'));
    put('helper.py', 'NAME = "from_helper_1"\n');
    put('uses.py', dag('helper.NAME', 'import helper'));
    // the bucket has it from the beginning
    put('dag.py', 'pass\n');
    put('.windsockignore', 'left.py\n');
    put('left.py', dag('"left"'));
    const done = await deploy();
    expect(done).toMatchObject({ code: 1, Changed: [], Removed: [], NotRead: [] });
    expect([...done.Added].sort()).toEqual([
      'broken.py',
      'deep/er/nested.py',
      'good.py',
      'helper.py',
      'uses.py',
    ]);
    expect(done.Failed).toMatchObject([
      {
        Path: 'broken.py',
        State: 'failed',
        Error: { Line: 3, Message: expect.stringContaining("'connect'") },
      },
    ]);
    expect(await shown()).toEqual(['from_helper_1', 'good', 'nested']);
    expect(await liveFile('helper.py')).toMatchObject({ State: 'no-dag' });
  });

  test('mended, and deployed again: only what changed', async () => {
    put('broken.py', dag('"mended"'));
    expect(await deploy()).toMatchObject({
      code: 0,
      Added: [],
      Changed: ['broken.py'],
      NotRead: [],
      Failed: [],
    });
    expect(await shown()).toContain('mended');
    const before = await content();
    expect(await deploy()).toMatchObject({ code: 0, Added: [], Changed: [] });
    expect((await content()).Version).toBe(before.Version);
  });

  test('a changed helper makes all DAG files be read anew; a DAG that left its file is told', async () => {
    put('helper.py', 'NAME = "from_helper_2"\n');
    expect(await deploy()).toMatchObject({ code: 0, Changed: ['helper.py'], NotRead: [] });
    expect(await shown()).toContain('from_helper_2');
    expect(await liveFile('uses.py')).toMatchObject({
      ...{ State: 'read', Dags: ['from_helper_2'], LeavingDags: ['from_helper_1'] },
    });
  });

  test('what is gone from the folder is deleted when that is asked for, and no longer shown', async () => {
    rmSync(join(from, 'good.py'));
    const asked = await runWindsock(rig.place, ['deploy', name, from, '--delete']);
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(await deploy('--dry-run', '--delete')).toMatchObject({ Removed: ['good.py'] });
    expect(await deploy()).toMatchObject({ Removed: [] });
    expect(await shown()).toContain('good');
    expect(await deploy('--delete', '--yes')).toMatchObject({ code: 0, Removed: ['good.py'], NotRead: [] });
    expect(await shown()).not.toContain('good');
  });

  test('what an editor writes by rename, a file in another encoding, a link: live, or told', async () => {
    put('edited.py.tmp', dag('"edited"'), bucket());
    renameSync(join(bucket(), 'edited.py.tmp'), join(bucket(), 'edited.py'));
    writeFileSync(join(bucket(), 'latin.py'), Buffer.from('# airflow dag\nname = "caf\xe9"\n', 'latin1'));
    await until('the edited one', 60, async () => (await shown()).includes('edited'));
    const latin = await until('an error', 60, async () => {
      const file = await liveFile('latin.py');
      return file?.State === 'failed' ? file : undefined;
    });
    expect(latin.Error?.Message).toMatch(/utf-?8|encoding/i);
    rmSync(join(bucket(), 'edited.py'));
    await until('it is gone', 60, async () => !(await shown()).includes('edited'));
  });

  test.runIf(isFull)(
    'as to Amazon MWAA, over its API and REST alone: new, broken, mended, removed',
    {
      timeout: 300_000,
    },
    async () => {
      put('of_aws.py', dag('"of_aws"'));
      put('worse.py', dag('"worse"', 'connect()'));
      const first = await deploy('--aws');
      // an ETag is an MD5 only of what came over S3
      const changed = { Changed: ['dag.py'], NotRead: [] };
      expect(first).toMatchObject({ code: 1, Added: ['of_aws.py', 'worse.py'], ...changed });
      expect(first.Failed).toMatchObject([
        { Path: 'worse.py', Error: { Line: 2, Message: expect.stringContaining("'connect'") } },
      ]);
      expect(await shown()).toContain('of_aws');
      // the error of before is not taken for one of the new file
      put('worse.py', dag('"better"'));
      put('of_aws.py', dag('"of_aws"', 'CHANGED = 1'));
      const second = await deploy('--aws');
      expect(second).toMatchObject({ code: 0, Changed: ['of_aws.py', 'worse.py'], NotRead: [], Failed: [] });
      expect(await shown()).toContain('better');
      expect(await deploy('--aws')).toMatchObject({ code: 0, Added: [], Changed: [] });
      rmSync(join(from, 'of_aws.py'));
      const third = await deploy('--aws', '--delete', '--yes');
      expect(third).toMatchObject({ code: 0, Removed: expect.arrayContaining(['of_aws.py']), NotRead: [] });
      expect(await shown()).not.toContain('of_aws');
    },
  );
});
