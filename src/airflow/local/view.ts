import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '../../lib/process.ts';
import { quoted } from '../../lib/shell.ts';

/** AIRFLOW_HOME on Amazon MWAA, which DAGs name in their code. */
export const mwaaHome = '/usr/local/airflow';

/**
 * How a process gets a file system of its own: `root` by a mount namespace, `user` by a user namespace around it,
 * `none` not at all.
 */
export type ViewKind = 'root' | 'user' | 'none';

/** What the programs of one environment see of the data folder; paths below it are relative. */
export interface View {
  readonly kind: 'root' | 'user';
  /** The data folder: all that is not named here is covered. */
  readonly data: string;
  readonly readOnly: readonly string[];
  readonly writable: readonly string[];
  /** Seen as /usr/local/airflow; one of `writable`. */
  readonly home: string;
  /** Seen in it, by name; each one of `readOnly`. */
  readonly inHome: Readonly<Record<string, string>>;
  /** Seen as /etc/hosts; in one of `readOnly`. */
  readonly hosts: string | undefined;
  /** MiB of /dev/shm. */
  readonly sharedMemory: number;
  /** Seen in the place of folders that every account of the machine may write to; one of `writable`. */
  readonly temporary: { readonly path: string; readonly at: readonly string[] } | undefined;
}

/** A folder that is in every data folder, and that no program of Airflow needs to see. */
const staging = 'trash';

/**
 * Both covers are made aside and moved into place whole. A read-only bind without `nosuid,nodev` is refused in a user
 * namespace when the disk has these. `-n`: mount(8) writes nothing to /run.
 */
const tools = `set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
m() { mount -n "$@"; }
cover() { m -t tmpfs -o mode=755,nosuid,nodev,size=1m windsock "$aside"; }
rw() { mkdir -p "$aside/$1"; m --bind "$data/$1" "$aside/$1"; }
ro() { rw "$1"; m -o remount,bind,ro,nosuid,nodev "$aside/$1"; }
`;

/** /usr/local as it is, with a folder `airflow` in it that the machine need not have. */
const localFolder = (home: string): string => `cover
for path in /usr/local/* /usr/local/.[!.]*; do
  to=$aside/\${path##*/}
  if [ "$path" = ${mwaaHome} ]; then :
  elif [ -L "$path" ]; then ln -s "$(readlink "$path")" "$to"
  elif [ -d "$path" ]; then mkdir "$to"; m --rbind "$path" "$to"
  elif [ -e "$path" ]; then : >"$to"; m --bind "$path" "$to"
  fi
done
mkdir "$aside/airflow"
m --bind "$data"/${quoted(home)} "$aside/airflow"
m -o remount,bind,ro,nosuid,nodev "$aside"
m --move "$aside" /usr/local
`;

/**
 * The home belongs to the environment's account, which may put a link there at any moment: what is mounted on is the
 * folder that was entered, not what its name leads to by then. Two components may start at once: `-p` takes the folder
 * that the other one made.
 */
const folderInHome = ([name, path]: readonly [string, string]): string => `cd ${mwaaHome}
mkdir -p ${quoted(name)}
cd -P ${quoted(name)}
[ "$(pwd -P)" = ${quoted(join(mwaaHome, name))} ] || { echo ${quoted(`${name} in the home is not a folder`)} >&2; exit 1; }
m -c --bind "$data"/${quoted(path)} .
cd /
`;

/** Nobody else can put anything into these folders, or read what an environment leaves there. */
const ownTemporary = ({ path, at }: NonNullable<View['temporary']>): string =>
  at.map((folder) => `[ ! -d ${folder} ] || m --bind "$data"/${quoted(path)} ${folder}\n`).join('');

/** A file without content takes memory as well: about 1 KiB. */
const mostSharedFiles = 65_536;

const ownSharedMemory = ({ sharedMemory }: View): string =>
  `[ ! -d /dev/shm ] || m -t tmpfs -o mode=1777,nosuid,nodev,size=${sharedMemory}m,nr_inodes=${mostSharedFiles} shm /dev/shm\n`;

/** What a process sees of others is its own namespace (pid_namespaces(7)). */
const ownProcesses = `m -t proc -o nosuid,nodev,noexec proc /proc
`;

/** How a program is put into namespaces of its own. */
export interface Namespaces {
  readonly kind: View['kind'];
  /** Undefined: it sees the file system as it is. */
  readonly view: View | undefined;
  /** It is in a pid namespace. */
  readonly hasPids: boolean;
  readonly account: Account | undefined;
  /** Those of this process. */
  readonly ids: { readonly uid: number; readonly gid: number };
}

/** The signal for the parent's end is lost when the account changes (prctl(2)), so it is asked for after that. */
const become = ({ kind, account, ids, hasPids }: Namespaces): string => {
  const own = kind === 'user' ? `unshare --user --map-user=${ids.uid} --map-group=${ids.gid} ` : '';
  const other = account ? ` --reuid=${account.uid} --regid=${account.gid} --clear-groups` : '';
  const [session, end] = hasPids ? ['setsid ', ' --pdeathsig KILL'] : ['', ''];
  return `exec ${session}${own}setpriv --no-new-privs${other}${end} -- "$@"\n`;
};

const showView = (v: View): string =>
  [
    `data=${quoted(v.data)}\naside=$data/${staging}\n`,
    'cover\nmkdir "$aside/',
    `${staging}"\n`,
    ...v.readOnly.map((path) => `ro ${quoted(path)}\n`),
    ...v.writable.map((path) => `rw ${quoted(path)}\n`),
    'm --move "$aside" "$data"\n',
    localFolder(v.home),
    ...Object.entries(v.inHome).map(folderInHome),
    v.hosts === undefined ? '' : `[ ! -e /etc/hosts ] || m --bind "$data"/${quoted(v.hosts)} /etc/hosts\n`,
    v.temporary === undefined ? '' : ownTemporary(v.temporary),
    ownSharedMemory(v),
    'm -o remount,bind,ro,nosuid,nodev "$data"\n',
  ].join('');

/**
 * A script for sh(1), started in a mount namespace of its own: shows the view, becomes the account and runs its
 * arguments in the same process.
 */
export const namespaceScript = (n: Namespaces): string =>
  [tools, n.view === undefined ? '' : showView(n.view), n.hasPids ? ownProcesses : '', become(n)].join('');

/** A program of util-linux, by its whole path. */
export const utilFile = (name: 'unshare' | 'setpriv'): string | undefined =>
  [`/usr/bin/${name}`, `/bin/${name}`].find((file) => existsSync(file));

/** Its arguments before the program that begins inside. What the machine unmounts later must not stay mounted there. */
export const unshareArguments = (kind: View['kind'], hasPids: boolean): readonly string[] => [
  ...(kind === 'root' ? [] : ['--user', '--map-root-user']),
  ...['--mount', '--propagation', 'slave'],
  ...(hasPids ? ['--pid', '--fork', '--kill-child'] : []),
];
