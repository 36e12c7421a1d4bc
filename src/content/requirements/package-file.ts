/** Name, version, perhaps a build, and three tags ("Binary distribution format" of the Python packaging guide). */
const wheel =
  /^([A-Za-z0-9][A-Za-z0-9._]*)-[A-Za-z0-9._!+]+(?:-\d[A-Za-z0-9._]*)?-[\w.]+-[\w.]+-[\w.]+\.whl$/;

/** Name and version ("Source distribution format" of the same guide); older tools left hyphens in the name. */
const sourceArchive = /^([A-Za-z0-9][A-Za-z0-9._-]*?)-\d[A-Za-z0-9._!+]*\.(?:tar\.gz|zip)$/;

const nameBy = (pattern: RegExp, fileName: string): string | undefined =>
  fileName.length > 300 ? undefined : pattern.exec(fileName)?.[1]?.replace(/[._-]+$/, '');

/** The package that a file name of a wheel names; undefined for any other. */
export const packageOfWheel = (fileName: string): string | undefined => nameBy(wheel, fileName);

/** True of the address of a wheel on this machine: what has any other one must be fetched or built first. */
export const isLocalWheel = (address: string): boolean =>
  address.startsWith('file:') && address.endsWith('.whl');

/** The package that a file name of a wheel or a source archive names; undefined for any other. */
export const packageOfFile = (fileName: string): string | undefined =>
  packageOfWheel(fileName) ?? nameBy(sourceArchive, fileName);
