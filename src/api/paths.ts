import { operations } from '../contract/operations.ts';
import { windsockOperations } from '../contract/windsock-operations.ts';

/** The raw segments by member name; undefined when the path is another one. */
export const matchPath = (pattern: string, path: string): Record<string, string> | undefined => {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const members: Record<string, string> = {};
  for (const [i, piece] of wanted.entries()) {
    const segment = given[i] ?? '';
    if (piece.startsWith('{')) members[piece.slice(1, -1)] = segment;
    else if (piece !== segment) return undefined;
  }
  return members;
};

const patterns = [...Object.values(operations), ...Object.values(windsockOperations)].map(({ uri }) => uri);

/** Whether a path is one of MWAA's or of our own, by any method. */
export const isOwnPath = (path: string): boolean =>
  path === '/' || path === '/health' || patterns.some((pattern) => matchPath(pattern, path) !== undefined);
