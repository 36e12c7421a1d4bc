import { type Address, addressOf, schemeOf } from './addresses.ts';
import type { Collected } from './collected.ts';
import type { Option } from './options.ts';
import { airflowHome, placeIn } from './places.ts';
import type { Index, RequirementsContext } from './prepared.ts';
import { type SourceLine, Unfit } from './refused.ts';
import { isPackageName } from './requirement.ts';

/** Where what a line says goes, and what it is measured by. */
export interface Target {
  readonly collected: Collected;
  readonly context: RequirementsContext;
  readonly source: SourceLine;
}

/** Checks an address that is handed on, and notes whether it has credentials. */
export const handAddress = (text: string, { collected, context }: Target): Address => {
  const address = addressOf(text, context);
  if (address.hasCredentials) collected.hasCredentials = true;
  return address;
};

const indexAt = (text: string, to: Target): Index => ({
  href: handAddress(text, to).href,
  source: to.source,
});

const linksAt = (text: string, to: Target): Index => {
  if (schemeOf(text) !== undefined) return indexAt(text, to);
  return { href: placeIn(to.context.folders, airflowHome, text).real, source: to.source };
};

const packagesOf = (value: string): readonly string[] => {
  const names = value.split(',').map((name) => name.trim());
  const bad = names.find((name) => name !== ':all:' && name !== ':none:' && !isPackageName(name));
  if (bad === undefined) return names;
  throw new Unfit('This is no name of a package', 'Write names with commas between, or :all:', bad);
};

const builtPackagesOf = (value: string): readonly string[] => {
  const names = packagesOf(value);
  if (!names.includes(':all:')) return names;
  throw new Unfit(
    'Not everything can be built from sources',
    'Name the packages, with commas between',
    value,
  );
};

/** Refuses or notes what is not handed on; true when it was that. */
export const dropOption = (option: Option, to: Target): boolean => {
  const { does, name, why } = option;
  if (does === 'refused') throw new Unfit(why, 'Take the option out, or build a wheel and name that', name);
  // of a word that is no option the line tells
  const what = name.startsWith('-') ? `${name}: ` : '';
  if (does === 'dropped') to.collected.drop(to.source, `${what}${why}`);
  return does === 'dropped';
};

/** Each is asked about each package. */
const mostPlaces = 20;

const addPlace = (places: Index[], place: Index): void => {
  if (places.push(place) > mostPlaces)
    throw new Unfit(`There are more than ${mostPlaces} places to look for packages`, 'Leave some out');
};

/** Notes an option that stands on a line of its own, but for -r and -c. Throws Unfit. */
export const takeOption = (option: Option, to: Target): void => {
  const { collected } = to;
  if (dropOption(option, to)) return;
  const { does, value } = option;
  if (does === 'index') collected.index = indexAt(value, to);
  if (does === 'extra-index') addPlace(collected.extraIndexes, indexAt(value, to));
  if (does === 'find-links') addPlace(collected.findLinks, linksAt(value, to));
  if (does === 'no-index') collected.noIndex = true;
  if (does === 'pre') collected.prereleases = true;
  if (does === 'require-hashes') collected.requireHashes = true;
  if (does === 'no-binary') collected.noBinary.push(...builtPackagesOf(value));
  if (does === 'only-binary') collected.onlyBinary.push(...packagesOf(value));
  if (does === 'hash') collected.drop(to.source, 'a hash without a requirement before it is for nothing');
};
