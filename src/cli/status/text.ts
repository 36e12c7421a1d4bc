import { plain, tableText } from '../output.ts';
import { durationText } from './duration.ts';
import { type Report, stillRunning } from './report.ts';

/** Errors can be long; --json has them whole. */
const short = (text = ''): string => {
  const plain = text.replaceAll(/\s+/g, ' ').trim();
  return plain.length > 100 ? `${plain.slice(0, 99)}…` : plain;
};

const row = (name: string, parts: readonly (string | undefined)[]): string =>
  `${name.padEnd(12)}${parts.filter((part) => part !== undefined).join(', ')}\n`;

const serverText = ({ server, writtenAt, data }: Report, now: number): string => {
  const age = (since: number | undefined) => durationText(now - (since ?? now));
  const version = server.version && `version ${server.version}`;
  switch (server.state) {
    case 'not started':
      return row('Server', [`not started on ${data}; --data DIR names another folder`]);
    case 'stopped':
      return row('Server', [`stopped ${age(writtenAt)} ago`, version]);
    case 'killed':
      return row('Server', [`killed: pid ${server.pid} has ended without a stop`, version]);
    case 'paused':
      return row('Server', [`held by a signal (SIGSTOP): kill -CONT ${server.pid}`, version]);
    default:
      return row('Server', [
        `${server.state}, started ${age(server.startedAt)} ago`,
        `pid ${server.pid}`,
        version,
        server.endpoint,
      ]);
  }
};

const yes = (value: boolean): string => (value ? 'yes' : 'no');

const postgresText = ({ postgres }: Report, now: number): string => {
  if (postgres.state === 'external') return row('PostgreSQL', ['your own (WINDSOCK_DATABASE_URL)']);
  return row('PostgreSQL', [
    postgres.pid !== undefined && postgres.since > 0
      ? `${postgres.state} for ${durationText(now - postgres.since)}`
      : postgres.state,
    postgres.pid === undefined ? undefined : `pid ${postgres.pid}`,
    postgres.restarts > 0 ? `restarts: ${postgres.restarts}` : undefined,
    postgres.adopted && postgres.pid !== undefined ? 'adopted' : undefined,
    postgres.lastError === undefined ? undefined : `last error: ${short(postgres.lastError)}`,
  ]);
};

/** Only what is missing: with a view everything is as with Amazon MWAA. */
const viewText = ({ view }: Report): string => {
  if (view?.missing !== undefined)
    return row('View', [`missing, so DAGs see the whole file system (${short(view.missing)})`]);
  return view?.missingPids === undefined
    ? ''
    : row('Commands', [
        `have no pid namespace, so what they start may outlive them (${short(view.missingPids)})`,
      ]);
};

const environmentsText = ({ environments }: Report, now: number): string =>
  tableText(
    ['ENVIRONMENT', 'ID', 'STATUS', 'FOR', 'AIRFLOW', 'ADDRESS', 'LAST ERROR'],
    environments.map((e) => [
      e.name,
      e.id,
      e.status,
      durationText(now - e.since),
      e.airflowVersion,
      e.address ?? '',
      short(e.lastError),
    ]),
  );

const roleText = ({ environments }: Report): string =>
  environments
    .flatMap(({ name, roleFault }) =>
      roleFault === undefined ? [] : [`\n${name}: its tasks have no AWS credentials. ${roleFault}.\n`],
    )
    .join('');

/** DAG files go on as they are; that nothing new comes is to be known. */
const contentFaultText = ({ environments }: Report, now: number): string =>
  environments
    .flatMap(({ name, content }) => {
      if (content?.fault === undefined) return [];
      const { since, reason } = content.fault;
      return [
        `\n${name}: its DAG files have not been updated for ${durationText(now - since)}. ${plain(reason)}\n`,
      ];
    })
    .join('');

const contentText = ({ environments }: Report, now: number): string =>
  tableText(
    ['ENVIRONMENT', 'DAG FILES', 'VERSION', 'FOR', 'IMPORT ERRORS'],
    environments.flatMap(({ name, content }) =>
      content === undefined
        ? []
        : [
            [
              name,
              String(content.files),
              content.version,
              durationText(now - content.since),
              String(content.failed ?? ''),
            ],
          ],
    ),
  );

const componentsText = ({ environments }: Report, now: number): string =>
  tableText(
    ['ENVIRONMENT', 'COMPONENT', 'STATE', 'FOR', 'PID', 'RESTARTS', 'ADOPTED', 'LAST ERROR'],
    environments.flatMap((e) =>
      e.components.map((c) => [
        e.name,
        c.name,
        c.state,
        c.state === 'ended' ? '' : durationText(now - c.since),
        String(c.pid ?? ''),
        String(c.restarts),
        yes(c.adopted),
        short(c.lastError),
      ]),
    ),
  );

const isDown = (r: Report): boolean => ['stopped', 'killed', 'not started'].includes(r.server.state);

/** What a person should know who reads the tables. */
const note = (r: Report, now: number): string => {
  if (r.server.state === 'paused') return '';
  if (!isDown(r)) {
    const { writtenAt, server } = r;
    if (writtenAt === undefined || writtenAt < (server.startedAt ?? 0))
      return '\nThe server has not written down yet how its environments are.\n';
    return '';
  }
  const running = stillRunning(r);
  if (running.length === 0) return r.server.state === 'not started' ? '' : '\nNothing runs.\n';
  return `\nStill running: ${running.join(', ')}.\nThe next start takes them over: windsock start\n${
    r.writtenAt === undefined ? '' : `Written down by the server ${durationText(now - r.writtenAt)} ago.\n`
  }`;
};

/** The text of `windsock status`; `now` in epoch milliseconds. */
export const statusText = (r: Report, now: number): string => {
  const isNew = r.server.state === 'not started' && r.postgres.processes === 0;
  const head = serverText(r, now) + (isNew ? '' : postgresText(r, now) + viewText(r));
  if (r.environments.length === 0) return head + note(r, now);
  const components = r.environments.some((e) => e.components.length > 0) ? `\n${componentsText(r, now)}` : '';
  const content = r.environments.some((e) => e.content !== undefined) ? `\n${contentText(r, now)}` : '';
  return `${head}\n${environmentsText(r, now)}${roleText(r)}${contentFaultText(r, now)}${content}${components}${note(r, now)}`;
};
