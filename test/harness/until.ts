import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until there is an answer; fails after `seconds`, saying what was waited for. */
export const until = async <T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  every = 250,
): Promise<T> => {
  const deadline = performance.now() + seconds * 1000;
  let fault: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      fault = undefined;
    } catch (error) {
      fault = error;
    }
    if (performance.now() > deadline)
      throw new Error(
        `Waited ${seconds} s in vain for: ${what}`,
        fault === undefined ? {} : { cause: fault },
      );
    await delay(every);
  }
};
