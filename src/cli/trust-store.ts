import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { textOf } from '../lib/errors.ts';
import { quotedWhereNeeded } from '../lib/shell.ts';
import { CliError } from './errors.ts';

/** One command that makes a store trust the root. */
export interface TrustStep {
  readonly store: string;
  readonly command: readonly [string, ...string[]];
  readonly needsRoot: boolean;
}

const systemSteps = (caFile: string, name: string): readonly TrustStep[] => {
  const steps = (folder: string, update: string): readonly TrustStep[] => [
    {
      store: 'system',
      command: ['install', '-m', '0644', caFile, join(folder, `${name}.crt`)],
      needsRoot: true,
    },
    { store: 'system', command: [update], needsRoot: true },
  ];
  // "update-ca-certificates(8)" of Debian, "update-ca-trust(8)" of Fedora
  if (existsSync('/usr/sbin/update-ca-certificates'))
    return steps('/usr/local/share/ca-certificates', '/usr/sbin/update-ca-certificates');
  if (existsSync('/usr/bin/update-ca-trust'))
    return steps('/etc/pki/ca-trust/source/anchors', '/usr/bin/update-ca-trust');
  return [];
};

/** Chromium and others read this database of the account, not the system's store. */
const nssSteps = (caFile: string, name: string, home: string): readonly TrustStep[] => {
  const folder = join(home, '.pki', 'nssdb');
  if (!existsSync('/usr/bin/certutil') || !existsSync(folder)) return [];
  const command = [
    '/usr/bin/certutil',
    '-d',
    `sql:${folder}`,
    '-A',
    '-t',
    'C,,',
    '-n',
    name,
    '-i',
    caFile,
  ] as const;
  return [{ store: 'browser (NSS)', command: [...command], needsRoot: false }];
};

/** A name of its own for each root, so that two data folders do not overwrite each other. */
const nameOf = (caFile: string): string => {
  try {
    const certificate = new X509Certificate(readFileSync(caFile));
    return `windsock-${certificate.fingerprint256.replaceAll(':', '').slice(0, 12).toLowerCase()}`;
  } catch (error) {
    throw new CliError(`Cannot use the root certificate ${caFile}.`, {
      why: textOf(error),
      todo: 'Start the server again: windsock start',
      cause: error,
    });
  }
};

/** What has to be done on this machine; empty when no known store is there. Throws CliError. */
export const trustSteps = (o: { caFile: string; home?: string }): readonly TrustStep[] => {
  const name = nameOf(o.caFile);
  return [...systemSteps(o.caFile, name), ...nssSteps(o.caFile, name, o.home ?? homedir())];
};

/** The command as a person types it. */
export const stepText = (step: TrustStep, isRoot: boolean): string =>
  `${step.needsRoot && !isRoot ? 'sudo ' : ''}${step.command.map(quotedWhereNeeded).join(' ')}`;

/**
 * Makes this machine trust the root, as far as this account may. Gives the steps that were done and those that
 * need root. Throws CliError when a step fails.
 */
export const installRoot = async (o: {
  readonly caFile: string;
  readonly isRoot: boolean;
  readonly home?: string;
}): Promise<{ readonly done: readonly TrustStep[]; readonly left: readonly TrustStep[] }> => {
  const steps = trustSteps(o);
  const [done, left] = [
    steps.filter((s) => o.isRoot || !s.needsRoot),
    steps.filter((s) => !o.isRoot && s.needsRoot),
  ];
  for (const step of done) {
    const [program, ...args] = step.command;
    await promisify(execFile)(program, args, { timeout: 60_000 }).catch((error: unknown) => {
      throw new CliError(`This command failed: ${stepText(step, o.isRoot)}`, {
        why: textOf(error),
        cause: error,
      });
    });
  }
  return { done, left };
};
