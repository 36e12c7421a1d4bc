import { prepareRequirements } from './prepare.ts';
import type { PreparedRequirements, RequirementsContext } from './prepared.ts';
import { RequirementsRefused } from './refused.ts';

const hosts = new Set(['pypi.org', 'files.pythonhosted.org', 'index.example.com', 'index.example.com:8443']);

/** For tests only: a context with Airflow 2.10.3, those hosts, and files by their place on this machine. */
export const contextWith = (
  o: Partial<RequirementsContext> & { readonly files?: Readonly<Record<string, string | Uint8Array>> } = {},
): RequirementsContext => ({
  airflowVersion: '2.10.3',
  folders: { '/usr/local/airflow/dags': '/e/dags', '/usr/local/airflow/plugins': '/e/plugins' },
  variables: {},
  essentialPins: '# held\napache-airflow==2.10.3\nFlask==2.2.5\n',
  shippedConstraints: (version) =>
    version === '2.7.2' || version === '2.10.3' ? `sqlparse==0.5.1\n` : undefined,
  allowsHost: (host) => hosts.has(host),
  allowsPlainHttp: () => false,
  readFile: async (path) => {
    const found = o.files?.[path];
    return typeof found === 'string' ? Buffer.from(found) : found;
  },
  ...o,
});

export const prepared = (
  text: string | Uint8Array,
  context: RequirementsContext = contextWith(),
): Promise<PreparedRequirements> =>
  prepareRequirements({ name: 'requirements.txt', bytes: Buffer.from(text) }, context);

/** The refusal of a text; fails when it is not refused. */
export const refusal = async (
  text: string | Uint8Array,
  context: RequirementsContext = contextWith(),
): Promise<RequirementsRefused> => {
  const error = await prepared(text, context).then(
    () => new Error('It was taken'),
    (e: unknown) => e,
  );
  if (error instanceof RequirementsRefused) return error;
  throw error;
};
