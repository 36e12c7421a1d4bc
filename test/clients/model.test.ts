// The contract is held against a copy of botocore's model: here the copy is held against the botocore that is installed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { repository, tools } from '../harness/tools.ts';

const copy = 'test/conformance/mwaa/service-2.json';

const sitePackages = (): string => {
  const lib = join(tools().clients, 'lib');
  const [python] = readdirSync(lib).filter((name) => name.startsWith('python3'));
  if (!python) throw new Error(`There is no Python in ${lib}`);
  return join(lib, python, 'site-packages');
};

const versionIn = (folder: string): string =>
  readdirSync(folder)
    .map((name) => /^botocore-(.+)\.dist-info$/.exec(name)?.[1])
    .find((version) => version !== undefined) ?? 'unknown';

test('the copy of the model is the one of the installed botocore', () => {
  const folder = sitePackages();
  const file = join(folder, 'botocore/data/mwaa/2020-07-01/service-2.json.gz');
  const installed: unknown = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
  const ours: unknown = JSON.parse(readFileSync(join(repository, copy), 'utf8'));
  expect(
    ours,
    `botocore ${versionIn(folder)} has another model of MWAA. Put it in ${copy} and bring src/contract in line.`,
  ).toEqual(installed);
});
