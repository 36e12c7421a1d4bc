import { pathToFileURL } from 'node:url';
import { slices } from '../../lib/turns.ts';
import { airflowConstraintsAt } from './addresses.ts';
import { Collected, trusted } from './collected.ts';
import { decode, limits } from './decode.ts';
import { handRequirement } from './hand-requirement.ts';
import { type FileLines, logicalLines } from './lines.ts';
import { type NamedFile, namedFile } from './named-file.ts';
import type { Option } from './options.ts';
import { isLocalWheel } from './package-file.ts';
import { parseLine } from './parse.ts';
import { airflowHome } from './places.ts';
import type { Constraints, HandedLine, PreparedRequirements, RequirementsContext } from './prepared.ts';
import { located, RequirementsRefused, type SourceLine, Unfit } from './refused.ts';
import { shownLine } from './shown.ts';
import { takeOption } from './take-option.ts';
import { expand } from './variables.ts';

export interface RequirementsFile {
  /** As in messages: `requirements.txt`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Walk {
  readonly context: RequirementsContext;
  readonly collected: Collected;
  readonly pause: () => Promise<void>;
}

/** A file that is being read. */
interface Reading {
  readonly file: NamedFile;
  readonly isConstraints: boolean;
  /** The files that led here, and this one. */
  readonly names: readonly string[];
  /** Where its requirements go. */
  readonly into: HandedLine[];
}

const readLines = (walk: Walk, file: NamedFile, bytes: Uint8Array): FileLines => {
  const whole: SourceLine = { file: file.shown, line: 0, text: '' };
  const found = located(whole, false, () => {
    const lines = logicalLines(decode(bytes));
    walk.collected.countFile(bytes.length, lines.count);
    return lines;
  });
  if (found.tooLong === undefined) return found;
  const source = { file: file.shown, line: found.tooLong, text: '' };
  throw new RequirementsRefused(source, `The line has more than ${limits.lineLength} characters`, 'Split it');
};

const isFile = (option: Option): boolean => option.does === 'requirement' || option.does === 'constraint';

/** Constraints that are shipped are taken without a look at any network. Gives whether the option named such. */
const takeShipped = ({ context, collected }: Walk, { does, value }: Option): boolean => {
  const asked = does === 'constraint' ? airflowConstraintsAt(value) : undefined;
  if (asked === undefined) return false;
  const text = context.shippedConstraints(asked.version, asked.python);
  const name = `the constraints of Airflow ${asked.version}`;
  const isThere = collected.constraints.some((there) => there.from === 'shipped' && there.name === name);
  if (text !== undefined && !isThere) collected.constraints.push(trusted('shipped', name, text));
  if (text !== undefined) return true;
  if (context.fetch === undefined || !context.allowsHost('raw.githubusercontent.com'))
    throw new Unfit(
      'Windsock does not have the constraints of this Airflow release',
      `Name those of Airflow ${context.airflowVersion}, or put the file into the DAG folder and name it by its full path`,
      asked.version,
    );
  return false;
};

const mayFollow = (reading: Reading, option: Option): void => {
  if (reading.isConstraints && option.does === 'requirement')
    throw new Unfit('A file of constraints cannot name requirements', 'Name them in requirements.txt');
  if (reading.names.length > limits.depth)
    throw new Unfit(`Files name each other more than ${limits.depth} deep`, 'Put them into fewer files');
};

const follow = async (walk: Walk, reading: Reading, source: SourceLine, option: Option, hidden: boolean) => {
  if (located(source, hidden, () => takeShipped(walk, option))) return;
  const next = located(source, hidden, () => {
    mayFollow(reading, option);
    const found = namedFile(option.value, reading.file, walk.context);
    // the name could give away the value of a variable
    const file = hidden ? { ...found, shown: source.text } : found;
    if (reading.names.includes(found.key))
      throw new Unfit('The file names itself', 'Take the line out', found.shown);
    return { found, file };
  });
  const bytes = await next.found.read();
  located(source, hidden, () => {
    if (bytes === undefined)
      throw new Unfit('There is no such file', 'Put it into the DAG folder or plugins.zip', next.found.shown);
  });
  const isConstraints = option.does === 'constraint';
  const into: HandedLine[] = isConstraints ? [] : reading.into;
  const names = [...reading.names, next.found.key];
  await read(walk, { file: next.file, isConstraints, names, into }, bytes ?? new Uint8Array());
  if (isConstraints) walk.collected.addConstraints(next.file.shown, into);
};

const readLine = async (walk: Walk, reading: Reading, text: string, source: SourceLine): Promise<void> => {
  // who wrote a file of the web gets none of the environment's values
  const variables = reading.file.isOfTheWeb ? {} : walk.context.variables;
  const { text: whole, names } = located(source, true, () => expand(text, variables));
  const hidden = names.length > 0;
  for (const name of names) walk.collected.concealed.set(variables[name] ?? '', `\${${name}}`);
  const line = located(source, hidden, () => parseLine(whole));
  located(source, hidden, () => {
    if (line.requirement) {
      const to = { collected: walk.collected, context: walk.context, source };
      const handed = handRequirement(line.requirement, line.options, to);
      // uv would fetch it for the installer, and follow where it leads
      if (reading.isConstraints && handed.address !== undefined && !isLocalWheel(handed.address))
        throw new Unfit('A constraint cannot have an address', 'Name the address in requirements.txt');
      reading.into.push(handed);
    } else if (reading.file.isOfTheWeb)
      throw new Unfit('A file of the web can only name packages', 'Name this here');
    else for (const option of line.options) if (!isFile(option)) takeOption(option, { ...walk, source });
  });
  if (line.requirement) return;
  for (const option of line.options.filter(isFile)) await follow(walk, reading, source, option, hidden);
};

const read = async (walk: Walk, reading: Reading, bytes: Uint8Array): Promise<FileLines> => {
  const found = readLines(walk, reading.file, bytes);
  for (const { line, text } of found.lines) {
    await walk.pause();
    await readLine(walk, reading, text, { file: reading.file.shown, line, text: shownLine(text) });
  }
  return found;
};

/** As on Amazon MWAA, whoever has constraints in a comment wants none but the essential ones. */
const choose = (theirs: readonly Constraints[], isCommented: boolean): PreparedRequirements['chosen'] => {
  if (theirs.some((constraints) => constraints.from === 'theirs')) return 'theirs';
  if (theirs.length > 0) return 'shipped';
  return isCommented ? 'none' : 'forced';
};

const heldFor = (chosen: PreparedRequirements['chosen'], context: RequirementsContext): Constraints[] => {
  const { airflowVersion: version, essentialPins } = context;
  const essential = trusted('essential', "MWAA's essential packages", essentialPins);
  const forced = chosen === 'forced' ? context.shippedConstraints(version) : undefined;
  if (forced === undefined) return [essential];
  return [essential, trusted('forced', `the constraints of Airflow ${version}`, forced)];
};

/**
 * Reads a requirements.txt as pip does and makes of it what uv may see. Nothing is handed on that was not understood:
 * each requirement is spelled anew, each address was allowed, each path is in the folders.
 * @throws RequirementsRefused, and whatever the reader throws
 */
export const prepareRequirements = async (
  { name, bytes }: RequirementsFile,
  context: RequirementsContext,
): Promise<PreparedRequirements> => {
  const collected = new Collected();
  for (const [seen, real] of Object.entries(context.folders))
    for (const spelled of [real, pathToFileURL(real).pathname]) collected.concealed.set(spelled, seen);
  const key = `${airflowHome}/requirements/${name}`;
  const file: NamedFile = {
    key,
    shown: name,
    folder: `${airflowHome}/requirements`,
    isOfTheWeb: false,
    read: async () => bytes,
  };
  const walk = { context, collected, pause: slices() };
  const reading = { file, isConstraints: false, names: [key], into: collected.requirements };
  const { commentedConstraints } = await read(walk, reading, bytes);
  const chosen = choose(collected.constraints, commentedConstraints.length > 0);
  return collected.result(chosen, heldFor(chosen, context));
};
