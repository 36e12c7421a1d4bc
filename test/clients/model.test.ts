// The contract is held against copies of botocore's models: here the copies are held against the botocore that is
// installed, MWAA's as a whole, those of IAM and STS as far as they are kept.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { repository, tools } from '../harness/tools.ts';

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

const installed = (service: string): unknown => {
  const file = join(sitePackages(), `botocore/data/${service}/service-2.json.gz`);
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
};
const copied = (path: string): unknown => JSON.parse(readFileSync(join(repository, path), 'utf8'));

const elsewhere = (service: string, what: string): string =>
  `botocore ${versionIn(sitePackages())} has another model of ${service}. ${what}`;

test('the copy of the model of MWAA is the one of the installed botocore', () => {
  const copy = 'test/conformance/mwaa/service-2.json';
  const said = elsewhere('MWAA', `Put it in ${copy} and bring src/contract in line.`);
  expect(copied(copy), said).toEqual(installed('mwaa/2020-07-01'));
});

interface Model {
  readonly apiVersion?: string;
  readonly xmlNamespace?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly operations: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly shapes: Readonly<Record<string, unknown>>;
}

/** What is for people, for clients of some languages, or about errors, whose bodies all look alike. */
const left = new Set(['documentation', 'documentationUrl', 'exception', 'idempotent', 'auth', 'box']);

const withoutTexts = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, v]) => !left.has(key) || typeof v === 'object');
  return Object.fromEntries(entries.map(([key, v]) => [key, withoutTexts(v)]));
};

const namesIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) =>
    key === 'shape' && typeof v === 'string' ? [v] : namesIn(v),
  );
};

test.each([
  ['iam', '2010-05-08'],
  ['sts', '2011-06-15'],
])(
  'every operation and shape of %s that is kept is the one of the installed botocore',
  (service, version) => {
    const ours = copied(`src/contract/models/${service}.json`) as Model;
    const theirs = installed(`${service}/${version}`) as Model;
    const said = elsewhere(service, 'Run tools/trim-model.ts.');
    const { apiVersion, xmlNamespace } = theirs.metadata;
    expect({ apiVersion: ours.apiVersion, xmlNamespace: ours.xmlNamespace }, said).toEqual({
      apiVersion,
      xmlNamespace,
    });
    expect(Object.keys(ours.operations).length).toBeGreaterThan(3);
    for (const [name, { input, output }] of Object.entries(ours.operations)) {
      const { input: wanted, output: given } = theirs.operations[name] ?? {};
      expect({ input, output }, `${name}: ${said}`).toEqual(withoutTexts({ input: wanted, output: given }));
    }
    for (const [name, shape] of Object.entries(ours.shapes))
      expect(shape, `${name}: ${said}`).toEqual(withoutTexts(theirs.shapes[name]));
    const used = [...namesIn(ours.operations), ...namesIn(ours.shapes)];
    expect(new Set(used), 'shapes that are used, and no others').toEqual(new Set(Object.keys(ours.shapes)));
  },
);
