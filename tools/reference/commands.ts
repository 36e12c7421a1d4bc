import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/run.ts';
import { settingsHelp } from '../../src/config/read.ts';
import { page } from './markdown.ts';

const block = (text: string): string => `\`\`\`text\n${text.trim()}\n\`\`\``;

/** `docs/reference/commands.md` */
export const commandsPage = (): string => {
  let printed = '';
  const program = buildProgram({
    env: {},
    out: (text) => {
      printed += text;
    },
    err: () => {},
    input: { isTerminal: false, line: async () => undefined },
    errIsTerminal: false,
    isRoot: false,
    platform: 'linux',
    signal: new AbortController().signal,
  });
  const helpOf = (command: Command): string => {
    printed = '';
    command.outputHelp();
    return printed;
  };
  const section = (command: Command, path: string): readonly string[] => [
    `## ${path}`,
    block(path === 'windsock start' ? settingsHelp() : helpOf(command)),
    ...command.commands
      .filter((child) => child.name() !== 'help')
      .flatMap((child) => section(child, `${path} ${child.name()}`)),
  ];
  return page(
    'Commands',
    `In a clone the command is \`npx windsock\`. \`--json\` is the interface for programs; the texts for people may change.
The exit code is 0 when the command did what it says.`,
    ...section(program, 'windsock'),
  );
};
