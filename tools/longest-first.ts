import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { expectedSeconds } from './durations.ts';

const isFull = process.env['WINDSOCK_TEST_FULL'] === '1';

const average = (numbers: readonly number[]): number =>
  numbers.reduce((sum, n) => sum + n, 0) / Math.max(numbers.length, 1);

/** Files that take longest begin first: one that began last would run on alone. A new file counts as the average. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const expected = expectedSeconds(isFull);
    const secondsOf = ({ moduleId }: TestSpecification) =>
      expected.get(relative(this.ctx.config.root, moduleId));
    const averages = new Map(
      this.ctx.projects.map((project) => {
        const known = files.filter((file) => file.project === project).map(secondsOf);
        return [project, average(known.filter((seconds) => seconds !== undefined))];
      }),
    );
    return files
      .map((file) => ({ file, seconds: secondsOf(file) ?? averages.get(file.project) ?? 0 }))
      .sort((a, b) => b.seconds - a.seconds)
      .map(({ file }) => file);
  }
}
