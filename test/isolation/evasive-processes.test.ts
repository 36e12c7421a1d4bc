// Hostile code starts processes that a look at the list of processes does not show: none outlives its environment.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountOf, isRoot } from '../harness/accounts.ts';
import { makeNeighbourhood, type Neighbourhood } from '../harness/neighbourhood.ts';
import type { Probe } from '../harness/probing.ts';
import { until } from '../harness/until.ts';

/** Seconds after which the processes of this suite end by themselves, should the product not end them. */
const lifetime = 120;

const evasions = {
  // it is never there long enough for its number to be read and its facts after it
  'forks and ends, again and again': `
    while time.time() < end:
        if os.fork() > 0:
            os._exit(0)
        os.close(os.open(alive, os.O_CREAT | os.O_WRONLY))`,
  // proc(5) shows the state of the first thread: a zombie
  'goes on in a thread after its first thread has ended': `
    def work():
        open(alive, "w").close()
        time.sleep(end - time.time())
    threading.Thread(target=work).start()
    ctypes.CDLL(None).syscall(60, 0)`,
  'ignores what can be ignored, in a session of its own': `
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    open(alive, "w").close()
    time.sleep(end - time.time())`,
  // it begins when all others were started
  'stops every process of the account, over and over': `
    open(alive, "w").close()
    kill = ctypes.CDLL(None).kill
    time.sleep(0.5)
    while time.time() < end:
        kill(-1, signal.SIGSTOP)`,
} as const;

/** Starts each of them, away from everything that the environment knows; gives the files that say it runs. */
const startAll = async (probe: Probe): Promise<readonly string[]> => {
  const files = Object.values(evasions).map((body, i) => ({ body, file: `alive-${i}` }));
  for (const { body, file } of files)
    await probe.ask(`import ctypes, os, signal, threading, time
end = time.time() + ${lifetime}
alive = os.environ["AIRFLOW_HOME"] + "/${file}"
if os.fork() == 0:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
${body.replace(/^\n/, '')}
    os._exit(0)
return "started"`);
  for (const { file } of files)
    await until(`${file}`, 30, () => readdirSync(probe.machine.home).includes(file));
  return files.map(({ file }) => file);
};

const threadStates = (pid: string): readonly string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return text.slice(text.lastIndexOf(')') + 2)[0] ?? '';
    });
  } catch {
    return [];
  }
};

/** The account is changed after the program began, so that nothing of the account can hold up this process. */
const signalAll = (uid: number, signal: string) =>
  spawnSync(
    'setpriv',
    [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '/bin/sh', '-c', `kill -s ${signal} -- -1`],
    { timeout: 2_000, killSignal: 'SIGKILL' },
  );

/** Living processes of an account, which are stopped first: so none can end and go on as another. */
const livingOf = (uid: number): readonly string[] => {
  signalAll(uid, 'STOP');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const states = threadStates(pid);
      if (!states.some((state) => !/[ZXx]/.test(state))) return false;
      return new RegExp(`^Uid:\\s+${uid}\\s`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    });
};

describe.runIf(isRoot)('evasive processes', () => {
  let n: Neighbourhood;
  const uids: number[] = [];
  const uidOf = ({ machine }: Probe): number => {
    const { uid } = accountOf(`windsock-${machine.id}`) ?? expect.unreachable('no account');
    uids.push(uid);
    return uid;
  };

  beforeAll(async () => {
    n = await makeNeighbourhood();
  }, 120_000);

  afterAll(async () => {
    for (const uid of uids) signalAll(uid, 'KILL');
    await n?.remove();
  }, 120_000);

  test('the end of an environment is theirs', async () => {
    const uid = uidOf(n.attacker);
    await startAll(n.attacker);
    expect(livingOf(uid).length).toBeGreaterThan(4);
    signalAll(uid, 'CONT');
    await n.rig.api.delete('attacker');
    await until('attacker is gone', 60, async () => !(await n.rig.api.find('attacker')));
    expect(livingOf(uid)).toEqual([]);
  }, 120_000);

  test('the end of the server is theirs', async () => {
    const uid = uidOf(n.victim);
    await startAll(n.victim);
    await n.rig.stop();
    expect(livingOf(uid)).toEqual([]);
  }, 120_000);
});
