import { ApiFault } from './api.ts';
import { ownQuery } from './own-database.ts';
import { signed } from './raw.ts';
import type { Place } from './server.ts';

/** One change of several entities of IAM: a user with an access key is renamed. */
export class IamWrite {
  readonly #place: Place;
  #count = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  get #names() {
    return { from: `before-${this.#count}`, to: `after-${this.#count}` };
  }

  /** Makes a user who can be renamed. */
  async prepare(): Promise<void> {
    this.#count += 1;
    await this.#call('CreateUser', { UserName: this.#names.from });
    await this.#call('CreateAccessKey', { UserName: this.#names.from });
  }

  async write(): Promise<void> {
    const { from, to } = this.#names;
    await this.#call('UpdateUser', { UserName: from, NewUserName: to });
  }

  /** What the database holds of it: names of users, whose keys they are, and how many records there are. */
  async found(): Promise<{
    readonly users: readonly string[];
    readonly keys: readonly string[];
    readonly records: number;
  }> {
    const { from, to } = this.#names;
    const query = <R extends Record<string, unknown>>(text: string) =>
      ownQuery<R>(this.#place, 'windsock', text);
    const users = await query<{ name: string }>(
      `select entity ->> 'name' as name from iam_entities where kind = 'user' and key in ('${from}', '${to}')`,
    );
    const keys = await query<{ name: string }>(
      `select entity ->> 'userName' as name from iam_entities where kind = 'access-key' and entity ->> 'userName' in ('${from}', '${to}')`,
    );
    const records = await query(
      `select id from audit_events where event_name = 'UpdateUser' and event -> 'requestParameters' ->> 'UserName' = '${from}'`,
    );
    return {
      users: users.map(({ name }) => name),
      keys: keys.map(({ name }) => name),
      records: records.length,
    };
  }

  /** As it was before, or as it is meant to be after. */
  expected(isDone: boolean): Awaited<ReturnType<IamWrite['found']>> {
    const name = isDone ? this.#names.to : this.#names.from;
    return { users: [name], keys: [name], records: isDone ? 1 : 0 };
  }

  async #call(action: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    const body = new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    const answer = await signed(this.#place, { method: 'POST', path: '/', service: 'iam', headers, body });
    if (answer.status !== 200) throw new ApiFault(action, answer);
  }
}
