import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Suites of several minutes, in the order in which they begin: one that began last would run on alone. */
const long = [
  'faults/soak',
  'journey/journey',
  'journey/ordinary-account',
  'faults/adoption',
  'gateway/browser',
  'gateway/gateway',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const at = long.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return at < 0 ? long.length : at;
};

/** Vitest's own order, with the long suites before the others. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
