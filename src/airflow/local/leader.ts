import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { isAlive, type ProcessId, processFacts, whenEnded } from '../../lib/processes.ts';
import { type Command, commandOf, type Launch } from './launch.ts';

/** How one component of an environment is started. */
export interface ComponentSpec extends Launch {
  readonly name: string;
  readonly logFile: string;
}

/** The leader of a component's session: started by this server, or found running. */
export interface Leader extends ProcessId {
  readonly adopted: boolean;
  /** Resolves after its end was told; of one that was adopted not after `letGo`. */
  readonly ended: Promise<void>;
  /** Stops telling about its end; the process stays as it is. */
  letGo(): void;
}

/** Called once with the reason, for people. */
export type OnEnd = (reason: string) => void;

const spawnGated = ({ file, args, options }: Command, logFile: string) => {
  const out = openSync(logFile, 'a', 0o640);
  try {
    return spawn(file, args, { ...options, detached: true, stdio: ['pipe', out, out] });
  } finally {
    closeSync(out);
  }
};

/**
 * Starts a component as the leader of a session of its own. `record` writes it down before the program begins; when
 * that throws, nothing is started.
 * @throws what the system says when it cannot be started, or what `record` throws
 */
export const startLeader = (spec: ComponentSpec, record: (leader: Leader) => void, onEnd: OnEnd): Leader => {
  const command = commandOf(spec);
  const child = spawnGated(command, spec.logFile);
  const ended = Promise.withResolvers<void>();
  let told = false;
  const end = (reason: string): void => {
    if (!told) {
      told = true;
      onEnd(reason);
    }
    ended.resolve();
  };
  child.once('error', (error) => end(error.message));
  child.once('exit', (code, signal) => end(signal ? `ended by ${signal}` : `ended with exit code ${code}`));
  child.stdin?.on('error', () => {});
  const letGo = () => {
    told = true;
  };
  try {
    const facts = child.pid === undefined ? undefined : processFacts(child.pid);
    if (!facts) throw new Error('the process could not be started');
    const { pid, startTime } = facts;
    const leader = { pid, startTime, adopted: false, ended: ended.promise, letGo };
    record(leader);
    child.stdin?.end(command.words);
    return leader;
  } catch (error) {
    letGo();
    child.stdin?.destroy();
    throw error;
  }
};

/** Goes on with a component that an earlier server started; undefined when it does not live any more. */
export const adoptLeader = (id: ProcessId, onEnd: OnEnd): Leader | undefined => {
  if (!isAlive(id) || processFacts(id.pid)?.sessionId !== id.pid) return undefined;
  const ended = Promise.withResolvers<void>();
  const letGo = whenEnded(id, () => {
    onEnd('ended (an earlier server started it, so how is not known)');
    ended.resolve();
  });
  return { pid: id.pid, startTime: id.startTime, adopted: true, ended: ended.promise, letGo };
};
