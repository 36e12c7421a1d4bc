import { BlockList, isIP } from 'node:net';
import { matches, type Pattern } from './pattern.ts';
import type { Steps } from './steps.ts';
import { plainText } from './variables.ts';

/** Compares one value of the request with one of the policy; false for what cannot be read. Throws TooComplex. */
export type Compare = (given: string, wanted: Pattern, steps: Steps) => boolean;

export interface Operator {
  readonly compare: Compare;
  /** What a value of the policy must be, in words, and whether a text is; undefined where every text can be compared. */
  readonly takes?: { readonly what: string; readonly test: (text: string) => boolean };
  /** True for the Not… forms, which hold when no value of the policy compares, and when the key is absent. */
  readonly negated: boolean;
}

/** The policy's text, for a comparison that reads both texts once. */
const readBoth = (given: string, wanted: Pattern, steps: Steps): string => {
  const text = plainText(wanted);
  steps.take((given.length + text.length) >> 2);
  return text;
};

const string =
  (equal: (a: string, b: string) => boolean): Compare =>
  (given, wanted, steps) =>
    equal(given, readBoth(given, wanted, steps));

/** Longer than any number or date: reading them takes longer the longer they are. */
const longest = 1_000;

const numberOf = (text: string): number =>
  text.length <= longest && /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i.test(text.trim())
    ? Number(text)
    : Number.NaN;

const isoDate = /^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[-+]\d\d:?\d\d)?)?)?)?$/;

/** ISO 8601, in UTC where no zone is given, or seconds since 1970 (IAM User Guide, date condition operators). */
const dateOf = (text: string): number => {
  if (text.length > longest) return Number.NaN;
  if (/^\d{5,}$/.test(text)) return Number(text) * 1000;
  if (!isoDate.test(text)) return Number.NaN;
  return Date.parse(/T[^Z+-]*$/.test(text) ? `${text}Z` : text);
};

const ordered =
  (read: (text: string) => number, holds: (a: number, b: number) => boolean): Compare =>
  (given, wanted, steps) => {
    const text = readBoth(given, wanted, steps);
    // reading a number or a date takes some ten times what comparing two texts does
    steps.take(32);
    const [a, b] = [read(given), read(text)];
    return !Number.isNaN(a) && !Number.isNaN(b) && holds(a, b);
  };

const bool: Compare = (given, wanted, steps) => {
  const text = readBoth(given, wanted, steps);
  steps.take(given.length + text.length);
  const [a, b] = [given.toLowerCase(), text.toLowerCase()];
  return (a === 'true' || a === 'false') && a === b;
};

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. */
const networkOf = (text: string): BlockList | undefined => {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || more.length > 0 || Number.isNaN(prefix) || prefix > most) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list;
};

const address = {
  what: 'an IP address or a network such as 203.0.113.0/24',
  test: (text: string): boolean => networkOf(text) !== undefined,
};

const networks = new WeakMap<Pattern, { readonly list: BlockList | undefined }>();

/** The network of a policy's text, read once for as long as the policy is kept. */
const knownNetwork = (wanted: Pattern): BlockList | undefined => {
  const known = networks.get(wanted) ?? { list: networkOf(plainText(wanted)) };
  networks.set(wanted, known);
  return known.list;
};

const ip: Compare = (given, wanted, steps) => {
  readBoth(given, wanted, steps);
  steps.take(networks.has(wanted) ? 128 : 1_024);
  const family = isIP(given);
  const network = knownNetwork(wanted);
  return family !== 0 && network !== undefined && network.check(given, family === 4 ? 'ipv4' : 'ipv6');
};

const binary: Compare = (given, wanted, steps) => {
  const text = readBoth(given, wanted, steps);
  steps.take(64);
  const bytes = (encoded: string) => Buffer.from(encoded, 'base64').toString('base64');
  return bytes(given) === bytes(text);
};

/** Segment by segment: a wildcard stands for no colon but in the last one. */
const arn: Compare = (given, wanted, steps) => {
  steps.take(32 + (given.length >> 2));
  const cut = (text: string): readonly string[] => {
    const pieces = text.split(':');
    return pieces.length < 6 ? pieces : [...pieces.slice(0, 5), pieces.slice(5).join(':')];
  };
  const [a, b] = [cut(given), knownCut(wanted, steps)];
  if (a.length !== 6 || b.length !== 6 || a[0] !== 'arn') return false;
  return b.every((pattern, i) => matches(pattern, a[i] ?? '', steps));
};

const cuts = new WeakMap<Pattern, readonly Pattern[]>();

const knownCut = (pattern: Pattern, steps: Steps): readonly Pattern[] => {
  const known = cuts.get(pattern);
  if (known) return known;
  steps.take(plainText(pattern).length);
  const cut = cutPattern(pattern);
  cuts.set(pattern, cut);
  return cut;
};

const cutPattern = (pattern: Pattern): readonly Pattern[] => {
  const parts: Pattern[number][][] = [[]];
  for (const piece of pattern) {
    if (typeof piece !== 'string') parts.at(-1)?.push(piece);
    else
      for (const [i, text] of piece.split(':').entries()) {
        if (i > 0) {
          if (parts.length < 6) parts.push([]);
          else parts.at(-1)?.push(':');
        }
        if (text !== '') parts.at(-1)?.push(text);
      }
  }
  return parts;
};

const equal = string((a, b) => a === b);
const equalAnyCase: Compare = (given, wanted, steps) => {
  const text = readBoth(given, wanted, steps);
  // letters outside of ASCII take far longer than a comparison
  steps.take(given.length + text.length);
  return given.toLowerCase() === text.toLowerCase();
};
const like: Compare = (given, wanted, steps) => matches(wanted, given, steps);

const is = (compare: Compare): Operator => ({ compare, negated: false });
const isNot = (compare: Compare): Operator => ({ compare, negated: true });

/** Operators by their names in small letters (IAM User Guide, "IAM JSON policy elements: Condition operators"). */
export const operators: ReadonlyMap<string, Operator> = new Map([
  ['stringequals', is(equal)],
  ['stringnotequals', isNot(equal)],
  ['stringequalsignorecase', is(equalAnyCase)],
  ['stringnotequalsignorecase', isNot(equalAnyCase)],
  ['stringlike', is(like)],
  ['stringnotlike', isNot(like)],
  ['numericequals', is(ordered(numberOf, (a, b) => a === b))],
  ['numericnotequals', isNot(ordered(numberOf, (a, b) => a === b))],
  ['numericlessthan', is(ordered(numberOf, (a, b) => a < b))],
  ['numericlessthanequals', is(ordered(numberOf, (a, b) => a <= b))],
  ['numericgreaterthan', is(ordered(numberOf, (a, b) => a > b))],
  ['numericgreaterthanequals', is(ordered(numberOf, (a, b) => a >= b))],
  ['dateequals', is(ordered(dateOf, (a, b) => a === b))],
  ['datenotequals', isNot(ordered(dateOf, (a, b) => a === b))],
  ['datelessthan', is(ordered(dateOf, (a, b) => a < b))],
  ['datelessthanequals', is(ordered(dateOf, (a, b) => a <= b))],
  ['dategreaterthan', is(ordered(dateOf, (a, b) => a > b))],
  ['dategreaterthanequals', is(ordered(dateOf, (a, b) => a >= b))],
  ['bool', is(bool)],
  ['binaryequals', is(binary)],
  ['ipaddress', { ...is(ip), takes: address }],
  ['notipaddress', { ...isNot(ip), takes: address }],
  ['arnequals', is(arn)],
  ['arnlike', is(arn)],
  ['arnnotequals', isNot(arn)],
  ['arnnotlike', isNot(arn)],
]);
