import { setTimeout as delay } from 'node:timers/promises';
import { ApiFault } from './api.ts';
import { postCommand, postLogin } from './door.ts';
import type { CliToken, WebToken } from './mwaa.ts';
import type { Random } from './random.ts';
import type { Rig } from './rig.ts';
import { exchange } from './socket.ts';

/** What a client knows of its environment: from answers, or from requests that were not answered. */
type Belief = 'absent' | 'there' | 'leaving' | 'asked-to-create' | 'asked-to-delete';

interface UsedToken {
  readonly use: () => Promise<number>;
  readonly at: number;
  successes: number;
}

/** A refusal changes nothing; no answer, or a fault of the server, may mean either. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ApiFault && error.status >= 400 && error.status < 500;

export type AirflowVersion = '2.7.2' | '3.3.1';

interface ClientOptions {
  readonly rig: Rig;
  readonly random: Random;
  readonly name: string;
  /** Of the environments it makes. */
  readonly versions: readonly AirflowVersion[];
}

/** One client that keeps to one environment, and remembers what it was told. */
export class Client {
  readonly name: string;
  readonly #rig: Rig;
  readonly #random: Random;
  readonly #tokens: UsedToken[] = [];
  readonly #versions: readonly AirflowVersion[];
  #version: AirflowVersion;
  #belief: Belief = 'absent';

  constructor(o: ClientOptions) {
    this.#rig = o.rig;
    this.#versions = o.versions;
    this.#version = o.random.pick(o.versions);
    this.#random = o.random;
    this.name = o.name;
  }

  /** Calls until it is told to stop; whatever a call ends with, the next one follows. */
  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.#step().catch(() => {});
      await delay(this.#random.between(1, 40));
    }
  }

  /** Compares what the new server says with what this client was told. @throws Error for a change that is lost */
  async compare(): Promise<void> {
    const found = await this.#rig.api.find(this.name);
    const fault = (what: string) => new Error(`${this.name}: ${what}, found ${found?.Status ?? 'nothing'}`);
    switch (this.#belief) {
      case 'absent':
        if (found) throw fault('there was none');
        return;
      case 'there':
        if (!found || found.Status === 'DELETING') throw fault('it was made and not deleted');
        return;
      case 'leaving':
        if (found && found.Status !== 'DELETING') throw fault('its deletion was answered');
        break;
      case 'asked-to-create':
        this.#belief = found ? 'there' : 'absent';
        return;
      case 'asked-to-delete':
        if (found && found.Status !== 'DELETING') this.#belief = 'there';
        else this.#belief = 'leaving';
    }
    if (this.#belief === 'leaving') await this.#untilGone();
  }

  /** Waits until its environment, when it has one, lets people in again. */
  async untilUsable(): Promise<void> {
    if (this.#belief !== 'there') return;
    await this.#rig.wait(`a login at ${this.name}`, 30, async () => (await this.#freshLogin()) === 200);
  }

  /** Uses every web login token of the last minute again. @throws Error for one that opened twice */
  async reuseTokens(): Promise<number> {
    const young = this.#tokens.splice(0).filter(({ at }) => performance.now() - at < 55_000);
    for (const token of young) {
      for (let tries = 0; tries < 2; tries += 1)
        if ((await token.use().catch(() => undefined)) === 200) token.successes += 1;
      if (token.successes > 1) throw new Error(`a token of ${this.name} was used ${token.successes} times`);
    }
    return young.length;
  }

  async #untilGone(): Promise<void> {
    await this.#rig.gone(this.name);
    this.#belief = 'absent';
  }

  async #step(): Promise<void> {
    if (this.#belief === 'absent') return this.#create();
    if (this.#belief === 'leaving') return this.#untilGone();
    const action = this.#random.next();
    if (action < 0.08) return this.#delete();
    if (action < 0.4) return this.#login();
    if (action < 0.6) return this.#command();
    if (action < 0.65) return this.#longCommand();
    await (action < 0.8 ? this.#rig.api.list() : this.#rig.api.find(this.name));
  }

  async #create(): Promise<void> {
    this.#version = this.#random.pick(this.#versions);
    await this.#change('asked-to-create', 'there', () => this.#rig.create(this.name, this.#version));
  }

  async #delete(): Promise<void> {
    await this.#change('asked-to-delete', 'leaving', () => this.#rig.api.delete(this.name));
  }

  async #change(asked: Belief, answered: Belief, call: () => Promise<void>): Promise<void> {
    const before = this.#belief;
    this.#belief = asked;
    try {
      await call();
      this.#belief = answered;
    } catch (error) {
      if (isRefusal(error)) this.#belief = before;
      throw error;
    }
  }

  async #login(): Promise<void> {
    const text: WebToken = await this.#rig.mint.webToken(this.name);
    const use = async () => (await postLogin(this.#rig.place, text, this.#airflow)).status;
    const token: UsedToken = { use, at: performance.now(), successes: 0 };
    this.#tokens.push(token);
    if ((await use()) === 200) token.successes += 1;
  }

  async #freshLogin(): Promise<number> {
    return (await postLogin(this.#rig.place, await this.#rig.mint.webToken(this.name), this.#airflow)).status;
  }

  get #airflow(): 2 | 3 {
    return this.#version === '2.7.2' ? 2 : 3;
  }

  async #command(): Promise<void> {
    const token: CliToken = await this.#rig.mint.cliToken(this.name);
    await postCommand(this.#rig.place, token, 'dags list');
  }

  /** One that would run for a minute, from a client that leaves before. */
  async #longCommand(): Promise<void> {
    const { CliToken: token, WebServerHostname: host } = await this.#rig.mint.cliToken(this.name);
    const body = 'dags test dag';
    const head = [`POST /aws_mwaa/cli HTTP/1.1`, `host: ${host}`, `authorization: Bearer ${token}`];
    const lines = [...head, 'content-type: text/plain', `content-length: ${body.length}`, '', body];
    await exchange(this.#rig.place, host, lines.join('\r\n'), this.#random.next());
  }
}
