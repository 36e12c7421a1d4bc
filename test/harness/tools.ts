import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isBuilt } from '../../tools/built.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** What tools/test-setup.ts has put in place. */
export const tools = (): {
  readonly clients: string;
  readonly browser: string;
  /** Data folders to begin with: `plain` and `airflow`. */
  readonly golden?: string;
  /** Node's cache of compiled code. */
  readonly compileCache?: string;
} => JSON.parse(readFileSync(`${repository}/.cache/test-tools.json`, 'utf8'));

const passed =
  /^(PATH|LANG|LC_ALL|TERM|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|(HTTPS?|ALL|NO)_PROXY|PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT)|UV_(INDEX_URL|DEFAULT_INDEX|EXTRA_INDEX_URL|INDEX|PYTHON_INSTALL_MIRROR|SYSTEM_CERTS)|npm_config_(registry|cafile|proxy|https_proxy|noproxy))$/i;

/** The caller's environment without what would disturb: only how to find programs and packages. */
export const plainEnvironment = (home: string): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => passed.test(entry[0]) && entry[1] !== undefined,
    ),
  ),
  HOME: home,
});

/** For programs of this checkout that run as this account: they need not compile what an earlier one has compiled. */
export const compiled = (): Record<string, string> => {
  const { compileCache } = tools();
  return compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache };
};

let built: boolean | undefined;

/**
 * The file of a program of this checkout: as it is built for the package, which starts faster, or its source when that
 * has changed since.
 */
export const windsockProgram = (name: 'main' | 'cli/main'): string => {
  built ??= isBuilt();
  return built ? `${repository}/dist/${name}.js` : `${repository}/src/${name}.ts`;
};
