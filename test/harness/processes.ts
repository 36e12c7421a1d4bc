import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface FoundProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly command: string;
}

const text = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

const link = (file: string): string => {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
};

const facts = (
  pid: number,
): (FoundProcess & { readonly hasEnded: boolean; readonly mentions: string }) | undefined => {
  const status = text(`/proc/${pid}/status`);
  if (status === '') return undefined;
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  const state = field('State');
  const command = text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  const mentions = [
    command,
    text(`/proc/${pid}/environ`),
    link(`/proc/${pid}/exe`),
    link(`/proc/${pid}/cwd`),
    mountsOf(pid),
  ].join('\n');
  return {
    pid,
    ppid: Number(field('PPid')),
    uid: Number(field('Uid')),
    // the state is that of the first thread; X is what is just being removed
    hasEnded: /[Xx]/.test(state) || (state === 'Z' && Number(field('Threads')) <= 1),
    command,
    mentions,
  };
};

const all = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => facts(Number(name)) ?? [])
    .filter((p) => p.pid !== process.pid && !p.hasEnded);

/**
 * The mounts that make the view of a process, where it has one of its own: they name the data folder, whatever it calls
 * its own paths. All others it has from the machine, and they may be anybody's.
 */
export const mountsOf = (pid: number): string => {
  if (link(`/proc/${pid}/ns/mnt`) === link('/proc/self/ns/mnt')) return '';
  const lines = text(`/proc/${pid}/mountinfo`).split('\n');
  const pointOf = (line: string): string => line.split(' ')[4] ?? '';
  // covers are mounted with this name (src/airflow/local/view.ts)
  const covers = lines.filter((line) => line.includes(' - tmpfs windsock ')).map(pointOf);
  const isOfView = (point: string): boolean =>
    covers.some((cover) => point === cover || point.startsWith(`${cover}/`));
  return lines.filter((line) => isOfView(pointOf(line))).join('\n');
};

/** Living processes that name the folder in command, environment, program, working directory or mounts, or have one of the uids. */
export const processesOf = (folder: string, uids: readonly number[] = []): readonly FoundProcess[] =>
  all()
    .filter((p) => p.mentions.includes(folder) || uids.includes(p.uid))
    .map(({ pid, ppid, uid, command }) => ({ pid, ppid, uid, command }));

/** The command lines of all processes of the machine. */
export const everyCommand = (): readonly string[] => all().map(({ command }) => command);

/** The environment of a process, as it was started. */
export const environmentOf = (pid: number): string => text(`/proc/${pid}/environ`).replaceAll('\0', '\n');
