import type { S3Client } from '@aws-sdk/client-s3';
import type { RemoteBucketSettings } from '../config/remote-buckets.ts';
import { AwsCredentials, awsCredentialsOf } from './aws-credentials.ts';
import { RemoteBucket } from './remote-bucket.ts';

export interface RemoteBucketsOptions {
  /** How a bucket is reached; undefined for one that is ours. */
  readonly placeOf: (bucket: string) => RemoteBucketSettings | undefined;
  /** Of buckets whose settings name none. */
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Clients and roles that are kept. */
const mostClients = 200;

/** Milliseconds until the connections of a client are closed that is kept no longer. */
const retiredFor = 600_000;

/** Environments that read their files share the connections of a client with those that list. */
const mostSockets = 500;

const destroy = (client: Promise<S3Client>): void =>
  void client.then(
    (made) => made.destroy(),
    () => {},
  );

/** Seconds that the session of an execution role lasts: it only reads. */
const roleSeconds = 3_600;

/** SDKs ask for new credentials five minutes before these end. */
const keysFor = 6 * 60_000;

/** Buckets of AWS, or of other servers of S3. The packages that speak to them are loaded at the first use. */
export class RemoteBuckets {
  readonly #o: RemoteBucketsOptions;
  readonly #clients = new Map<string, Promise<S3Client>>();
  readonly #retired = new Map<Promise<S3Client>, NodeJS.Timeout>();
  readonly #credentials = new Map<string, AwsCredentials>();

  constructor(options: RemoteBucketsOptions) {
    this.#o = options;
  }

  /** The bucket, read by the rights of an execution role where its setting says so; undefined for one that is ours. */
  find(bucket: string, roleArn: string): RemoteBucket | undefined {
    const place = this.#o.placeOf(bucket);
    if (place === undefined) return undefined;
    const client = () => this.#client(place, roleArn);
    const shown = place.endpoint ?? `AWS, region ${place.region ?? this.#o.region}`;
    return new RemoteBucket({ bucket, place: shown, owner: place.owner, client });
  }

  /** The server that has it; undefined for one that is ours. */
  serverOf(
    bucket: string,
  ):
    | { readonly endpoint: string | undefined; readonly region: string; readonly pathStyle: boolean }
    | undefined {
    const place = this.#o.placeOf(bucket);
    if (place === undefined) return undefined;
    const { endpoint, region = this.#o.region, pathStyle } = place;
    return { endpoint, region, pathStyle };
  }

  close(): void {
    for (const client of [...this.#clients.values(), ...this.#retired.keys()]) destroy(client);
    for (const timer of this.#retired.values()) clearTimeout(timer);
    this.#clients.clear();
    this.#retired.clear();
  }

  #client(place: RemoteBucketSettings, roleArn: string): Promise<S3Client> {
    const key = place.credentials === 'role' ? `${place.name} ${roleArn}` : place.name;
    const client = this.#clients.get(key) ?? this.#make(place, roleArn);
    // the one that was used last is the last to go
    this.#clients.delete(key);
    this.#clients.set(key, client);
    client.catch(() => this.#clients.delete(key));
    const [oldest] = this.#clients;
    if (this.#clients.size > mostClients && oldest !== undefined) this.#retire(...oldest);
    return client;
  }

  /** What is being read over it may be read to its end. */
  #retire(key: string, client: Promise<S3Client>): void {
    this.#clients.delete(key);
    const end = (): void => {
      this.#retired.delete(client);
      destroy(client);
    };
    this.#retired.set(client, setTimeout(end, retiredFor).unref());
  }

  async #make(place: RemoteBucketSettings, roleArn: string): Promise<S3Client> {
    const { S3Client } = await import('@aws-sdk/client-s3');
    return new S3Client({
      region: place.region ?? this.#o.region,
      ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
      // AWS_ENDPOINT_URL of whoever started the server may well be this very server
      ignoreConfiguredEndpointUrls: true,
      forcePathStyle: place.pathStyle,
      followRegionRedirects: place.endpoint === undefined,
      maxAttempts: 3,
      requestHandler: {
        connectionTimeout: 5_000,
        requestTimeout: 20_000,
        throwOnRequestTimeout: true,
        socketTimeout: 30_000,
        httpAgent: { maxSockets: mostSockets },
        httpsAgent: { maxSockets: mostSockets },
      },
      credentials: () => this.#keys(place, roleArn),
    });
  }

  async #keys(place: RemoteBucketSettings, roleArn: string) {
    const all = this.#credentialsOf(place.credentials);
    const most = this.#o.now() + keysFor;
    if (all.takesRole) {
      const { expiresAt, ...keys } = await all.get({ roleArn, sessionName: 'windsock' });
      return { ...keys, expiration: new Date(Math.min(expiresAt, most)) };
    }
    const own = await all.own();
    return { ...own, expiration: new Date(Math.min(own.expiration?.getTime() ?? most, most)) };
  }

  #credentialsOf(setting: string): AwsCredentials {
    const known = this.#credentials.get(setting);
    if (known !== undefined) return known;
    const of = awsCredentialsOf(setting);
    if (of === undefined) throw new Error(`there are no credentials called ${setting}`);
    const made = new AwsCredentials({ of, region: this.#o.region, seconds: roleSeconds, now: this.#o.now });
    this.#credentials.set(setting, made);
    return made;
  }
}
