// Components that hang, are unwell, or lose their port to another program: each in an environment of its own.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionOf } from '../harness/components.ts';
import { type Session, signIn } from '../harness/door.ts';
import { type Machine, machineOf } from '../harness/environments.ts';
import { untilNothingWrong } from '../harness/invariants.ts';
import { Rig } from '../harness/rig.ts';
import { processesAt } from '../harness/server.ts';
import { schedulerStarts } from '../harness/trivial-airflow.ts';
import { until } from '../harness/until.ts';

const full = process.env['WINDSOCK_TEST_FULL'] === '1';
const names = ['silent', 'unwell', 'robbed', 'once'] as const;
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.make();
  for (const name of names) await rig.create(name, '2.7.2');
  for (const name of names) await rig.available(name);
}, 120_000);
afterAll(async () => {
  if (rig && !rig.server.hasEnded) await untilNothingWrong(rig.place, rig.server.pid, 60);
  await rig?.remove();
}, 120_000);

const begin = async (name: string): Promise<{ machine: Machine; session: Session }> => {
  const machine = await machineOf(rig.place, name);
  const session = await until('a session', 60, () => signIn(rig.place, rig.mint, name, 2));
  await until('Airflow behind the door', 30, async () => (await session.get('/api/v1/dags')).status === 200);
  return { machine, session };
};

const startsOf = ({ id }: Machine) =>
  schedulerStarts(rig.place).filter(({ environmentId }) => environmentId === id);

const pidOf = (machine: Machine, component: string): number => {
  const pid = machine.pidOf(component);
  if (pid === undefined) throw new Error(`there is no ${component}`);
  return pid;
};

/** A server of somebody else on that port, with what it was asked. */
const strangerAt = (port: number) => {
  const asked: { readonly url: string; readonly secret: boolean }[] = [];
  const make = (): Promise<Server | undefined> =>
    new Promise((resolve) => {
      const server = createServer((req, res) => {
        const secret = Object.keys(req.headers).some((header) =>
          /authorization|cookie|assertion/i.test(header),
        );
        asked.push({ url: req.url ?? '', secret });
        res.setHeader('content-type', 'application/json').end('{"of": "a stranger", "status": "healthy"}');
      });
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  return { asked, make };
};

describe('a component that does not do its work', { concurrent: true }, () => {
  test.runIf(full)(
    'a web server that is suspended: the door says so, then it is ended and comes back',
    async () => {
      const { machine, session } = await begin('silent');
      const old = pidOf(machine, 'webserver');
      const began = performance.now();
      for (const { pid } of processesAt(rig.place)) if (sessionOf(pid) === old) process.kill(pid, 'SIGSTOP');
      const short = () =>
        session.get('/api/v1/dags').then(
          (answer) => answer,
          () => undefined,
        );
      const waiting = short();
      const answer = await until('the door says so', 60, async () => {
        expect((await rig.api.find('silent'))?.Status).toBe('AVAILABLE');
        const found = await Promise.race([
          short(),
          new Promise<undefined>((r) => setTimeout(r, 2_000, undefined)),
        ]);
        return found?.status === 503 ? found : undefined;
      });
      expect(performance.now() - began).toBeLessThan(61_000);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      await until('Airflow behind the door', 90, async () => (await short())?.status === 200);
      expect(pidOf(machine, 'webserver')).not.toBe(old);
      expect([502, 503]).toContain((await waiting)?.status);
      expect(startsOf(machine)).toHaveLength(1);
    },
  );

  test.runIf(full)('a scheduler that Airflow calls unhealthy for two minutes is started anew', async () => {
    const { machine } = await begin('unwell');
    const old = pidOf(machine, 'scheduler');
    rmSync(join(machine.home, 'scheduler.pid'));
    const began = performance.now();
    await until('another scheduler', 200, () => ![old, undefined].includes(machine.pidOf('scheduler')));
    expect(performance.now() - began).toBeGreaterThan(110_000);
    await until('it is well', 60, () => existsSync(join(machine.home, 'scheduler.pid')));
    expect(startsOf(machine)).toHaveLength(2);
  });

  test('a scheduler that ended once is told, and no longer once it is well again', async () => {
    const { machine } = await begin('once');
    const old = pidOf(machine, 'scheduler');
    const told = async () => (await rig.api.find('once'))?.LastUpdate;
    // the next start is not well before the test has seen what happened
    const hangs = join(machine.home, 'hangs');
    writeFileSync(hangs, 'scheduler\n', { mode: 0o644 });
    process.kill(old, 'SIGKILL');
    const error = await until('what happened', 20, async () => (await told())?.Error);
    expect(error).toMatchObject({ ErrorCode: 'COMPONENT_TROUBLE' });
    rmSync(hangs);
    // less than the minute after which it counts as steady, whatever Airflow says
    await until('nothing to tell', 40, async () => (await told())?.Error === undefined);
    expect(await told()).toMatchObject({ Status: 'SUCCESS' });
    expect(pidOf(machine, 'scheduler')).not.toBe(old);
  });

  test('another program takes the port of a web server: it gets another one, the stranger gets nothing', async () => {
    const { machine, session } = await begin('robbed');
    const port = machine.facts().webPort;
    const stranger = strangerAt(port);
    process.kill(pidOf(machine, 'webserver'), 'SIGKILL');
    const there = await until('the port', 5, stranger.make, 1);
    try {
      const seen: string[] = [];
      await until('Airflow behind the door', 60, async () => {
        const answer = await session.get('/api/v1/dags');
        seen.push(answer.text);
        return answer.status === 200 && machine.facts().webPort !== port;
      });
      expect(seen.filter((text) => text.includes('stranger'))).toEqual([]);
      expect(seen.at(-1)).toContain('total_entries');
      expect(stranger.asked.filter(({ secret }) => secret)).toEqual([]);
    } finally {
      there.closeAllConnections();
      there.close();
    }
    await until('one web server', 30, () => machine.pidOf('webserver') !== undefined);
    expect(startsOf(machine).filter(({ what }) => what === 'DOUBLE')).toEqual([]);
  });
});
