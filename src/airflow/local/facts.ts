import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { type Belongs, killAll, processFacts } from '../../lib/process-tree.ts';

/** A process that was started as a session leader. */
export interface ProcessFact {
  readonly component: string;
  readonly pid: number;
  readonly startTime: number;
  readonly bootId: string;
  readonly generation: number;
}

/** The processes an earlier server wrote down; none when the file is missing or torn. */
export const readFacts = (file: string): readonly ProcessFact[] => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessFact[];
  } catch {
    return [];
  }
};

export const writeFacts = (file: string, facts: readonly ProcessFact[]): void =>
  writeFileAtomic(file, JSON.stringify(facts), { mode: 0o600 });

/**
 * Which living processes belong to these facts. A leader that has ended may have left children in its session;
 * its number is not given to another process while that session lives. A leader of the same number that
 * started at another time is a stranger.
 */
export const belongsTo = (facts: readonly ProcessFact[], bootId: string): Belongs => {
  const ours = facts.filter((fact) => {
    if (fact.bootId !== bootId) return false;
    const leader = processFacts(fact.pid);
    return leader === undefined || leader.startTime === fact.startTime;
  });
  const sessions = new Set(ours.map((fact) => fact.pid));
  const oldest = Math.min(...ours.map((fact) => fact.startTime));
  return (p) => sessions.has(p.sessionId) && p.startTime >= oldest;
};

/** Ends whatever an earlier server left running; false when some processes survive. */
export const endLeftOvers = (
  facts: readonly ProcessFact[],
  bootId: string,
  uid: number | undefined,
): Promise<boolean> => {
  const ours = belongsTo(facts, bootId);
  return killAll((p) => ours(p) || (uid !== undefined && p.uid === uid));
};
