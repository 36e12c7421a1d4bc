import type { CliToken, WebToken } from './mwaa.ts';
import { type Key, signed } from './raw.ts';
import type { Place } from './server.ts';

/** Tokens without a Python for each: for suites that need hundreds of them. */
export class Minter {
  readonly #place: Place;
  readonly #key: Key | undefined;

  /** As the root user when no key is given. */
  constructor(place: Place, key?: Key) {
    this.#place = place;
    this.#key = key;
  }

  async #mint(path: string): Promise<unknown> {
    const answer = await signed(this.#place, {
      method: 'POST',
      path,
      ...(this.#key ? { key: this.#key } : {}),
    });
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
