import { describe, expect, test } from 'vitest';
import { SignalCounter } from './signals.ts';

const counts = (underNpm: boolean, ...signals: [string, number][]) => {
  const counter = new SignalCounter(underNpm);
  return signals.map(([signal, at]) => counter.add(signal, at));
};

describe('SignalCounter', () => {
  test('signals within 500 ms are one, whatever they are', () => {
    expect(counts(false, ['SIGINT', 0], ['SIGINT', 1], ['SIGTERM', 499], ['SIGINT', 600])).toEqual([
      1,
      undefined,
      undefined,
      2,
    ]);
  });

  test('without npm a second Ctrl-C is meant after 500 ms', () => {
    expect(counts(false, ['SIGINT', 0], ['SIGINT', 501])).toEqual([1, 2]);
  });

  test('under npm one late copy of a Ctrl-C is no second one, the next is', () => {
    expect(counts(true, ['SIGINT', 0], ['SIGINT', 1_400], ['SIGINT', 1_900])).toEqual([1, undefined, 2]);
    expect(counts(true, ['SIGINT', 0], ['SIGINT', 2], ['SIGINT', 900])).toEqual([1, undefined, 2]);
    expect(counts(true, ['SIGINT', 0], ['SIGINT', 3_100])).toEqual([1, 2]);
  });

  test('TERM has no copy: the second is meant', () => {
    expect(counts(true, ['SIGTERM', 0], ['SIGTERM', 700])).toEqual([1, 2]);
  });
});
