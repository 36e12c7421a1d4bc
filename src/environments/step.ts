import { textOf } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoint.ts';
import { LeaseLost } from './errors.ts';
import { lastUpdateOf } from './last-update.ts';
import { isOwnStep, type OwnStep } from './plan.ts';
import type { KeyLock, Progress, Waiting } from './ports.ts';
import type { ReconcileDeps } from './reconcile.ts';
import type { EnvironmentRecord } from './record.ts';
import { aboutOf, setStatus } from './write-down.ts';

/** Claims addresses in the order of the door until one is nobody else's. */
const claimAddress = async (d: ReconcileDeps, e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  const ofOthers = new Set<string>();
  for (;;) {
    const address = await d.door.propose(e, ofOthers);
    if (await lock.claimHostname(e, address)) return;
    ofOthers.add(address);
  }
};

const doOwnStep = (d: ReconcileDeps, step: OwnStep, e: EnvironmentRecord, lock: KeyLock): Promise<void> => {
  const ended = { progress: null, updateEnded: true } as const;
  switch (step) {
    case 'claim-address':
      return claimAddress(d, e, lock);
    case 'open':
      return d.door.open(e);
    case 'close':
      return d.door.close(e.id);
    case 'available':
      return setStatus(d, e, lock, {
        status: 'AVAILABLE',
        lastUpdate: lastUpdateOf(e, 'SUCCESS'),
        ...ended,
      });
    case 'updating': {
      const spec = e.update?.wanted ?? e.spec;
      return setStatus(d, e, lock, { status: 'UPDATING', spec, progress: null });
    }
    case 'rolled-back':
      return setStatus(d, e, lock, {
        status: 'UPDATE_FAILED',
        lastUpdate: lastUpdateOf(e, 'FAILED', e.lastUpdate.Error),
        ...ended,
      });
    case 'tombstone':
      return setStatus(d, e, lock, { status: 'DELETED', progress: null });
  }
};

const tell = (d: ReconcileDeps, e: EnvironmentRecord, p: Progress): void => {
  d.onProgress({ ...p, id: e.id, name: e.name });
  const { step, state, text, took } = p;
  if (state === 'running' && text) d.log.info('step progress', { ...aboutOf(e), step, text });
  if (state === 'started') d.log.info('step started', { ...aboutOf(e), step });
  if (state === 'done') d.log.info('step done', { ...aboutOf(e), step, took });
};

const tookSince = (d: ReconcileDeps, since: number): number => Math.round(d.clock.monotonic() - since);

/** Passes on what a step waits for when that has changed. */
const tellWaiting = (d: ReconcileDeps, e: EnvironmentRecord, step: string, { text }: Waiting): void => {
  if (text !== '' && text !== d.attempts.underway(e)?.said) tell(d, e, { step, state: 'running', text });
};

const apply = async (
  d: ReconcileDeps,
  step: string,
  e: EnvironmentRecord,
  lock: KeyLock,
): Promise<Waiting | undefined> => {
  if (!isOwnStep(step)) {
    const report = (text: string) => tell(d, e, { step, state: 'running', text });
    return d.driver.apply(step, e, { lease: lock, report });
  }
  await doOwnStep(d, step, e, lock);
  return undefined;
};

/**
 * Does a step, or looks once at one that waits. Undefined when it is done.
 * @throws LeaseLost, GenerationChanged, and what the step throws
 */
export const doStep = async (
  d: ReconcileDeps,
  step: string,
  e: EnvironmentRecord,
  lock: KeyLock,
): Promise<Waiting | undefined> => {
  if (!(await lock.stillHeld())) throw new LeaseLost(e.id);
  const since = d.attempts.underway(e)?.since ?? d.clock.monotonic();
  if (d.attempts.underway(e) === undefined) {
    tell(d, e, { step, state: 'started' });
    failpoint(`${step}:before`);
  }
  try {
    const waiting = await apply(d, step, e, lock);
    if (waiting !== undefined) {
      tellWaiting(d, e, step, waiting);
      d.attempts.waits(e, step, since, waiting);
      return waiting;
    }
    passed(d, e, step, since);
    return undefined;
  } catch (error) {
    d.attempts.ends(e);
    const [text, took] = [textOf(error), tookSince(d, since)];
    if (!d.stopping.aborted) tell(d, e, { step, state: 'failed', text, took });
    throw error;
  }
};

const passed = (d: ReconcileDeps, e: EnvironmentRecord, step: string, since: number): void => {
  failpoint(`${step}:after`);
  d.attempts.ends(e);
  tell(d, e, { step, state: 'done', took: tookSince(d, since) });
};

/** The step that waited is done when another one is next; whoever looked after the environment may have seen to it. */
export const endUnderway = (d: ReconcileDeps, e: EnvironmentRecord, next: string | undefined): void => {
  const underway = d.attempts.underway(e);
  if (underway !== undefined && underway.step !== next) passed(d, e, underway.step, underway.since);
};
