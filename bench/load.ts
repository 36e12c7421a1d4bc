// Load by wrk, and what it prints as numbers.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { used } from './processes.ts';

/** What is measured. */
export interface Server {
  /** `https://127.0.0.1:7443`. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The processes between the client and the upstream. */
  readonly pids: readonly number[];
}

export interface Result {
  readonly perSecond: number;
  /** MB, of 10^6 bytes, with headers. */
  readonly megabytes: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  /** Microseconds of processor time of the server for each request. */
  readonly cpu: number;
}

const milliseconds = { us: 0.001, ms: 1, s: 1000, m: 60_000 } as const;
const bytes = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

const fieldOf = <Unit extends string>(
  text: string,
  name: RegExp,
  units: Readonly<Record<Unit, number>>,
): number => {
  const [, number, unit] = new RegExp(`${name.source}:?\\s+([\\d.]+)([A-Za-z]+)`).exec(text) ?? [];
  if (unit === undefined || !(unit in units)) throw new Error(`wrk printed:\n${text}`);
  return Number(number) * units[unit as Unit];
};

const readResult = (text: string, cpu: number): Result => {
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`not all was answered:\n${text}`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    megabytes: fieldOf(text, /Transfer\/sec/, bytes) / 1e6,
    median: fieldOf(text, /50%/, milliseconds),
    p99: fieldOf(text, /99%/, milliseconds),
    cpu: cpu / Number(/(\d+) requests in/.exec(text)?.[1]),
  };
};

export interface Load {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
}

/** Sends requests over so many connections, one at a time on each. Throws when one is not answered with 200. */
export const load = async (wrk: string, server: Server, o: Load): Promise<Result> => {
  const headers = Object.entries(server.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const before = used(server.pids);
  const { stdout } = await promisify(execFile)(wrk, [
    ...['-t', '1', '-c', String(o.connections), '-d', `${o.seconds}s`, '--timeout', '10s', '--latency'],
    ...headers,
    `${server.origin}${o.path}`,
  ]);
  return readResult(stdout, used(server.pids) - before);
};

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The middle of several rounds, of each number by itself. */
export const middleOf = (results: readonly Result[]): Result => ({
  perSecond: middle(results.map((r) => r.perSecond)),
  megabytes: middle(results.map((r) => r.megabytes)),
  median: middle(results.map((r) => r.median)),
  p99: middle(results.map((r) => r.p99)),
  cpu: middle(results.map((r) => r.cpu)),
});
