import { textOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';

type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Shows the steps of the start as `show` does, and logs them. */
export const loggedStep =
  (show: Step, log: Log): Step =>
  (step, work) =>
    show(step, async () => {
      const begun = performance.now();
      const took = () => Math.round(performance.now() - begun);
      log.info('step started', { step });
      try {
        const result = await work();
        log.info('step done', { step, took: took() });
        return result;
      } catch (error) {
        log.error('step failed', { step, reason: textOf(error), took: took() });
        throw error;
      }
    });
