import { setTimeout as delay } from 'node:timers/promises';
import { NoCredentials, UnusableCredentials } from './aws-error.ts';

/** Whose credentials environments get of AWS: those of their execution roles, the machine's own, or those of a profile. */
export type AwsCredentialsOf = 'role' | 'machine' | { readonly profile: string };

/** What AWS gave; it ends. */
interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The role that is asked for; the machine and a profile have their own. */
interface Asked {
  readonly roleArn: string;
  readonly sessionName: string;
}

export interface AwsCredentialsOptions {
  readonly of: AwsCredentialsOf;
  readonly region: string;
  /** How long those of a role are to last, in seconds. */
  readonly seconds: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

type Providers = typeof import('@aws-sdk/credential-providers');
type Provider = ReturnType<Providers['fromNodeProviderChain']>;
type Identity = Awaited<ReturnType<Provider>>;

/** Milliseconds until AWS has answered. */
const answerWithin = 15_000;

/** Clients fetch new credentials 15 minutes before the end of theirs (botocore/credentials.py), so those kept have more. */
const freshFor = 20 * 60_000;
/** No longer, so that whoever may not take the role any more is soon given none. */
const keptFor = 5 * 60_000;
/** Of a session whose end nobody knows: clients ask again within a minute. */
const unknownEnd = 16 * 60_000;

/** Milliseconds for which the server's own credentials are used again, and before whose end they are not. */
const baseFor = 60_000;

/** Sessions of roles that are kept or asked for: one for each task that runs, about. */
const mostKept = 2_000;

const inTime = <T>(work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    delay(answerWithin, undefined, { ref: false }).then((): never => {
      throw new Error(`AWS did not answer within ${answerWithin / 1000} seconds`);
    }),
  ]);

/** Says of whatever went wrong why there are no credentials. */
const told = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw new NoCredentials(error);
  }
};

/** Files are read anew each time: keys are rotated, and profiles mended, while the server runs. */
const common = (region: string) => ({
  ignoreCache: true,
  clientConfig: {
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000 },
  },
});

/**
 * Credentials of AWS for the processes of environments, found as every AWS SDK finds them: by variables, profiles, single
 * sign-on, a container's or the machine's role. The packages that do it are loaded when somebody asks first.
 *
 * Clients give up after two seconds and ask again, so an answer that comes later is kept for the next question. What hangs
 * is waited for by all who ask, and not started a second time.
 */
export class AwsCredentials {
  readonly #o: AwsCredentialsOptions;
  readonly #kept = new Map<string, { readonly found: Credentials; readonly since: number }>();
  readonly #asking = new Map<string, Promise<Credentials>>();
  #providers: Promise<Providers> | undefined;
  #looking: Promise<Identity> | undefined;
  #base: { readonly identity: Identity; readonly until: number } | undefined;

  constructor(options: AwsCredentialsOptions) {
    this.#o = options;
  }

  /** Whether AWS takes the execution role of the environment that asks. */
  get takesRole(): boolean {
    return this.#o.of === 'role';
  }

  /** The server's own credentials, which go to AWS only and not to DAGs. @throws Error that says why there are none */
  async own(): Promise<Identity> {
    return told(async () => inTime(this.#servers(await this.#load())));
  }

  /** @throws Error that says why there are none; long-term keys are not handed to the code of DAGs */
  async get({ roleArn, sessionName }: Asked): Promise<Credentials> {
    const key = this.takesRole ? `${roleArn} ${sessionName}` : '';
    const kept = this.#kept.get(key);
    const now = this.#o.now();
    if (kept !== undefined && now - kept.since < keptFor && kept.found.expiresAt - now > freshFor)
      return kept.found;
    return inTime(this.#asking.get(key) ?? this.#begin(key, { roleArn, sessionName }));
  }

  #begin(key: string, asked: Asked): Promise<Credentials> {
    if (this.#asking.size >= mostKept) throw new Error('AWS is asked for too many credentials at once');
    const work = this.#ask(asked).then((found) => {
      this.#keep(key, found);
      return found;
    });
    this.#asking.set(key, work);
    const end = () => void this.#asking.delete(key);
    work.then(end, end);
    return work;
  }

  /** The one that was kept longest goes first. */
  #keep(key: string, found: Credentials): void {
    this.#kept.delete(key);
    this.#kept.set(key, { found, since: this.#o.now() });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  async #ask(asked: Asked): Promise<Credentials> {
    return told(async () => {
      const providers = await this.#load();
      const found = await (this.takesRole ? this.#ofRole(providers, asked) : this.#own(providers)());
      return this.#checked(found);
    });
  }

  #load(): Promise<Providers> {
    this.#providers ??= import('@aws-sdk/credential-providers');
    return this.#providers;
  }

  /** A profile that cannot be used has no credentials: it must not become the role of the machine. */
  #own({ fromIni, fromNodeProviderChain }: Providers): Provider {
    const { of, region } = this.#o;
    return typeof of === 'object'
      ? fromIni({ ...common(region), profile: of.profile })
      : fromNodeProviderChain(common(region));
  }

  #ofRole(providers: Providers, { roleArn, sessionName }: Asked): Promise<Identity> {
    const { region, seconds } = this.#o;
    return providers.fromTemporaryCredentials({
      ...common(region),
      params: { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: seconds },
      masterCredentials: () => this.#servers(providers),
    })();
  }

  /** The server's own credentials, with which it takes roles. One lookup at a time: it may run a program that hangs. */
  async #servers(providers: Providers): Promise<Identity> {
    if (this.#base !== undefined && this.#base.until > this.#o.now()) return this.#base.identity;
    this.#looking ??= this.#own(providers)().finally(() => {
      this.#looking = undefined;
    });
    const identity = await this.#looking;
    const end = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    this.#base = { identity, until: Math.min(this.#o.now() + baseFor, end - baseFor) };
    return identity;
  }

  #checked({ accessKeyId, secretAccessKey, sessionToken, expiration }: Identity): Credentials {
    if (sessionToken === undefined)
      throw new UnusableCredentials(
        'they would be keys that never expire, which are not handed to the code of DAGs. Let the server take roles (--aws-credentials role), or name a profile that takes one',
      );
    const expiresAt = expiration?.getTime() ?? this.#o.now() + unknownEnd;
    if (!(expiresAt > this.#o.now())) throw new UnusableCredentials('those that were found have expired');
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
  }
}

/** Reads the setting: `role`, `machine` or `profile:NAME`; undefined for `none`. */
export const awsCredentialsOf = (setting: string): AwsCredentialsOf | undefined => {
  if (setting === 'role' || setting === 'machine') return setting;
  return setting.startsWith('profile:') ? { profile: setting.slice('profile:'.length) } : undefined;
};
