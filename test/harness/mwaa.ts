import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runClient } from './python.ts';
import type { Place } from './server.ts';

export interface Environment {
  readonly Name: string;
  readonly Status: string;
  readonly Arn: string;
  readonly AirflowVersion: string;
  readonly WebserverUrl?: string;
  readonly LastUpdate: {
    readonly Status: string;
    readonly Error?: { readonly ErrorCode: string; readonly ErrorMessage: string };
  };
}
export interface WebToken {
  readonly WebToken: string;
  readonly WebServerHostname: string;
  readonly IamIdentity: string;
  readonly AirflowIdentity: string;
}
export interface CliToken {
  readonly CliToken: string;
  readonly WebServerHostname: string;
}
export interface ClientFault {
  readonly Code: string;
  readonly Message: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What else the exception holds, by the model. */
  readonly members: Readonly<Record<string, unknown>>;
}
export interface Answer {
  readonly result?: unknown;
  readonly error?: ClientFault;
  readonly seen?: readonly string[];
}
export type Call = readonly [operation: string, parameters: Readonly<Record<string, unknown>>];

export interface RootKey {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const rootKey = ({ data }: Place): RootKey =>
  JSON.parse(readFileSync(join(data, 'secrets', 'root-access-key.json'), 'utf8'));

/** boto3 against one server. */
export class Mwaa {
  readonly #place: Place;
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(place: Place, options: Readonly<Record<string, unknown>> = {}) {
    this.#place = place;
    this.#options = { injectHostPrefix: false, ...options };
  }

  /** One answer a call, errors too. */
  calls(calls: readonly Call[], seconds = 120): Promise<readonly Answer[]> {
    const { accessKeyId, secretAccessKey } = rootKey(this.#place);
    const endpoint = `http://localhost:${this.#place.ports.api}`;
    const client = { endpoint, region: 'us-east-1', accessKeyId, secretAccessKey, ...this.#options };
    return runClient('mwaa.py', { client, calls }, { seconds });
  }

  /** The result of one call; throws what the service said. */
  async call<T>(operation: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const [answer] = await this.calls([[operation, parameters]]);
    if (answer?.result === undefined) throw new Error(`${operation}: ${JSON.stringify(answer?.error)}`);
    return answer.result as T;
  }

  /** The error of one call. */
  async fault(operation: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<ClientFault> {
    const [answer] = await this.calls([[operation, parameters]]);
    if (answer?.error === undefined)
      throw new Error(`${operation} did not fail: ${JSON.stringify(answer?.result)}`);
    return answer.error;
  }

  /** Follows GetEnvironment; gives the statuses seen on the way. */
  async wait(
    name: string,
    status: string,
    seconds = 300,
  ): Promise<{ seen: readonly string[]; environment?: Environment; error?: ClientFault }> {
    const [answer] = await this.calls([['wait', { name, until: status, seconds }]], seconds + 30);
    const environment = (answer?.result as { Environment: Environment } | undefined)?.Environment;
    return {
      seen: answer?.seen ?? [],
      ...(environment ? { environment } : {}),
      ...(answer?.error ? { error: answer.error } : {}),
    };
  }

  webToken(name: string): Promise<WebToken> {
    return this.call('create_web_login_token', { Name: name });
  }

  cliToken(name: string): Promise<CliToken> {
    return this.call('create_cli_token', { Name: name });
  }
}

/** A request of CreateEnvironment whose bucket has the environment's name; the server of the place ran before. */
export const newEnvironment = (
  place: Place,
  name: string,
  airflowVersion?: string,
  more: object = {},
): Record<string, unknown> => ({
  Name: name,
  ...(airflowVersion ? { AirflowVersion: airflowVersion } : {}),
  SourceBucketArn: `arn:aws:s3:::${name}`,
  DagS3Path: 'dags',
  ExecutionRoleArn: `arn:aws:iam::${rootKey(place).accountId}:role/execution`,
  NetworkConfiguration: { SubnetIds: ['subnet-a', 'subnet-b'], SecurityGroupIds: ['sg-a'] },
  ...more,
});
