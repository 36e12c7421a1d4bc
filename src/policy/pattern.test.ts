import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operators } from './operators.ts';
import { matcherOf, matches, type Pattern, type Piece, patternOf } from './pattern.ts';
import { Steps, TooComplex } from './steps.ts';

/** The definition itself, a place of the pattern and a place of the text at a time. */
const plainly = (pattern: Pattern, text: string): boolean => {
  const units = pattern.flatMap((piece): Piece[] => (typeof piece === 'string' ? piece.split('') : [piece]));
  let reached = new Set([0]);
  const overStars = (places: Set<number>): Set<number> => {
    for (const place of places) {
      const unit = units[place];
      if (typeof unit === 'object' && unit.wild === '*') places.add(place + 1);
    }
    return places;
  };
  for (const character of text.split('')) {
    const next = new Set<number>();
    for (const place of overStars(reached)) {
      const unit = units[place];
      if (typeof unit === 'object') next.add(unit.wild === '*' ? place : place + 1);
      else if (unit === character) next.add(place + 1);
    }
    reached = next;
  }
  return overStars(reached).has(units.length);
};

const few = fc.constantFrom('a', 'b', 'aab');
const wild = fc.constantFrom<Piece>({ wild: '*' }, { wild: '?' });
const pieces = fc.array(fc.oneof({ weight: 3, arbitrary: few }, { weight: 2, arbitrary: wild }), {
  maxLength: 12,
});
const longWord = fc.array(few, { maxLength: 20 }).map((parts) => parts.join(''));
const longPieces = fc.array(fc.oneof(longWord, wild), { maxLength: 6 });

describe('a pattern', () => {
  test('matches what its definition matches', () => {
    fc.assert(
      fc.property(pieces, fc.array(few, { maxLength: 10 }), (pattern, parts) => {
        const text = parts.join('');
        expect(matches(pattern, text)).toBe(plainly(pattern, text));
      }),
      { numRuns: 5_000 },
    );
  });

  test('with long pieces too', () => {
    fc.assert(
      fc.property(longPieces, longWord, longWord, longWord, (pattern, a, b, c) => {
        const filled = pattern.map((piece) =>
          typeof piece === 'string' ? piece : piece.wild === '?' ? 'b' : a,
        );
        for (const text of [filled.join(''), `${b}${filled.join('')}${c}`, `${a}${b}${c}`])
          expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, plainly(pattern, text)]);
      }),
      { numRuns: 3_000 },
    );
  });

  test('matches every text that its wildcards were filled with', () => {
    fc.assert(
      fc.property(longPieces, fc.string(), fc.string({ minLength: 1 }), (pattern, any, one) => {
        const filled = pattern.map((piece) =>
          typeof piece === 'string' ? piece : piece.wild === '?' ? one.charAt(0) : any,
        );
        expect(matches(pattern, filled.join(''))).toBe(true);
      }),
    );
  });
});

const stepsOf = (pattern: string, text: string): number => {
  const steps = new Steps(Number.MAX_SAFE_INTEGER);
  matcherOf(patternOf(pattern))(text, steps);
  return steps.taken;
};

test.each([
  ['many pieces that are there', '*a'.repeat(2_000)],
  ['one piece that nearly is', `*${'a'.repeat(2_000)}b*`],
  ['the difference at its beginning', `*b${'a'.repeat(2_000)}*`],
  ['the difference in the middle', `*${'a'.repeat(1_000)}b${'a'.repeat(1_000)}*`],
  ['nothing but stars', '*'.repeat(4_000)],
  ['many pieces, the last of which is not there', `${'*aa'.repeat(1_000)}*b*`],
])('the work grows with pattern and text, not with their product: %s', (_name, pattern) => {
  const text = 'a'.repeat(100_000);
  expect(stepsOf(pattern, text)).toBeLessThan(4 * (pattern.length + text.length));
});

test('what has places for any one character counts every comparison, and ends with its steps', () => {
  const [pattern, text] = [patternOf(`*${'a?'.repeat(1_000)}b*`), 'a'.repeat(100_000)];
  const steps = new Steps(50_000);
  expect(() => matches(pattern, text, steps)).toThrow(TooComplex);
});

test('a comparison in any case counts every character of both texts', () => {
  const steps = new Steps(Number.MAX_SAFE_INTEGER);
  operators.get('stringequalsignorecase')?.compare('İ'.repeat(2_000), patternOf('İ'.repeat(300)), steps);
  expect(steps.taken).toBeGreaterThanOrEqual(2_300);
});
