import type { EnvironmentProgress } from '../environments/reconcile.ts';

/** Where progress and the last screen are written. */
export interface Terminal {
  readonly isTerminal: boolean;
  write(text: string): void;
}

const titles: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  api: 'API',
  base: 'Install Airflow',
  template: 'Prepare the metadata database',
  account: 'Make the account',
  folders: 'Make the folders',
  content: 'Copy the DAGs',
  database: 'Copy the database',
  packages: 'Install packages and plugins',
  'next-base': 'Install Airflow',
  'next-packages': 'Install packages and plugins',
  'claim-address': 'Choose the address',
  open: 'Open the door',
  drain: 'Let running tasks end',
  configuration: 'Configure',
  start: 'Start the components',
  ready: 'Wait until Airflow is ready',
  available: 'Available',
  stop: 'Stop the components',
};

/** Steps this short are not worth a line of their own when nothing went wrong. */
const worthALine = 300;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
const oneLine = (text: string, width: number): string => {
  const plain = text.replaceAll(/\s+/g, ' ').trim();
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
};

/** Shows what happens: a live line on a terminal, plain lines elsewhere. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #begun = performance.now();
  #live: { title: string; text: string; since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** A step of the server itself. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    this.#started(titles[name] ?? name);
    try {
      const result = await work();
      this.#done(titles[name] ?? name, performance.now() - start);
      return result;
    } catch (error) {
      this.#clear();
      throw error;
    }
  }

  /** A step of an environment. */
  progress(p: EnvironmentProgress): void {
    const title = `${p.name}: ${titles[p.step] ?? p.step}`;
    if (p.state === 'started') this.#started(title);
    else if (p.state === 'running') this.#said(title, p.text ?? '');
    else if (p.state === 'done') this.#done(title, p.took ?? 0);
    else this.#line(`✗ ${title}: ${p.text ?? 'failed'}`);
  }

  /** Lines that stay. */
  print(text: string): void {
    this.#clear();
    this.#terminal.write(`${text}\n`);
  }

  close(): void {
    this.#clear();
  }

  #started(title: string): void {
    if (!this.#terminal.isTerminal) return;
    this.#live = { title, text: '', since: performance.now() };
    this.#timer ??= setInterval(() => this.#draw(), 100);
    this.#timer.unref();
  }

  #said(title: string, text: string): void {
    if (this.#terminal.isTerminal)
      this.#live = { title, text, since: this.#live?.title === title ? this.#live.since : performance.now() };
    else this.#line(`  ${title}: ${text}`);
  }

  #done(title: string, took: number): void {
    this.#clear();
    if (took >= worthALine) this.#line(`✓ ${title} (${seconds(took)})`);
  }

  #line(text: string): void {
    this.#clear();
    const at = this.#terminal.isTerminal ? '' : `[${seconds(performance.now() - this.#begun).padStart(8)}] `;
    this.#terminal.write(`${at}${text}\n`);
  }

  #draw(): void {
    if (!this.#live) return;
    const { title, text, since } = this.#live;
    const line = `… ${title} ${seconds(performance.now() - since)}${text ? `  ${text}` : ''}`;
    this.#terminal.write(`\r\u001b[2K${oneLine(line, (process.stdout.columns || 80) - 1)}`);
  }

  #clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#live && this.#terminal.isTerminal) this.#terminal.write('\r\u001b[2K');
    this.#live = undefined;
  }
}

export interface ReadyScreenInput {
  /** `npx windsock`, with `--data DIR` where it is not the usual folder. */
  readonly command: string;
  readonly endpoint: string;
  readonly region: string;
  readonly environment: string | undefined;
  readonly airflowVersion: string | undefined;
  /** Absent off a terminal: a token does not belong into a log. */
  readonly loginUrl: string | undefined;
  readonly data: string;
  readonly logs: string;
  readonly buckets: string;
  /** `pid 1 (all under this account)` and the like. */
  readonly note: string | undefined;
  readonly took: number;
}

/** What a person needs next. */
export const readyScreen = (i: ReadyScreenInput): string => {
  const name = i.environment ?? 'NAME';
  const open = `${i.command.replace('windsock', 'windsock open')} ${name}`;
  const rows: [string, string][] = [];
  if (i.loginUrl)
    rows.push([`Airflow ${i.airflowVersion}`, i.loginUrl], ['', `works once, for 60 s; the next: ${open}`]);
  else if (i.environment) rows.push([`Airflow ${i.airflowVersion}`, open]);
  else rows.push(['Environment', `${i.command.replace('windsock', 'windsock environment create')} NAME`]);
  rows.push(
    ['Certificate', `${i.command.replace('windsock', 'windsock trust')}  (once, so that browsers know it)`],
    ['API', `${i.endpoint}  (region ${i.region})`],
    ['aws cli', `${i.command.replace('windsock', 'windsock env')} --profile windsock`],
    ['', 'aws mwaa list-environments --profile windsock'],
    ['boto3', 'boto3.Session(profile_name="windsock").client("mwaa")'],
    ['Buckets', i.buckets],
    ['Data', i.data],
    ['Logs', i.logs],
    ['Stop', 'Ctrl-C'],
  );
  const lines = rows.map(([left, right]) => `  ${left.padEnd(14)}${right}`);
  return [
    '',
    `Windsock is ready after ${seconds(i.took)}.`,
    '',
    ...lines,
    ...(i.note ? ['', `  ${i.note}`] : []),
    '',
  ].join('\n');
};
