/** Control characters, backslashes and what would decode a second time. */
const isAmbiguous = (path: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\\\u2028\u2029]|%[0-9a-f]{2}/i.test(path);

const hasDotSegment = (path: string): boolean => path.split('/').some((s) => /^\.{1,2}(;.*)?$/.test(s));

/**
 * What two programs could read differently in a path that was percent-decoded once: control characters, backslashes,
 * double encoding, `//`, dot segments. Undefined when there is nothing.
 */
export const pathFault = (path: string): string | undefined => {
  if (isAmbiguous(path)) return 'The path holds a control character, a backslash or a double encoding.';
  if (path.includes('//')) return 'The path holds an empty segment.';
  return hasDotSegment(path) ? 'The path holds a dot segment.' : undefined;
};
