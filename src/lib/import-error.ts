/** What a person needs of a traceback. */
export interface ImportError {
  /** The last line of the DAG file itself that was being run; undefined where the text names none. */
  readonly line: number | undefined;
  readonly message: string;
}

const longestMessage = 1_000;

/**
 * What was raised: the first line behind the last frame that is not indented. A message of several lines goes on behind it,
 * with advice mostly. Else the last line that says something.
 */
const raised = (lines: readonly string[]): string => {
  const frame = lines.findLastIndex((line) => /^\s+File "/.test(line));
  const first = frame === -1 ? undefined : lines.slice(frame).find((line) => /^\S/.test(line));
  return first ?? lines.findLast((line) => /[^\s^~]/.test(line)) ?? 'Airflow gave no reason';
};

/** Airflow's text of an import error, for the DAG file at this path below its DAGs folder. */
export const importErrorOf = (path: string, text: string): ImportError => {
  const lines = text.split('\n');
  const own = lines.flatMap((line) => {
    const found = /^\s*File "(.+)", line (\d+)/.exec(line);
    return found?.[1] === path || found?.[1]?.endsWith(`/${path}`) ? [Number(found[2])] : [];
  });
  return { line: own.at(-1), message: raised(lines).trim().slice(0, longestMessage) };
};
