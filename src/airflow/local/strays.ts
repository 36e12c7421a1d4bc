import { type Belongs, hasVariable, killSelected, treesOf } from '../../lib/process-tree.ts';
import { environmentMark } from './environment-variables.ts';
import { type Facts, inSessionsOf } from './facts.ts';

/** How the processes of one environment are told from all others. */
export interface Owner {
  /** Its folder, by which they are marked. */
  readonly root: string;
  /** The environment's own account, where it has one. */
  readonly uid: number | undefined;
  readonly facts: Facts | undefined;
  readonly bootId: string;
}

const ownUid = process.geteuid?.();

/** Every process of the environment: of its account, else of a session written down, else by its mark. */
export const processesOf = (o: Owner): Belongs => {
  const inSession = inSessionsOf(o.facts, o.bootId);
  const mark = environmentMark(o.root).join('=');
  return (p) => {
    if (o.uid !== undefined) return p.uid === o.uid || inSession(p);
    return inSession(p) || (p.uid === ownUid && hasVariable(p, mark));
  };
};

/**
 * Ends the processes of the environment that are in no tree of these leaders, nor in this server's own (a command
 * that runs just now); false when some survive.
 */
export const endStrays = (o: Owner, leaders: readonly number[]): Promise<boolean> => {
  const belongs = processesOf(o);
  // As the first process of a container this one is given every orphan: then descent says nothing.
  const roots = process.pid === 1 ? leaders : [...leaders, process.pid];
  return killAllBut(roots, belongs);
};

/** KILLs every process that belongs and is in no tree of these leaders; false when some survive. */
export const killAllBut = (leaders: readonly number[], belongs: Belongs): Promise<boolean> =>
  killSelected((all) => {
    const trees = treesOf(all, leaders);
    return all.filter((p) => !trees.has(p.pid) && belongs(p));
  });
