import { codeOf } from '../lib/errors.ts';
import { type Database, uniqueViolation } from './database.ts';

/** The range from which accounts get their numbers. */
export interface NumberRange {
  readonly first: number;
  readonly count: number;
}

/** Numbers of accounts by environment, never given twice: a freed number inherits stray files. */
export const accountNumbers = (db: Database, range: NumberRange) => ({
  /** The environment's number, taken at the first call. @throws Error when the range is used up */
  numberFor: async (environmentId: string): Promise<number> => {
    for (let tries = 0; tries < 50; tries += 1) {
      const [there] = await db.query<{ number: number }>(
        'select number from account_numbers where environment_id = $1 and released_at is null',
        [environmentId],
      );
      if (there) return there.number;
      try {
        await db.query(
          `insert into account_numbers (environment_id, number)
           select $1, coalesce(max(number) + 1, $2) from account_numbers where number >= $2 and number < $3`,
          [environmentId, range.first, range.first + range.count],
        );
      } catch (error) {
        if (codeOf(error) !== uniqueViolation) throw error;
      }
    }
    throw new Error('no account number is left in the range of this installation');
  },

  /** The number stays spent. */
  release: async (environmentId: string): Promise<void> => {
    await db.query(
      `update account_numbers set released_at = now(), environment_id = environment_id || '-' || number
       where environment_id = $1 and released_at is null`,
      [environmentId],
    );
  },
});
