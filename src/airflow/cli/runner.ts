import type { CliAnswer } from '../../environments/ports.ts';
import { checkCommand } from './check.ts';
import { type AirflowRun, runAirflow } from './run.ts';
import { type SlotLimits, Slots } from './slots.ts';

interface CliRequest extends AirflowRun {
  readonly environmentId: string;
  readonly airflowVersion: string;
}

/** The user guide advises one command at a time; four leave room for scripts that do not wait. A command of
 * Airflow takes seconds, so one that waits may get its turn. */
const defaultSlotLimits: SlotLimits = { parallel: 4, waiting: 32, patience: 25_000 };

/** Checks, queues and runs Airflow commands. */
export interface CliRunner {
  /** Refused, busy, timed-out or ran; throws only the reason of an abort. */
  run(request: CliRequest): Promise<CliAnswer>;
}

export const createCliRunner = (options: { slots?: SlotLimits } = {}): CliRunner => {
  const slots = new Slots(options.slots ?? defaultSlotLimits);
  return {
    async run(request) {
      const check = checkCommand(request.airflowVersion, request.words);
      if (!check.ok) return { kind: 'refused', reason: check.reason };
      const answer = await slots.run(request.environmentId, request.signal, () => runAirflow(request));
      return answer === 'busy' ? { kind: 'busy' } : answer;
    },
  };
};
