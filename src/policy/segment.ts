import type { Steps } from './steps.ts';

/** What stands between two `*` of a pattern: characters, and places at which any one character may stand. */
export interface Segment {
  /** With some character at the places of `?`. */
  readonly text: string;
  /** 1 at the places of `?`; undefined where there are none. */
  readonly wild: Uint8Array | undefined;
}

/** Comparing two strings takes far less than a step a character. */
const quick = (length: number): number => 4 + (length >> 4);

/** Whether the segment stands in the text at this place. */
export const standsAt = (
  { text: wanted, wild }: Segment,
  text: string,
  at: number,
  steps: Steps,
): boolean => {
  if (at < 0 || at + wanted.length > text.length) return false;
  steps.take(quick(wanted.length));
  if (wild === undefined) return text.startsWith(wanted, at);
  for (let i = 0; i < wanted.length; i += 1)
    if (wild[i] !== 1 && text.charCodeAt(at + i) !== wanted.charCodeAt(i)) {
      steps.take(i);
      return false;
    }
  steps.take(wanted.length);
  return true;
};

/** For each place the length of the longest beginning of the text that ends there (Knuth, Morris and Pratt, 1977). */
const borders = (wanted: string): Uint32Array => {
  const found = new Uint32Array(wanted.length);
  for (let i = 1, length = 0; i < wanted.length; i += 1) {
    while (length > 0 && wanted.charCodeAt(i) !== wanted.charCodeAt(length)) length = found[length - 1] ?? 0;
    if (wanted.charCodeAt(i) === wanted.charCodeAt(length)) length += 1;
    found[i] = length;
  }
  return found;
};

const known = new WeakMap<Segment, Uint32Array>();

const bordersOf = (segment: Segment, steps: Steps): Uint32Array => {
  const before = known.get(segment);
  if (before) return before;
  steps.take(2 * segment.text.length);
  const found = borders(segment.text);
  known.set(segment, found);
  return found;
};

/** The longest text to be found by `indexOf`, whose time may grow with its length (V8's string-search.h). */
const short = 8;

const findPlain = (segment: Segment, text: string, from: number, end: number, steps: Steps): number => {
  const wanted = segment.text;
  if (wanted.length <= short) {
    const at = text.indexOf(wanted, from);
    steps.take(quick((at < 0 ? text.length : at) - from));
    return at >= 0 && at + wanted.length <= end ? at : -1;
  }
  const border = bordersOf(segment, steps);
  for (let i = from, length = 0; i < end; i += 1) {
    while (length > 0 && text.charCodeAt(i) !== wanted.charCodeAt(length)) length = border[length - 1] ?? 0;
    if (text.charCodeAt(i) === wanted.charCodeAt(length)) length += 1;
    if (length < wanted.length) continue;
    steps.take(i - from + 1);
    return i + 1 - length;
  }
  steps.take(Math.max(0, end - from));
  return -1;
};

/** The first place from `from` on at which the segment stands and ends before `end`; -1 when there is none. */
export const find = (segment: Segment, text: string, from: number, end: number, steps: Steps): number => {
  if (end - from < segment.text.length) return -1;
  if (segment.wild === undefined) return findPlain(segment, text, from, end, steps);
  for (let at = from; at + segment.text.length <= end; at += 1)
    if (standsAt(segment, text, at, steps)) return at;
  return -1;
};
