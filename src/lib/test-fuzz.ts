import fc from 'fast-check';

/** For tests only: tries properties for as long as somebody has time. */
export interface Fuzzer {
  /** Milliseconds after which a test of one property has hung. */
  readonly deadline: { readonly timeout: number };
  /** Tries a property with new values until the time is over, and gives how often; a failure says the seed that repeats it. */
  fuzz<T>(value: fc.Arbitrary<T>, property: (value: T) => void | Promise<void>): Promise<number>;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Seconds a property: half of one, unless WINDSOCK_FUZZ_SECONDS says more (tools/vitest-projects.ts). */
    readonly fuzzSeconds: number;
  }
}

export const fuzzer = (seconds: number): Fuzzer => {
  const limit = seconds * 1000;
  return {
    deadline: { timeout: limit + 20_000 },
    fuzz: async (value, property) => {
      let runs = 0;
      const counted = async (given: Parameters<typeof property>[0]): Promise<void> => {
        runs += 1;
        await property(given);
      };
      await fc.assert(fc.asyncProperty(value, counted), { numRuns: 1e9, interruptAfterTimeLimit: limit });
      return runs;
    },
  };
};

/** Every code point but halves of pairs. fast-check's own unit `binary` takes a second to be made. */
const character = fc
  .oneof(
    { weight: 0xd800, arbitrary: fc.nat(0xd7ff) },
    { weight: 0x102000, arbitrary: fc.integer({ min: 0xe000, max: 0x10ffff }) },
  )
  .map((code) => String.fromCodePoint(code));

/** Texts of any characters. */
export const anyText = (o: { readonly maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ unit: character, ...o });

/** Whether the work takes longer than that, in milliseconds, each of three times: a machine may stall once. */
export const takesLong = async (work: () => unknown, limit: number): Promise<boolean> => {
  for (let tries = 0; tries < 3; tries += 1) {
    const begun = performance.now();
    await work();
    if (performance.now() - begun < limit) return false;
  }
  return true;
};
