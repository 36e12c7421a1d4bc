import type { CliToken, WebToken } from './mwaa.ts';
import { signed } from './raw.ts';
import type { Place } from './server.ts';

/** Tokens without a Python for each: for suites that need hundreds of them. */
export class Minter {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async #mint(path: string): Promise<unknown> {
    const answer = await signed(this.#place, { method: 'POST', path });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  webToken(name: string): Promise<WebToken> {
    return this.#mint(`/webtoken/${name}`) as Promise<WebToken>;
  }

  cliToken(name: string): Promise<CliToken> {
    return this.#mint(`/clitoken/${name}`) as Promise<CliToken>;
  }
}
