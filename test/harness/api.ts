import { type Environment, newEnvironment } from './mwaa.ts';
import { type Key, type RawAnswer, signed } from './raw.ts';
import type { Place } from './server.ts';
import { until } from './until.ts';

/** What the API answered instead of 200. */
export class ApiFault extends Error {
  readonly status: number;

  constructor(what: string, answer: RawAnswer) {
    super(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.status = answer.status;
  }
}

/** Environments over signed requests, without a Python for each: for suites that make many calls. */
export class Api {
  readonly #place: Place;
  readonly #key: Key | undefined;

  /** As the root user when no key is given. */
  constructor(place: Place, key?: Key) {
    this.#place = place;
    this.#key = key;
  }

  async create(name: string, airflowVersion: string, more: object = {}): Promise<void> {
    const { Name: _, ...request } = newEnvironment(this.#place, name, airflowVersion, more);
    await this.#call('PUT', `/environments/${name}`, JSON.stringify(request));
  }

  async update(name: string, change: object): Promise<void> {
    await this.#call('PATCH', `/environments/${name}`, JSON.stringify(change));
  }

  /** Undefined when there is none. */
  async find(name: string): Promise<Environment | undefined> {
    try {
      const body = await this.#call('GET', `/environments/${name}`);
      return body['Environment'] as Environment;
    } catch (error) {
      if (error instanceof ApiFault && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Waits until Airflow runs. @throws Error when it cannot be made */
  async available(name: string, seconds = 600): Promise<void> {
    const found = await until(`${name} AVAILABLE`, seconds, async () => {
      const now = await this.find(name);
      return /^(AVAILABLE|CREATE_FAILED)$/.test(now?.Status ?? '') && now;
    });
    if (found.Status !== 'AVAILABLE') throw new Error(JSON.stringify(found.LastUpdate));
  }

  async delete(name: string): Promise<void> {
    await this.#call('DELETE', `/environments/${name}`);
  }

  async list(): Promise<readonly string[]> {
    return (await this.#call('GET', '/environments'))['Environments'] as readonly string[];
  }

  async #call(method: string, path: string, body?: string): Promise<RawAnswer['body']> {
    const answer = await signed(this.#place, {
      ...{ method, path },
      ...(body === undefined ? {} : { body }),
      ...(this.#key ? { key: this.#key } : {}),
    });
    if (answer.status !== 200) throw new ApiFault(`${method} ${path}`, answer);
    return answer.body;
  }
}
