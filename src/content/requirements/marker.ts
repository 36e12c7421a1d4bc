import { Unfit } from './refused.ts';

/** A part of an environment marker (PEP 508): parenthesis, quoted text, comparison, word. No two begin alike. */
const token = /\s*(\(|\)|'[^'\\]*'|"[^"\\]*"|[<>=!~]{1,3}|[A-Za-z_][A-Za-z0-9_.]*)/y;

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

/**
 * The marker with single blanks between its parts. Throws Unfit for what can be no part of one; whether the parts make sense
 * together is for the installer to say.
 */
export const markerOf = (text: string): string => {
  const trimmed = text.trim();
  const parts: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length) {
    const part = token.exec(trimmed)?.[1];
    if (part === undefined || !isPlain(part))
      throw new Unfit(
        'What stands behind the ; is no environment marker',
        'Write it like python_version < "3.12" and sys_platform == "linux"',
      );
    parts.push(part);
  }
  return parts.join(' ');
};
