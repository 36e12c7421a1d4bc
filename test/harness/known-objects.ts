import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BucketClient } from './bucket-client.ts';
import { ownQuery } from './own-database.ts';
import type { Place } from './server.ts';

/** A change that was asked for, until it is known what became of it. */
export interface Pending {
  readonly key: string;
  /** What the key holds afterwards; undefined: nothing. */
  readonly bytes: Buffer | undefined;
  /** True: the change is made before anybody is asked, as when people write into the folder. */
  readonly isCertain?: boolean;
  /** The version that is to end. */
  readonly ends?: string;
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

const isSame = (a: Buffer | undefined, b: Buffer | undefined): boolean =>
  a === undefined || b === undefined ? a === b : a.equals(b);

/** What a client knows of one bucket: which versions were acknowledged, with what bytes, and what was not answered. */
export class KnownObjects {
  readonly bucket: string;
  readonly #client: BucketClient;
  readonly #place: Place;
  /** By key and version id; undefined of a marker. */
  readonly #versions = new Map<string, Buffer | undefined>();
  readonly #latest = new Map<string, Buffer | undefined>();
  #pending: Pending | undefined;

  constructor(place: Place, client: BucketClient, bucket: string) {
    this.bucket = bucket;
    this.#place = place;
    this.#client = client;
  }

  /** From here on this may have happened, or not. */
  ask(pending: Pending): void {
    this.#pending = pending;
  }

  /** It has happened. */
  answered(versionId?: string): void {
    if (this.#pending === undefined) return;
    const { key, bytes, ends } = this.#pending;
    if (ends !== undefined) this.#versions.delete(`${key} ${ends}`);
    else if (versionId !== undefined) this.#versions.set(`${key} ${versionId}`, bytes);
    this.#latest.set(key, bytes);
    if (versionId !== undefined) this.#pending = undefined;
  }

  /** Everything that is not as it must be of keys with that prefix; what is there is known afterwards. */
  async problems(prefix = ''): Promise<readonly string[]> {
    const found = [...(await this.#latestProblems(prefix)), ...(await this.#versionProblems(prefix))];
    this.#pending = undefined;
    return [...found, ...(await this.#folderProblems(prefix))].map((problem) => `${this.bucket}: ${problem}`);
  }

  async #latestProblems(prefix: string): Promise<readonly string[]> {
    const problems: string[] = [];
    const keys = new Set([...this.#latest.keys(), ...(this.#pending ? [this.#pending.key] : [])]);
    for (const key of keys) {
      if (!key.startsWith(prefix)) continue;
      const now = await this.#client.get(this.bucket, key);
      const pending = this.#pending?.key === key ? this.#pending : undefined;
      const isOld = isSame(now, this.#latest.get(key)) && !pending?.isCertain;
      const isNew = pending !== undefined && isSame(now, pending.bytes);
      if (!isOld && !isNew) problems.push(`${key} is neither old nor new: ${now?.length ?? 'no'} bytes`);
      this.#latest.set(key, now);
    }
    return problems;
  }

  /** A null version is replaced by the next one, so that it may be that of the change. */
  #isExpected(name: string, bytes: Buffer | undefined): boolean {
    const { key, bytes: asked } = this.#pending ?? {};
    if (key !== name.split(' ')[0]) return false;
    return isSame(bytes, asked);
  }

  async #versionProblems(prefix: string): Promise<readonly string[]> {
    const problems: string[] = [];
    const now = new Map<string, Buffer | undefined>();
    let news = 0;
    for (const { key, versionId, isMarker } of await this.#client.versions(this.bucket, prefix)) {
      const name = `${key} ${versionId}`;
      const bytes = isMarker ? undefined : await this.#client.get(this.bucket, key, versionId);
      if (!isMarker && bytes === undefined) problems.push(`${name} is listed and not there`);
      now.set(name, bytes);
      if (this.#versions.has(name) && isSame(this.#versions.get(name), bytes)) continue;
      news += 1;
      const isEnd = this.#pending?.ends !== undefined;
      if (isEnd || !this.#isExpected(name, bytes)) problems.push(`${name} was not asked for`);
    }
    if (news > 1) problems.push(`one change made ${news} versions`);
    const { key, ends } = this.#pending ?? {};
    for (const name of this.#versions.keys())
      if (name.startsWith(prefix) && !now.has(name) && name !== `${key} ${ends ?? 'null'}`)
        problems.push(`${name} is lost`);
    for (const name of this.#versions.keys()) if (name.startsWith(prefix)) this.#versions.delete(name);
    for (const [name, bytes] of now) this.#versions.set(name, bytes);
    return problems;
  }

  async #folderProblems(prefix: string): Promise<readonly string[]> {
    const folder = join(this.#place.data, 'buckets', this.bucket);
    const keys = await this.#client.keys(this.bucket, prefix);
    const files = filesBelow(folder).filter(
      (file) => file.startsWith(prefix) || file.includes('/.') || file.startsWith('.'),
    );
    const odd = files.filter((file) => !keys.includes(file)).map((file) => `a file of no object: ${file}`);
    for (const key of keys) {
      const bytes = await this.#client.get(this.bucket, key);
      if (!files.includes(key)) odd.push(`${key} is not in the folder`);
      else if (!isSame(bytes, readFileSync(join(folder, key)))) odd.push(`${key} is another in the folder`);
    }
    return odd;
  }
}

/** Stored bytes that no version and no part has, and those that are missing. */
export const storeProblems = async (place: Place): Promise<readonly string[]> => {
  const rows = await ownQuery<{ file: string }>(
    place,
    'windsock',
    `select bucket || '/v/' || left(file, 2) || '/' || file as file from object_versions where file is not null
      union all select bucket || '/v/' || left(file, 2) || '/' || file from upload_parts join uploads using (upload_id)`,
  );
  const used = new Set(rows.map(({ file }) => file));
  const there = new Set(filesBelow(join(place.data, 'bucket-store')));
  return [
    ...[...there].filter((file) => !used.has(file)).map((file) => `stored bytes of nothing: ${file}`),
    ...[...used].filter((file) => !there.has(file)).map((file) => `bytes that are gone: ${file}`),
  ];
};
