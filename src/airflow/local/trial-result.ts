import { z } from 'zod';

/** What cannot be imported, by file; the texts are the last line of Python's own. */
export type ImportFaults = Readonly<Record<string, string>>;

/** What the trial found. */
export interface TrialResult {
  /** What packages want of each other and do not find. */
  readonly conflicts: readonly string[];
  readonly plugins: ImportFaults;
  readonly dags: ImportFaults;
}

/** Begins the line with the result; `windsock_trial.py` prints it. */
export const resultMark = 'windsock-trial ';

/** What `windsock_trial.py` keeps to as well: of more faults it tells the first ones by name. */
export const mostFaults = 1_000;

const text = z.string().max(1_000);
const faults = z
  .record(text, text)
  .refine((given) => Object.keys(given).length <= mostFaults, { error: 'more faults than the trial tells' });

const schema = z.object({ conflicts: z.array(text).max(mostFaults), plugins: faults, dags: faults });

/**
 * The result in what the trial printed; undefined without one that is whole. DAGs and plugins run in the trial and may
 * print what looks like it, so nothing of it is believed but about the environment itself.
 */
export const trialResultIn = (stdout: string): TrialResult | undefined => {
  const line = stdout.split('\n').findLast((one) => one.startsWith(resultMark));
  if (line === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(line.slice(resultMark.length))).data;
  } catch {
    return undefined;
  }
};
