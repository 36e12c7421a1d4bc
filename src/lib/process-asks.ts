import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { textOf, WindsockError } from './errors.ts';
import type { Selection } from './process-selection.ts';

/** What the worker is asked: how many processes are selected now. With `kill`, each is sent KILL as it is found. */
export interface Ask {
  readonly id: number;
  readonly selection: Selection;
  readonly kill: boolean;
}

export type Answer =
  | { readonly id: number; readonly found: number }
  | { readonly id: number; readonly fault: string };

interface Waiting {
  readonly ask: Ask;
  readonly worker: Worker | undefined;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (found: number) => void;
  readonly reject: (error: Error) => void;
}

export interface ProcessAsksOptions {
  readonly start: () => Worker;
  /** Milliseconds for one answer, from the call on. */
  readonly deadline: number;
  /** How many may wait for their answers. */
  readonly most: number;
}

const notKnown = (reason: string): WindsockError =>
  new WindsockError('ProcessesNotKnown', `Which processes run cannot be found out: ${reason}`);

/**
 * Asks a worker thread for processes, which is started at the first ask and again after its end. It keeps no process
 * from ending. There is never a second one: a look that hangs in the kernel must not gather threads.
 */
export class ProcessAsks {
  readonly #o: ProcessAsksOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #isEnding = false;
  #asked = 0;

  constructor(options: ProcessAsksOptions) {
    this.#o = options;
  }

  /** How many processes are selected. @throws WindsockError ProcessesNotKnown */
  ask(selection: Selection, o: { readonly kill: boolean }): Promise<number> {
    if (this.#waiting.size >= this.#o.most)
      return Promise.reject(notKnown(`${this.#o.most} looks are waited for`));
    this.#asked += 1;
    const ask = { id: this.#asked, selection, ...o };
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const timer = setTimeout(() => this.#tooLate(ask.id), this.#o.deadline);
    this.#waiting.set(ask.id, { ask, worker: undefined, timer, resolve, reject });
    this.#send(ask.id);
    return promise;
  }

  /** Ends the worker; what is waited for fails. One that hangs in the kernel is not waited for longer than a second. */
  async close(): Promise<void> {
    if (!this.#worker) return;
    this.#isEnding = true;
    await Promise.race([this.#worker.terminate(), delay(1_000, undefined, { ref: false })]);
  }

  #send(id: number): void {
    const waiting = this.#waiting.get(id);
    // the end of the one before sends it
    if (!waiting || this.#isEnding) return;
    try {
      this.#worker ??= this.#start();
      this.#waiting.set(id, { ...waiting, worker: this.#worker });
      this.#worker.postMessage(waiting.ask);
    } catch (error) {
      this.#take(id)?.reject(notKnown(textOf(error)));
    }
  }

  #start(): Worker {
    const worker = this.#o.start();
    let reason = 'the thread that looks for them ended';
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', (error) => {
      reason = textOf(error);
    });
    worker.once('exit', () => this.#ended(worker, reason));
    worker.unref();
    return worker;
  }

  #answered(answer: Answer): void {
    const waiting = this.#take(answer.id);
    if ('fault' in answer) waiting?.reject(notKnown(answer.fault));
    else waiting?.resolve(answer.found);
  }

  /** The worker hangs, or waits for the end of one that hangs. */
  #tooLate(id: number): void {
    const waiting = this.#take(id);
    waiting?.reject(notKnown(`no answer after ${this.#o.deadline / 1000} s`));
    if (!waiting?.worker || waiting.worker !== this.#worker) return;
    this.#isEnding = true;
    void waiting.worker.terminate();
  }

  #ended(worker: Worker, reason: string): void {
    this.#worker = undefined;
    this.#isEnding = false;
    for (const [id, waiting] of [...this.#waiting])
      if (waiting.worker === worker) this.#take(id)?.reject(notKnown(reason));
      else this.#send(id);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}
