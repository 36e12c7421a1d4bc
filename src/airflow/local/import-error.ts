/** What a person needs of a traceback. */
export interface ImportError {
  /** The last line of the DAG file itself that was being run; undefined where the text names none. */
  readonly line: number | undefined;
  readonly message: string;
}

const longestMessage = 1_000;

/** Airflow's text of an import error, for the DAG file at this path below its DAGs folder. */
export const importErrorOf = (path: string, text: string): ImportError => {
  const lines = text.split('\n').map((line) => line.trim());
  const own = lines.flatMap((line) => {
    const found = /^File "(.+)", line (\d+)/.exec(line);
    return found?.[1] === path || found?.[1]?.endsWith(`/${path}`) ? [Number(found[2])] : [];
  });
  const last = lines.findLast((line) => line !== '' && !/^[\^~]+$/.test(line)) ?? 'Airflow gave no reason';
  return { line: own.at(-1), message: last.slice(0, longestMessage) };
};
