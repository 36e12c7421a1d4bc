/** Name, version, perhaps a build, and three tags ("Binary distribution format" of the Python packaging guide). */
const wheel =
  /^([A-Za-z0-9][A-Za-z0-9._]*)-[A-Za-z0-9._!+]+(?:-\d[A-Za-z0-9._]*)?-[\w.]+-[\w.]+-[\w.]+\.whl$/;

/** The package that a file name of a wheel names; undefined for any other. */
export const packageOfWheel = (fileName: string): string | undefined =>
  fileName.length > 300 ? undefined : wheel.exec(fileName)?.[1]?.replace(/[._]+$/, '');
