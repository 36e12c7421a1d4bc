// What hostile code in a DAG of one environment gets of the processes of another, and of the server's.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { runCommand } from '../harness/door.ts';
import { makeNeighbourhood, type Neighbourhood } from '../harness/neighbourhood.ts';
import type { Probe } from '../harness/probing.ts';
import { windsockProgram } from '../harness/tools.ts';

let n: Neighbourhood;
let attacker: Probe;
let victim: Probe;
let data: string;

beforeAll(async () => {
  if (!isRoot) return;
  n = await makeNeighbourhood();
  ({ attacker, victim } = n);
  data = n.rig.place.data;
}, 120_000);

afterAll(async () => {
  await n?.remove();
}, 120_000);

/** Every word of these files that is long enough to be a secret. */
const secretsIn = (folder: string, files: readonly string[]): readonly string[] =>
  files.flatMap((file) => readFileSync(join(folder, file), 'utf8').match(/[\w+/=-]{30,}/g) ?? []);

const serverSecrets = () =>
  secretsIn(join(data, 'secrets'), [
    'root-access-key.json',
    'signing-keys.json',
    'identity-key',
    'audit-key',
  ]);
const secretsOf = ({ machine }: Probe) => secretsIn(machine.folder, ['secrets.json']);

describe.runIf(isRoot)('processes', () => {
  /** Everything that one process may ask the kernel about another. */
  const reach = `import ctypes, os, signal
c = ctypes.CDLL(None, use_errno=True)
def call(*words):
    if c.syscall(*[word if isinstance(word, type(ctypes.byref(ctypes.c_int()))) else ctypes.c_long(word) for word in words]) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return "done"
def read(name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        file.seek(0x400000 if name == "mem" else 0)
        return "read " + str(len(file.read(1) if name != "mem" else b""))
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
answers = {name: attempt(read, name) for name in ["environ", "mem", "maps", "auxv", "syscall"]}
answers |= {name: str(attempt(os.listdir, f"/proc/{pid}/{name}")) for name in ["root", "fd", "cwd", "task/%d/fd" % pid]}
answers["exe"] = str(attempt(os.readlink, f"/proc/{pid}/exe"))
answers["signal"] = str(attempt(os.kill, pid, 0))
answers["ptrace"] = attempt(call, 101, 0x4206, pid, 0, 0)
if answers["ptrace"] == "done":
    os.kill(pid, signal.SIGCONT)
buffer = ctypes.create_string_buffer(8)
local, remote = Vector(ctypes.addressof(buffer), 8), Vector(0x400000, 8)
answers["vm_readv"] = attempt(call, 310, pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
handle = os.pidfd_open(pid)
answers["getfd"] = attempt(call, 438, handle, 0, 0)
answers["setns"] = attempt(call, 308, handle, 0x00020000)
return answers`;
  type Answers = Readonly<Record<string, string>>;
  const refused = /^(PermissionError|OSError: Operation not permitted)/;

  test('of others are closed: the server, PostgreSQL, and every component of a neighbour', async () => {
    const postgres = Number(readFileSync(join(data, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
    const components = ['webserver', 'scheduler', 'dag-processor'].map((name) => victim.machine.pidOf(name));
    for (const pid of [n.rig.server.pid, postgres, ...components]) {
      const answers = await attacker.ask<Answers>(reach, { pid });
      for (const [what, text] of Object.entries(answers)) expect(text, `${what} of ${pid}`).toMatch(refused);
    }
  });

  test('of its own are open, so the questions are good ones', async () => {
    const answers = await attacker.ask<Answers>(reach, { pid: attacker.machine.pidOf('dag-processor') });
    for (const what of ['environ', 'maps', 'root', 'fd', 'exe', 'signal'])
      expect(answers[what], what).not.toMatch(refused);
  });

  test('no secret is in a list of processes, in its variables or behind its descriptors', async () => {
    const seen = await attacker.ask<string>(`import os
def read(path):
    with open(path, "rb") as file:
        return file.read(100000).decode("latin-1")
pids = [name for name in os.listdir("/proc") if name.isdigit()]
parts = [attempt(read, f"/proc/{pid}/{name}") for pid in pids for name in ["cmdline", "environ", "comm"]]
parts += [attempt(read, "/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if os.path.isfile("/proc/self/fd/" + fd)]
return chr(10).join(parts)`);
    expect(seen).toContain(`WINDSOCK_ENVIRONMENT_ID=${attacker.machine.id}`);
    expect(seen).toContain(windsockProgram('main'));
    const secrets = [...serverSecrets(), ...secretsOf(victim), ...secretsOf(attacker)];
    expect(secrets.length).toBeGreaterThan(8);
    expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
    const [database = ''] = secretsOf(attacker);
    expect(await attacker.ask('import os\nreturn open(os.environ["AIRFLOW_CONFIG"]).read()')).toContain(
      database,
    );
  });

  test('every open descriptor is its own, and its log can only be written to', async () => {
    const open = await attacker.ask<Record<string, [string, string]>>(`import os
def look(fd):
    with open(f"/proc/self/fd/{fd}"):
        return "opened"
fds = [fd for fd in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + fd)]
return {fd: [os.readlink("/proc/self/fd/" + fd), attempt(look, fd)] for fd in fds}`);
    // what the test itself was started with may reach everything below it
    const inherited = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    const logs = join(attacker.machine.folder, 'logs');
    const [, , ...others] = Object.values(open);
    expect(open['0']?.[0]).toBe('/dev/null');
    expect(open['1']?.[0].startsWith(logs)).toBe(true);
    expect(open['1']?.[1]).toMatch(/^PermissionError/);
    const strange = others.filter(
      ([target]) =>
        !target.startsWith(logs) && !target.startsWith('/usr/local/airflow/') && !inherited.includes(target),
    );
    expect(strange).toEqual([]);
  });

  test('of an environment are so many at most: a fork bomb leaves the server and the neighbour at work', async () => {
    // it ends by itself, and never makes more than the loop says
    const made = await attacker.ask<number>(`import os, signal, time
children = []
for _ in range(1500):
    try:
        child = os.fork()
    except BlockingIOError:
        break
    if child == 0:
        time.sleep(20)
        os._exit(0)
    children.append(child)
open(os.environ["AIRFLOW_HOME"] + "/bomb", "w").write(chr(10).join(map(str, children)))
return len(children)`);
    expect(made).toBeGreaterThan(100);
    expect(made).toBeLessThan(1024); // of mw1.small
    expect(await n.rig.api.find('victim')).toMatchObject({ Status: 'AVAILABLE' });
    expect(await victim.ask('import os\nreturn os.waitpid(os.fork() or os._exit(0), 0)[1]')).toBe(0);
    const command = await runCommand(n.rig.place, n.rig.mint, 'victim', 'version');
    expect(command.stdout).toContain('3.3.1');
    const pids = readFileSync(join(attacker.machine.home, 'bomb'), 'utf8').split('\n').map(Number);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });

  test('of an environment share so much memory at most', async () => {
    const size = await attacker.ask<number>(
      'import os\nfound = os.statvfs("/dev/shm")\nreturn found.f_blocks * found.f_frsize',
    );
    expect(size).toBe(512 * 1024 * 1024);
  });
});
