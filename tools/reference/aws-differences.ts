import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { airflowVersions } from '../../src/airflow/versions.ts';
import { iamServed } from '../../src/api/iam/served.ts';
import { stsServed } from '../../src/api/sts/served.ts';
import { endedVersions } from '../../src/contract/airflow-versions.ts';
import { environmentStatuses } from '../../src/contract/statuses.ts';
import { statusTable } from '../../src/environments/status.ts';
import { code, table } from './markdown.ts';

const list = (names: Iterable<string>): string => [...names].sort().map(code).join(', ');

const services = (): string =>
  table(
    ['service', 'operations served'],
    [
      ['IAM', list(iamServed.keys())],
      ['STS', list(stsServed.keys())],
      ['CloudTrail', code('LookupEvents')],
    ],
  );

/** What code of these rooms hands to policies; rights without an operation of their own are written the same way. */
const conditionKeys = (): string => {
  const rights = new Set(['iam:PassRole', 'sts:TagSession', 'sts:SetSourceIdentity']);
  const found = new Set<string>();
  for (const room of ['identity', 'api']) {
    const folder = fileURLToPath(new URL(`../../src/${room}/`, import.meta.url));
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || /(^|\/)test|\.test\.ts$/.test(name)) continue;
      for (const [, key = ''] of readFileSync(`${folder}${name}`, 'utf8').matchAll(
        /'((?:aws|iam|sts):[A-Za-z]+)'/g,
      ))
        found.add(key);
    }
  }
  const isOperation = (key: string) => iamServed.has(key.slice(4)) || stsServed.has(key.slice(4));
  return `${list([...found].filter((key) => !rights.has(key) && !isOperation(key)))}.`;
};

const versions = (): string =>
  `Offered: ${airflowVersions.map(({ version }) => code(version)).join(', ')}. Refused as ended, as by AWS: ${list(endedVersions)}.`;

const statuses = (): string => {
  const reached = new Set(['CREATING', ...Object.values(statusTable).flatMap(({ next }) => next)]);
  return `Never answered: ${list(environmentStatuses.filter((status) => !reached.has(status)))}.`;
};

/** The generated parts of docs/aws-differences.md, by the names of their markers. */
const parts: Readonly<Record<string, () => string>> = {
  services,
  'condition-keys': conditionKeys,
  versions,
  statuses,
};

const marker = (name: string): RegExp =>
  new RegExp(`(<!-- generated: ${name} -->\\n)[\\s\\S]*?(<!-- end of generated -->)`);

/** The page with its generated parts written anew. Throws Error when a marker is missing. */
export const withGeneratedParts = (page: string): string =>
  Object.entries(parts).reduce((text, [name, make]) => {
    if (!marker(name).test(text)) throw new Error(`docs/aws-differences.md has no part "${name}"`);
    return text.replace(marker(name), (_, start: string, end: string) => `${start}\n${make()}\n\n${end}`);
  }, page);
