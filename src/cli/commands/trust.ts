import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { endpointFacts, type ServerOptions } from '../server.ts';
import { installRoot, stepText, type TrustStep, trustSteps } from '../trust-store.ts';
import { example, localCommand } from './common.ts';

const printSteps = (steps: readonly TrustStep[], context: Context): void => {
  for (const step of steps) context.out(`${stepText(step, context.isRoot)}\n`);
};

const trust = async (options: ServerOptions & { print?: boolean }, context: Context): Promise<void> => {
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

export const trustCommand = (context: Context): Command =>
  localCommand('trust')
    .description("Make this machine's browsers and tools trust the certificates of this server.")
    .option('--print', 'only print the commands')
    .addHelpText('after', example('sudo windsock trust'))
    .action((options: ServerOptions & { print?: boolean }) => trust(options, context));
