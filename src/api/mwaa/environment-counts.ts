import type { Checked } from '../../contract/constraints.ts';
import type { Quotas } from '../deps.ts';
import { invalid } from './invalid.ts';

/** How many of each the classes take (MWAA guide, "Environment class"; API reference of CreateEnvironment). */
const microCounts = { MinWorkers: 1, MaxWorkers: 1, Schedulers: 1, MinWebservers: 1, MaxWebservers: 1 };
const usualCounts = { MinWorkers: 1, MaxWorkers: 10, Schedulers: 2, MinWebservers: 2, MaxWebservers: 2 };

type Count = keyof typeof usualCounts;
export type Counts = Record<Count, number>;

const isMicro = (environmentClass: unknown): boolean => environmentClass === 'mw1.micro';

const limitsOf = (name: Count, micro: boolean, quotas: Quotas): readonly [number, number] => {
  if (micro) return [1, 1];
  switch (name) {
    case 'MinWorkers':
    case 'MaxWorkers':
      return [1, quotas.workers];
    case 'Schedulers':
      return [2, 5];
    default:
      return [2, quotas.webservers];
  }
};

const checkRange = (name: Count, given: number, environmentClass: string, quotas: Quotas): void => {
  const [low, high] = limitsOf(name, isMicro(environmentClass), quotas);
  if (given >= low && given <= high) return;
  const range = low === high ? `${low}` : `from ${low} to ${high}`;
  throw invalid(`${name} must be ${range} for ${environmentClass}, not ${given}.`);
};

const checkOrder = (counts: Counts, least: Count, most: Count): void => {
  if (counts[least] > counts[most])
    throw invalid(`${least} (${counts[least]}) is greater than ${most} (${counts[most]}).`);
};

/**
 * The numbers asked for, over `before`, over those of the class. A minimum above a maximum that was not asked for
 * lifts it. Numbers from before do not fit when only one of the two classes is mw1.micro.
 * @throws AwsError ValidationException for a number outside of its range
 */
export const countsOf = (
  input: Checked,
  environmentClass: string,
  quotas: Quotas,
  before?: Checked,
): Counts => {
  const micro = isMicro(environmentClass);
  const counts: Counts = { ...(micro ? microCounts : usualCounts) };
  const fits = before !== undefined && isMicro(before['EnvironmentClass']) === micro;
  for (const name of Object.keys(counts) as Count[]) {
    const old = fits ? before[name] : undefined;
    if (typeof old === 'number') counts[name] = old;
    const given = input[name];
    if (typeof given !== 'number') continue;
    checkRange(name, given, environmentClass, quotas);
    counts[name] = given;
  }
  for (const [least, most] of [
    ['MinWorkers', 'MaxWorkers'],
    ['MinWebservers', 'MaxWebservers'],
  ] as const) {
    if (input[most] === undefined) counts[most] = Math.max(counts[most], counts[least]);
    else if (input[least] === undefined) counts[least] = Math.min(counts[most], counts[least]);
    checkOrder(counts, least, most);
  }
  return counts;
};
