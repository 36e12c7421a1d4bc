import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { readHosts, writeHosts } from '../hosts-file.ts';
import { conflictIn, hostsLine, isThereAlready, withHostsLine, withoutHostsLine } from '../hosts-text.ts';
import { unresolvedNames } from '../local-names.ts';
import { endpointFacts, type ServerOptions } from '../server.ts';
import { installRoot, stepText, type TrustStep, trustSteps } from '../trust-store.ts';
import { example, localCommand } from './common.ts';

interface Options extends ServerOptions {
  readonly print?: boolean;
  readonly hosts?: boolean;
  readonly remove?: boolean;
  readonly yes?: boolean;
}

const printSteps = (steps: readonly TrustStep[], context: Context): void => {
  for (const step of steps) context.out(`${stepText(step, context.isRoot)}\n`);
};

const trustRoot = async (options: Options, context: Context): Promise<void> => {
  const caFile = endpointFacts(options, context).ca;
  const home = context.env['HOME'];
  const where = home === undefined ? { caFile } : { caFile, home };
  const steps = trustSteps(where);
  if (steps.length === 0)
    throw new CliError('No known certificate store was found on this machine.', {
      todo: `Import ${caFile} as an authority in your browser or system.`,
    });
  if (options.print) return printSteps(steps, context);
  const { done, left } = await installRoot({ ...where, isRoot: context.isRoot });
  for (const store of new Set(done.map((step) => step.store))) context.out(`Trusted in: ${store}\n`);
  if (left.length === 0) return;
  context.err('These commands need root; run them yourself:\n');
  printSteps(left, context);
};

const hostsFile = '/etc/hosts';

const mayChange = async (what: string, { yes }: Options, context: Context): Promise<void> => {
  if (!context.isRoot)
    throw new CliError(`Only root may change ${hostsFile}.`, {
      todo: `Run this command with sudo, or ask root to ${what}`,
    });
  if (yes) return;
  if (!context.input.isTerminal)
    throw new CliError(`Nobody can be asked whether to ${what}`, {
      todo: 'Add --yes to do it without a question.',
      exitCode: exitCodes.usage,
    });
  const answer = await context.input.line(`Shall I ${what}\nYes or no? [no] `);
  if (!/^y(es)?$/i.test(answer?.trim() ?? '')) throw new CliError('Nothing was changed.');
};

const addNames = async (options: Options, context: Context): Promise<void> => {
  const text = readHosts(hostsFile);
  const conflict = conflictIn(text);
  if (conflict)
    throw new CliError(
      `Line ${conflict.line} of ${hostsFile} leads ${conflict.name} to ${conflict.address}.`,
      {
        why: 'Clients would call that address instead of this server, with signed requests.',
        todo: 'Take the name out of that line first.',
      },
    );
  const wanted = withHostsLine(text);
  if (wanted === text || isThereAlready(text)) return context.out(`${hostsFile} has the names already.\n`);
  await mayChange(`add this line to ${hostsFile}:\n  ${hostsLine}`, options, context);
  writeHosts(hostsFile, wanted);
  context.out(`Added to ${hostsFile}:\n  ${hostsLine}\n`);
  const left = await unresolvedNames(context);
  if (left.length > 0)
    context.err(
      `${left.join(', ')} still cannot be found: this machine does not look into ${hostsFile} (see "hosts" in /etc/nsswitch.conf).\n`,
    );
};

const removeNames = async (options: Options, context: Context): Promise<void> => {
  const text = readHosts(hostsFile);
  const wanted = withoutHostsLine(text);
  if (wanted === text) return context.out(`${hostsFile} has no line of this command.\n`);
  await mayChange(`take this line out of ${hostsFile}:\n  ${hostsLine}`, options, context);
  writeHosts(hostsFile, wanted);
  context.out(`Taken out of ${hostsFile}:\n  ${hostsLine}\n`);
};

const trust = async (options: Options, context: Context): Promise<void> => {
  if (!options.hosts && (options.remove || options.yes))
    throw new CliError('--remove and --yes are for the names: add --hosts.', { exitCode: exitCodes.usage });
  if (!options.hosts) return trustRoot(options, context);
  if (options.print) return context.out(`${hostsLine}\n`);
  return options.remove ? removeNames(options, context) : addNames(options, context);
};

export const trustCommand = (context: Context): Command =>
  localCommand('trust')
    .description("Make this machine's browsers and tools trust the certificates of this server.")
    .option('--print', 'only print the commands, or the line for /etc/hosts')
    .option('--hosts', 'instead make the names known that some AWS clients call: a line in /etc/hosts')
    .option('--remove', 'with --hosts: take the line out again')
    .option('--yes', 'with --hosts: do not ask')
    .addHelpText('after', example('sudo windsock trust', 'sudo windsock trust --hosts'))
    .action((options: Options) => trust(options, context));
