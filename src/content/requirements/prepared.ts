import type { AddressRules } from './addresses.ts';
import type { Folders } from './places.ts';
import type { SourceLine } from './refused.ts';
import type { Variables } from './variables.ts';

/** What stands on a line of a text that is handed on. */
export interface HandedLine {
  readonly source: SourceLine;
  readonly text: string;
  /** Normalised (PEP 503); undefined for a line that names no package. */
  readonly name: string | undefined;
  /** `>=1,<2`; empty for any version. */
  readonly specifier: string;
  /** Where the package is to be fetched, or a file: address. May have credentials. */
  readonly address: string | undefined;
  /** The requirement without its address and hashes. */
  readonly byName: string;
}

/** A text for uv, line by line: `lines[i]` is its line i + 1. */
export interface HandedText {
  readonly text: string;
  readonly lines: readonly HandedLine[];
}

/** Essential: held by Windsock, always there. Forced: Airflow's, because the file names none. */
export type ConstraintOrigin = 'essential' | 'forced' | 'shipped' | 'theirs';

export interface Constraints extends HandedText {
  readonly from: ConstraintOrigin;
  /** As said to people: `MWAA's essential packages`, `the constraints of Airflow 2.7.2`, or the file. */
  readonly name: string;
}

/** An address that packages are looked for at. */
export interface Index {
  /** May have credentials: belongs neither into a log nor into the arguments of a process. */
  readonly href: string;
  readonly source: SourceLine;
}

export interface Dropped extends SourceLine {
  readonly why: string;
}

export interface PreparedRequirements {
  /** Every line is a requirement in its plainest spelling, with its hashes. May have credentials in an address. */
  readonly requirements: HandedText;
  /** In the order in which they were met; the essential ones come first. */
  readonly constraints: readonly Constraints[];
  /**
   * Whose constraints hold beside the essential ones: Airflow's because the file says nothing, none because it has them in a
   * comment, Airflow's that it names, or, of one file at least, others.
   */
  readonly chosen: 'forced' | 'none' | 'shipped' | 'theirs';
  /** Instead of the one of the machine. */
  readonly index: Index | undefined;
  readonly extraIndexes: readonly Index[];
  /** Folders by their place on this machine, and addresses. */
  readonly findLinks: readonly Index[];
  readonly noIndex: boolean;
  /** Any address that is handed on has a name or a password in it. */
  readonly hasCredentials: boolean;
  /** Asked for, or a requirement has a hash: then pip wants one of everything. */
  readonly requireHashes: boolean;
  /** --pre: versions before a release are taken too. */
  readonly prereleases: boolean;
  /** Values of --no-binary and --only-binary in their order: names of packages, `:all:`, `:none:`. */
  readonly noBinary: readonly string[];
  readonly onlyBinary: readonly string[];
  /** To be logged: what has no meaning here. */
  readonly dropped: readonly Dropped[];
  /** Wheels in the folders, by their place on this machine, each once. */
  readonly localWheels: readonly string[];
  /** What must not be seen in what uv says, and what stands there instead: values of variables, places of folders. */
  readonly concealed: readonly { readonly text: string; readonly as: string }[];
}

export interface RequirementsContext extends AddressRules {
  readonly airflowVersion: string;
  /** `/usr/local/airflow/dags` and `/usr/local/airflow/plugins`, with where they are for whoever runs uv. */
  readonly folders: Folders;
  /** For `${NAME}`. */
  readonly variables: Variables;
  /** Text of the pins that nothing can change. */
  readonly essentialPins: string;
  /** Text of the constraints of an Airflow release that Windsock ships; undefined of any other. Without a Python, the usual one. */
  shippedConstraints(version: string, python?: string): string | undefined;
  /**
   * Bytes of a file in one of the folders, by its place on this machine; undefined when there is none. Must not follow a
   * symbolic link out of them, nor read more than `limits.bytes` and one.
   */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /**
   * Bytes at an address whose host is allowed; one that it leads on to must be too. Without this function requirement files
   * may not name files of the web, but for Airflow's constraints that Windsock ships.
   */
  fetch?: ((url: URL) => Promise<Uint8Array>) | undefined;
}
