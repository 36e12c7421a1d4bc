import { refuseRepository, schemeOf } from './addresses.ts';
import { markerOf } from './marker.ts';
import { Unfit } from './refused.ts';

/** Something to install, taken apart (PEP 508), or a path of a file. */
export interface Requirement {
  /** Undefined where only an address or a path is given. */
  readonly name: string | undefined;
  readonly extras: readonly string[];
  /** `>=1,<2`, without blanks; empty for any version. */
  readonly specifier: string;
  readonly address: string | undefined;
  readonly path: string | undefined;
  /** Empty for none. */
  readonly marker: string;
}

const nothing = {
  name: undefined,
  extras: [],
  specifier: '',
  address: undefined,
  path: undefined,
  marker: '',
};

const asWritten = 'Write it like name==1.2.3 or name[extra]>=1.2,<2; python_version < "3.12"';

const unread = (part: string): Unfit => new Unfit('This is no requirement', asWritten, part);

/** A name as PEP 503 compares it. */
export const normalised = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');

const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
export const isPackageName = (text: string): boolean => text.length <= 200 && namePattern.test(text);

const operator = /^(?:===|==|~=|!=|<=|>=|<|>)/;
const version = /^[A-Za-z0-9.*+!_-]+$/;

const oneSpecifier = (text: string): string => {
  const found = operator.exec(text)?.[0] ?? '';
  const rest = text.slice(found.length).trim();
  if (found !== '' && version.test(rest)) return `${found}${rest}`;
  if (/^=[^=]/.test(text)) throw new Unfit('One = is no comparison', 'Write ==', text);
  throw unread(text);
};

const specifierOf = (text: string): string => {
  const isInParentheses = text.startsWith('(') && text.endsWith(')');
  const inner = isInParentheses ? text.slice(1, -1) : text;
  return inner
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(oneSpecifier)
    .join(',');
};

const extrasOf = (text: string): readonly string[] => {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const bad = names.find((name) => !isPackageName(name));
  if (bad !== undefined) throw new Unfit('This is no name of an extra', asWritten, bad);
  return names;
};

/** What stands between the brackets at the front, and what follows; the brackets may be missing. */
const splitExtras = (text: string): readonly [extras: readonly string[], rest: string] => {
  if (!text.startsWith('[')) return [[], text];
  const end = text.indexOf(']');
  if (end === -1) throw unread(text);
  return [extrasOf(text.slice(1, end)), text.slice(end + 1).trim()];
};

/** An address or a path reaches to white space; behind it only a marker may follow. */
const splitMarker = (text: string): readonly [target: string, marker: string] => {
  const end = text.search(/\s/);
  if (end === -1 && text.endsWith(';'))
    throw new Unfit('Behind an address a marker needs a blank before its ;', 'Write a blank before the ;');
  const target = end === -1 ? text : text.slice(0, end);
  const rest = end === -1 ? '' : text.slice(end).trim();
  if (target.includes(';') && rest !== '' && !rest.startsWith(';'))
    throw new Unfit('Behind an address a marker needs a blank before its ;', 'Write a blank before the ;');
  if (rest !== '' && !rest.startsWith(';')) throw unread(rest);
  return [target, rest === '' ? '' : markerOf(rest.slice(1))];
};

const direct = (text: string, name: string | undefined, extras: readonly string[]): Requirement => {
  const [target, marker] = splitMarker(text);
  refuseRepository(target);
  if (schemeOf(target) === undefined)
    throw new Unfit(
      'Behind @ an address must follow',
      'Write it like name @ https://host/name-1.0-py3-none-any.whl',
    );
  return { ...nothing, name, extras, address: target, marker };
};

const named = (text: string): Requirement => {
  const end = text.search(/[^A-Za-z0-9._-]/);
  const name = end === -1 ? text : text.slice(0, end);
  if (!isPackageName(name)) throw unread(text);
  const [extras, rest] = splitExtras(end === -1 ? '' : text.slice(end).trim());
  if (rest.startsWith('@')) return direct(rest.slice(1).trim(), name, extras);
  const semicolon = rest.indexOf(';');
  const specifier = specifierOf((semicolon === -1 ? rest : rest.slice(0, semicolon)).trim());
  const marker = semicolon === -1 ? '' : markerOf(rest.slice(semicolon + 1));
  return { ...nothing, name, extras, specifier, marker };
};

const isPath = (text: string): boolean => {
  const first = text.slice(0, Math.max(0, text.search(/[\s;@[]|$/)));
  return /^[.~\\/]/.test(first) || first.includes('/') || /\.(?:whl|zip|tar\.gz)$/i.test(first);
};

const path = (text: string): Requirement => {
  const [target, marker] = splitMarker(text);
  const bracket = target.endsWith(']') ? target.lastIndexOf('[') : -1;
  if (bracket === -1) return { ...nothing, path: target, marker };
  const extras = extrasOf(target.slice(bracket + 1, -1));
  return { ...nothing, path: target.slice(0, bracket), extras, marker };
};

const habits: readonly (readonly [pattern: RegExp, reason: string, advice: string])[] = [
  [/^["']/, 'A requirement stands without quotes in a file', 'Take the quotes away'],
  [/^pip3?\s+install\b/i, 'This is a command', 'Write only what stands behind "pip install"'],
  [/\\/, 'There is a backslash in the line', 'Only as its last character a backslash continues a line'],
];

/** Takes a requirement apart. Throws Unfit. */
export const parseRequirement = (text: string): Requirement => {
  for (const [pattern, reason, advice] of habits) if (pattern.test(text)) throw new Unfit(reason, advice);
  refuseRepository(text);
  if (schemeOf(text) !== undefined) return direct(text, undefined, []);
  return isPath(text) ? path(text) : named(text);
};

/** The requirement in the one spelling that every reader understands in the same way. */
export const written = (r: Requirement & { readonly name: string }): string => {
  const extras = r.extras.length === 0 ? '' : `[${r.extras.join(',')}]`;
  const what = r.address === undefined ? r.specifier : ` @ ${r.address}`;
  return `${r.name}${extras}${what}${r.marker === '' ? '' : ` ; ${r.marker}`}`;
};
