// What hostile code in a DAG of one environment does at the ports and sockets of another, and of the server.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../harness/accounts.ts';
import { ask, restPath, type Session, signIn } from '../harness/door.ts';
import { databaseOf, roleOf } from '../harness/environment-database.ts';
import { makeNeighbourhood, type Neighbourhood } from '../harness/neighbourhood.ts';
import { isListening } from '../harness/ports.ts';
import { greetPostgres, heardBy, type Probe, stealPort } from '../harness/probing.ts';
import { askForRole } from '../harness/role-credentials.ts';
import { processesAt } from '../harness/server.ts';
import { until } from '../harness/until.ts';

let n: Neighbourhood;
let attacker: Probe;
let victim: Probe;

beforeAll(async () => {
  if (!isRoot) return;
  n = await makeNeighbourhood();
  ({ attacker, victim } = n);
}, 120_000);

afterAll(async () => {
  await n?.remove();
}, 120_000);

const bind = `import socket
def bind(family, address):
    taken = socket.socket(family)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        taken.setsockopt(socket.SOL_SOCKET, option, 1)
    if family == socket.AF_INET6:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    taken.bind((address, port))
    taken.listen()
    return "bound"
return [attempt(bind, socket.AF_INET, "127.0.0.1"), attempt(bind, socket.AF_INET, "0.0.0.0"), attempt(bind, socket.AF_INET6, "::")]`;

/** A task of Airflow 3 as it calls the web server of its environment, with the token that it was given. */
const callOwnServer = `import os, re, subprocess, sys
with open(os.environ["AIRFLOW_CONFIG"]) as file:
    url = re.search("^execution_api_server_url = (.*)$", file.read(), re.MULTILINE).group(1)
code = "import sys, urllib.request as u; print(u.urlopen(u.Request(sys.argv[1], headers={'authorization': 'Bearer of-the-victim'}), timeout=20).read().decode())"
ran = subprocess.run(["/usr/bin/python3", "-c", code, url], capture_output=True, text=True)
return ran.stdout + ran.stderr`;

/** Takes a port, waits for one connection and gives what it is sent over it. */
const takePort = `import socket
taken = socket.socket()
taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
taken.bind(("127.0.0.1", port))
taken.listen()
taken.settimeout(20)
connection = taken.accept()[0]
connection.settimeout(5)
return connection.recv(65536).decode("latin-1")`;

/** A task that asks for its role: again and again while nobody listens. */
const askForOwnRole = `import subprocess, time
code = """import os, urllib.request as u; token = open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read(); u.urlopen(u.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"authorization": token}), timeout=10)"""
said = ""
for _ in range(100):
    said = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True).stderr
    if "Connection refused" not in said:
        break
    time.sleep(0.1)
return said`;

/** The names of all Unix sockets that these processes have (proc(5), /proc/net/unix). */
const socketsOf = (pids: readonly number[]): readonly string[] => {
  const inodes = new Set(
    pids.flatMap((pid) => {
      const folder = `/proc/${pid}/fd`;
      return entriesOf(folder).map((fd) => /^socket:\[(\d+)\]$/.exec(linkAt(join(folder, fd)))?.[1]);
    }),
  );
  const lines = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([, , , , , , inode, name]) =>
    name !== undefined && inodes.has(inode) ? [name] : [],
  );
};

/** Of a process that may have ended meanwhile. */
const entriesOf = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const linkAt = (file: string): string => {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
};

describe.runIf(isRoot)('ports', () => {
  const asked = (session: Session) =>
    ask(n.rig.place, session.hostname, `${restPath(3)}/dags`, { headers: session.headers, seconds: 40 });

  test('that are in use cannot be shared', async () => {
    const { api, door } = n.rig.place.ports;
    const used = [victim.machine.facts().webPort, api];
    if (await isListening(door)) used.push(door);
    for (const port of used)
      for (const answer of await attacker.ask<string[]>(bind, { port }))
        expect(answer, String(port)).toMatch(/^OSError: Address already in use/);
    const free = n.rig.place.ports.all.at(-1);
    expect(await attacker.ask(bind, { port: free })).toContain('bound');
  });

  test('of a web server that is taken while it starts again hears nothing, and is given up', async () => {
    const port = victim.machine.facts().webPort;
    const session = await signIn(n.rig.place, n.rig.mint, 'victim', 3);
    expect((await asked(session)).status).toBe(200);
    expect(await victim.ask(callOwnServer)).toContain('"dags"');
    expect(await attacker.ask(stealPort, { port })).toBe('waiting');
    process.kill(victim.machine.pidOf('webserver') ?? 0, 'SIGKILL');
    await until('the port in other hands', 30, () => heardBy(attacker, 'taken') !== '', 5);
    const answers = await Promise.all(Array.from({ length: 20 }, () => asked(session)));
    for (const { status, text } of answers) {
      expect([502, 503, 504]).toContain(status);
      expect(text).not.toContain('stolen');
    }
    expect(await victim.ask(callOwnServer)).toMatch(/port \d+ is in other hands/);
    await n.rig.wait('another port', 60, async () => (await asked(session)).status === 200);
    expect(victim.machine.facts().webPort).not.toBe(port);
    expect(heardBy(attacker, 'heard')).toBe('');
    expect(heardBy(attacker, 'connections').length).toBeGreaterThan(0);
    // What speaks to it is heard: its own code, for instance.
    await attacker.ask(
      `import socket
spoken = socket.create_connection(("127.0.0.1", port))
spoken.sendall(b"words")
return spoken.recv(100).decode("latin-1")`,
      { port },
    );
    expect(heardBy(attacker, 'heard')).toBe('words');
  });
});

describe.runIf(isRoot)('the port of the API', () => {
  test('is spoken to only while the server holds it: who takes it meanwhile is sent nothing', async () => {
    await n.rig.crash();
    const { api: port } = n.rig.place.ports;
    const [heard, said] = await Promise.all([
      attacker.ask<string>(takePort, { port }),
      victim.ask<string>(askForOwnRole),
    ]);
    expect(said).toContain(`port ${port} is in other hands`);
    expect(heard).toBe('');
    await n.rig.start();
    // its role is in no IAM, which the server says who holds the port now
    expect((await askForRole(victim)).body.code).toBe('ExecutionRoleUnusable');
  });
});

describe.runIf(isRoot)('Unix sockets', () => {
  test('have names only in the folder that nobody else may write to', () => {
    const named = socketsOf(processesAt(n.rig.place).map(({ pid }) => pid));
    expect(named).toContain(join(n.rig.place.data, 'run', '.s.PGSQL.5432'));
    // one that begins with @ is in no folder: whoever is first has it
    expect(named.filter((name) => !name.startsWith(`${n.rig.place.data}/run/`))).toEqual([]);
  });
});

describe.runIf(isRoot)("PostgreSQL's socket", () => {
  test("lets nobody in as Windsock's own roles", async () => {
    const folder = join(n.rig.place.data, 'run');
    for (const user of ['windsock_boot', 'windsock'])
      for (const database of ['postgres', 'windsock', databaseOf(attacker.machine)]) {
        const said = await attacker.ask<string>(greetPostgres, { folder, user, database });
        expect(said).toMatch(/^E.*(Peer authentication failed|no pg_hba)/s);
      }
    const own = { user: roleOf(attacker.machine), database: databaseOf(attacker.machine) };
    expect(await attacker.ask(greetPostgres, { folder, ...own })).toContain('SCRAM-SHA-256');
  });
});
