import { createHash } from 'node:crypto';
import { strToU8, zipSync } from 'fflate';

const recordLine = (path: string, text: string): string =>
  `${path},sha256=${createHash('sha256').update(text).digest('base64url')},${Buffer.byteLength(text)}`;

export interface WheelOptions {
  readonly name: string;
  readonly version: string;
  /** By path below site-packages. */
  readonly files: Readonly<Record<string, string>>;
  readonly requires?: readonly string[];
  /** What its RECORD says of these files, where that is not true. */
  readonly claimed?: Readonly<Record<string, string>>;
}

/** The name of its file (PyPA, "Binary distribution format"). */
export const wheelName = ({ name, version }: Pick<WheelOptions, 'name' | 'version'>): string =>
  `${name}-${version}-py3-none-any.whl`;

/** A wheel of plain Python. */
export const wheel = ({ name, version, files, requires = [], claimed = {} }: WheelOptions): Uint8Array => {
  const info = `${name}-${version}.dist-info`;
  const metadata = ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`];
  const all: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: `${[...metadata, ...requires.map((one) => `Requires-Dist: ${one}`)].join('\n')}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = Object.entries({ ...all, ...claimed }).map(([path, text]) => recordLine(path, text));
  all[`${info}/RECORD`] = `${[...record, `${info}/RECORD,,`].join('\n')}\n`;
  return zipOf(all);
};

/** A zip archive of these files. */
export const zipOf = (files: Readonly<Record<string, string | Uint8Array>>): Uint8Array =>
  zipSync(
    Object.fromEntries(
      Object.entries(files).map(([path, bytes]) => [
        path,
        typeof bytes === 'string' ? strToU8(bytes) : bytes,
      ]),
    ),
  );
