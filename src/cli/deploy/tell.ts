import { plural } from '../../lib/plural.ts';
import { outcomeText } from '../content.ts';
import { printJson, tableText } from '../output.ts';
import { type Deployment, type Done, secondsFor } from './deployment.ts';
import type { PackagesPlan } from './packages.ts';
import { packagesJson } from './tell-packages.ts';

const rowsOf = ({ plan, removed, left, content, broken }: Done): readonly (readonly string[])[] => {
  const live = new Map(content.Files.map((file) => [file.Path, file]));
  const text = (path: string): string => {
    const file = live.get(path);
    return left.includes(path) || file === undefined ? 'not read yet' : outcomeText(file);
  };
  const named = new Set([...plan.added, ...plan.changed]);
  return [
    ...plan.added.map((path) => ['new', path, text(path)]),
    ...plan.changed.map((path) => ['changed', path, text(path)]),
    ...removed.map((path) => ['removed', path, left.includes(path) ? 'not gone yet' : '']),
    ...broken.filter(({ Path }) => !named.has(Path)).map((file) => ['broken', file.Path, outcomeText(file)]),
  ];
};

/** Prints what a deployment did, and what Airflow made of it; for programs with what became of packages before it. */
export const tell = (d: Deployment, done: Done, packages?: PackagesPlan): void => {
  const { plan, removed, left, content, broken } = done;
  if (d.o.json) {
    printJson(d.context, {
      Version: content.Version,
      Added: plan.added,
      Changed: plan.changed,
      Removed: removed,
      NotRead: left,
      Failed: broken,
      ...(packages ? { Packages: packagesJson(packages, d.o.dryRun === true) } : {}),
      DryRun: d.o.dryRun === true,
    });
    return;
  }
  const rows = d.o.dryRun
    ? rowsOf({ ...done, left: [], broken: [] }).map(([what = '', path = '']) => [what, path, ''])
    : rowsOf(done);
  if (rows.length > 0) d.context.out(tableText(['WHAT', 'FILE', d.o.dryRun ? '' : 'AIRFLOW'], rows));
  if (rows.length === 0) d.context.err(`${d.name} has it all already.\n`);
  const stay = plan.others.length - removed.length;
  if (stay > 0) d.context.err(`${stay} other files stay in ${d.name}; --delete removes them.\n`);
  if (left.length > 0)
    d.context.err(
      `Not read by Airflow within ${secondsFor(d.o)} s: ${plural(left.length, 'file')}. ${
        d.o.aws
          ? 'Look again later, or give it longer with --timeout.'
          : `Look again: windsock content ${d.name}`
      }\n`,
    );
};
