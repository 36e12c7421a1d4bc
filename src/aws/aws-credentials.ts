import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../lib/errors.ts';
import { SharedWork } from '../lib/shared-work.ts';

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

/** Milliseconds until AWS has answered. */
const answerWithin = 15_000;

/** Clients fetch new credentials 15 minutes before the end of theirs (botocore/credentials.py), so those kept have more. */
const keptFor = 20 * 60_000;

const inTime = <T>(work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    delay(answerWithin, undefined, { ref: false }).then((): never => {
      throw new Error(`AWS did not answer within ${answerWithin / 1000} seconds`);
    }),
  ]);

const client = (region: string) => ({
  clientConfig: {
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000 },
  },
});

/**
 * Credentials of AWS for the processes of environments, found as every AWS SDK finds them: by variables, profiles, single
 * sign-on, a container's or the machine's role. The packages that do it are loaded when somebody asks first.
 */
export class AwsCredentials {
  readonly #o: AwsCredentialsOptions;
  readonly #asking = new SharedWork<Credentials>();
  #providers: Promise<Providers> | undefined;
  #kept: Credentials | undefined;

  constructor(options: AwsCredentialsOptions) {
    this.#o = options;
  }

  /** Whether AWS takes the execution role of the environment that asks. */
  get takesRole(): boolean {
    return this.#o.of === 'role';
  }

  /** @throws Error that says why there are none; long-term keys are not handed to the code of DAGs */
  async get(asked: Asked): Promise<Credentials> {
    if (this.takesRole) return this.#checked(this.#ofRole(asked));
    if (this.#kept !== undefined && this.#kept.expiresAt - this.#o.now() > keptFor) return this.#kept;
    this.#kept = await this.#asking.run('own', () => this.#checked(this.#own()));
    return this.#kept;
  }

  #load(): Promise<Providers> {
    this.#providers ??= import('@aws-sdk/credential-providers');
    return this.#providers;
  }

  #chain({ fromNodeProviderChain }: Providers): Provider {
    const { of, region } = this.#o;
    return fromNodeProviderChain({
      ...client(region),
      ...(typeof of === 'object' ? { profile: of.profile } : {}),
    });
  }

  async #own(): Promise<Awaited<ReturnType<Provider>>> {
    return this.#chain(await this.#load())();
  }

  async #ofRole({ roleArn, sessionName }: Asked): Promise<Awaited<ReturnType<Provider>>> {
    const providers = await this.#load();
    const { region, seconds } = this.#o;
    return providers.fromTemporaryCredentials({
      ...client(region),
      params: { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: seconds },
      masterCredentials: this.#chain(providers),
    })();
  }

  async #checked(work: ReturnType<Provider>): Promise<Credentials> {
    const found = await inTime(work).catch((error: unknown): never => {
      throw new Error(`AWS gives no credentials: ${textOf(error)}`, { cause: error });
    });
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
    if (sessionToken === undefined || expiration === undefined)
      throw new Error(
        'The credentials of this machine are keys that never expire, which are not handed to the code of DAGs. Let them take roles (--aws-credentials role), or name a profile that takes one',
      );
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration.getTime() };
  }
}

/** Reads the setting: `role`, `machine` or `profile:NAME`; undefined for `none`. */
export const awsCredentialsOf = (setting: string): AwsCredentialsOf | undefined => {
  if (setting === 'role' || setting === 'machine') return setting;
  return setting.startsWith('profile:') ? { profile: setting.slice('profile:'.length) } : undefined;
};
