import { killAccount, killAll } from '../../lib/end-processes.ts';
import type { Description } from '../../lib/process-selection.ts';
import { environmentMark } from './environment-variables.ts';
import { type Facts, sessionsOf } from './facts.ts';

/** How the processes of one environment are told from all others. */
export interface Owner {
  /** Its folder, by which they are marked. */
  readonly root: string;
  /** The environment's own account, where it has one. */
  readonly uid: number | undefined;
  readonly facts: Facts | undefined;
  readonly bootId: string;
}

const ownUid = process.geteuid?.() ?? -1;

/** Every process of the environment: of its account, else of a session written down, else by its mark. */
export const processesOf = (o: Owner): readonly Description[] => {
  const own =
    o.uid === undefined ? { uid: ownUid, variable: environmentMark(o.root).join('=') } : { uid: o.uid };
  return [own, ...sessionsOf(o.facts, o.bootId, own.uid)];
};

/**
 * Ends the processes of the environment that are in no tree of these leaders, nor in this server's own (a command
 * that runs just now); false when some survive.
 */
export const endStrays = (o: Owner, leaders: readonly number[]): Promise<boolean> => {
  // As the first process of a container this one is given every orphan: then descent says nothing.
  const roots = process.pid === 1 ? leaders : [...leaders, process.pid];
  return killAll({ anyOf: processesOf(o), outsideTreesOf: roots });
};

/** Ends every process of the environment, the commands of this server among them; false when some survive. */
export const endAllOf = async (o: Owner): Promise<boolean> => {
  const gone = o.uid === undefined || (await killAccount(o.uid));
  return (await killAll({ anyOf: processesOf(o) })) && gone;
};
