import { StepFailed } from '../../environments/errors.ts';
import type { Leaving, WebTarget } from '../../environments/ports.ts';
import type { EnvironmentId, EnvironmentRecord } from '../../environments/record.ts';
import { isAnyAlive } from '../../lib/end-processes.ts';
import { type LocalDriverOptions, ownerFor, placesFor, revisionFor } from './context.ts';
import { drainFound, foundDrains, longestDrain } from './drain.ts';
import type { LocalEnvironment } from './environment.ts';
import { forgetProcesses, livingOf, readFacts } from './facts.ts';
import { configure } from './steps.ts';
import { endAllOf, type Owner, processesOf } from './strays.ts';

/** Milliseconds that Airflow's components get between TERM and KILL. */
const stopPatience = 15_000;

/** Every environment whose processes this server looks after: replaced, ended, or left for the next server. */
export class RunningEnvironments {
  readonly #o: LocalDriverOptions;
  readonly #changed: (id: EnvironmentId) => void;
  readonly #running = new Map<EnvironmentId, LocalEnvironment>();
  /** Whose web server serves on until the one that takes its place is ready. */
  readonly #retired = new Map<EnvironmentId, LocalEnvironment>();

  constructor(options: LocalDriverOptions, changed: (id: EnvironmentId) => void) {
    this.#o = options;
    this.#changed = changed;
  }

  get ids(): readonly EnvironmentId[] {
    return [...this.#running.keys()];
  }

  get(id: EnvironmentId): LocalEnvironment | undefined {
    return this.#running.get(id);
  }

  webTarget(id: EnvironmentId): WebTarget | undefined {
    return this.#running.get(id)?.webTarget ?? this.#retired.get(id)?.webTarget;
  }

  /** How its processes are told from all others. */
  owner(id: EnvironmentId): Owner {
    return ownerFor(this.#o, id);
  }

  /** @throws WindsockError ProcessesNotKnown */
  async hasProcesses(id: EnvironmentId): Promise<boolean> {
    return this.#running.has(id) || (await isAnyAlive({ anyOf: processesOf(this.owner(id)) }));
  }

  /**
   * Replaces what runs by what can be started for this record. Its web server serves on until the new one is ready,
   * where there is a good one. @throws StepFailed
   */
  async replace(e: EnvironmentRecord): Promise<void> {
    const before = this.#running.get(e.id);
    if (before?.webTarget !== undefined && !before.lostItsPort) {
      await this.endRetired(e.id);
      await before.retire(stopPatience);
      this.#retired.set(e.id, before);
    } else await before?.stop(stopPatience);
    this.#running.delete(e.id);
    await this.#configure(e);
  }

  /** False while tasks run that GRACEFUL lets end first, for at most 12 hours. */
  isDrained(e: EnvironmentRecord): boolean {
    if (e.update?.strategy !== 'GRACEFUL' || e.tries.drained >= longestDrain) return true;
    if (e.status !== 'CREATING_SNAPSHOT' && e.status !== 'UPDATING') return true;
    const isNew = (revision: string | undefined) =>
      e.status === 'UPDATING' && revision === revisionFor(this.#o, e);
    const running = this.#running.get(e.id);
    if (running) return isNew(running.revision) || running.isDrained;
    const facts = readFacts(placesFor(this.#o, e.id).facts);
    return isNew(facts?.revision) || !foundDrains(facts, this.#o.bootId);
  }

  /** Lets the running tasks end; no new one begins. Repeatable. */
  async drain(e: EnvironmentRecord): Promise<void> {
    const running = this.#running.get(e.id) ?? (await this.#takeOver(e));
    if (running) running.drain();
    else drainFound(placesFor(this.#o, e.id).facts, this.#o.bootId);
  }

  /**
   * Goes on with what an earlier server left in a drain, as it was before the update, so that its web server is looked
   * after; undefined when it cannot be gone on with.
   */
  async #takeOver(e: EnvironmentRecord): Promise<LocalEnvironment | undefined> {
    const before = e.status === 'UPDATING' && e.update ? { ...e, spec: e.update.previous } : e;
    const now = { bootId: this.#o.bootId, revision: revisionFor(this.#o, before), view: this.#o.view.kind };
    const living = livingOf(readFacts(placesFor(this.#o, e.id).facts), now);
    // Whatever is not gone on with is ended, and tasks with their scheduler.
    if (!living.some(({ component }) => component === 'scheduler')) return undefined;
    return this.#configure(before);
  }

  async #configure(e: EnvironmentRecord): Promise<LocalEnvironment> {
    const next = await configure(this.#o, e, {
      changed: () => this.#changed(e.id),
      spared: () => [this.#retired.get(e.id)?.webLeader ?? []].flat(),
    });
    this.#running.set(e.id, next);
    return next;
  }

  /** Ends a web server that is not needed any more. */
  async endRetired(id: EnvironmentId): Promise<void> {
    const retired = this.#retired.get(id);
    await retired?.stopWeb(stopPatience);
    if (retired === undefined || this.#retired.get(id) !== retired) return;
    this.#retired.delete(id);
    // the number of its process may be a stranger's from now on
    const running = this.#running.get(id);
    if (running?.isClosed === false) running.writeDown();
  }

  /** @throws StepFailed when something cannot be ended */
  async stop(id: EnvironmentId): Promise<void> {
    const running = this.#running.get(id);
    // both at once: together they must not take longer than one
    await Promise.all([running?.stop(stopPatience), this.endRetired(id)]);
    this.#running.delete(id);
    if (!(await endAllOf(this.owner(id))))
      throw new StepFailed('Some processes of the environment cannot be ended', { retry: true });
    forgetProcesses(placesFor(this.#o, id).facts);
  }

  /** Looks after all of them. */
  async tend(): Promise<void> {
    await Promise.all([...this.#running.values()].map((environment) => environment.tend()));
    for (const id of this.#retired.keys()) if (this.#running.get(id)?.ready) await this.endRetired(id);
  }

  async close(leaving: Leaving): Promise<void> {
    await Promise.all([...this.#retired.keys()].map((id) => this.endRetired(id)));
    if (leaving === 'keep') for (const environment of this.#running.values()) environment.letGo();
    else await Promise.all(this.ids.map((id) => this.stop(id)));
  }

  /** Ends every process now, without giving tasks time. */
  hurry(): void {
    for (const environment of [...this.#running.values(), ...this.#retired.values()]) environment.kill();
  }
}
