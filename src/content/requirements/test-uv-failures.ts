/** For tests only: what uv 0.13.8 printed when it failed, but for ports and folders, with the file that it was given. */
export interface UvSample {
  readonly what: string;
  readonly file: string;
  readonly stderr: string;
  /** Numbers of the lines that it is about. */
  readonly lines: readonly number[];
  /** What is said of pins. */
  readonly pins: readonly string[];
  /** A part of the reason. */
  readonly reason: string;
}

const unsolved = 'error: No solution found when resolving dependencies\n  cause: ';
const forced = 'the constraints of Airflow 2.7.2';

/** Resolved under the constraints of Airflow 2.7.2, but for those that tell of another Python. */
export const uvFailures: readonly UvSample[] = [
  {
    what: 'no such package',
    file: 'requests\nwindsock-no-such-package==1.0',
    stderr: `${unsolved}Because windsock-no-such-package was not found in the package registry and you require windsock-no-such-package==1.0, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [2], pins: [], reason: 'was not found in the package registry' },
  },
  {
    what: 'a build that fails, without what it printed before',
    file: 'requests\n/usr/local/airflow/plugins/windsock_built-1.0.zip',
    stderr: `error: Failed to build \`windsock-built @ file:///e/plugins/windsock_built-1.0.zip\`
  cause: The build backend returned an error
  cause: Call to \`backend.build_wheel\` failed (exit status: 1)

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 11, in <module>
         RuntimeError: no compiler

hint: Build failures usually indicate a problem with the package or the build environment
`,
    ...{ lines: [2], pins: [], reason: 'failed (exit status: 1) RuntimeError: no compiler — Build failures' },
  },
  {
    what: 'no such version',
    file: 'polars==99.0\nrequests',
    stderr: `${unsolved}Because there is no version of polars==99.0 and you require polars==99.0, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [1], pins: [], reason: 'there is no version of polars==99.0' },
  },
  {
    what: 'a conflict with an essential pin',
    file: 'requests\nFlask==3.0.0',
    stderr: `${unsolved}Because you require flask==3.0.0 and flask==2.2.5, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [2], reason: 'you require flask==3.0.0' },
    pins: ["flask==2.2.5 is pinned by MWAA's essential packages"],
  },
  {
    what: 'a conflict with a constraint of Airflow',
    file: 'boto3==1.34.0\napache-airflow-providers-amazon',
    stderr: `${unsolved}Because you require boto3==1.34.0 and boto3==1.28.17, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [1], pins: [`boto3==1.28.17 is pinned by ${forced}`], reason: 'boto3==1.28.17' },
  },
  {
    what: 'a conflict of what a package needs with a constraint',
    file: 'requests\ndbt-core==1.9.0',
    stderr: `${unsolved}Because dbt-core==1.9.0 depends on sqlparse>=0.5.0,<0.6.0 and sqlparse==0.4.4, we can conclude that dbt-core==1.9.0 cannot be used.
         And because you require dbt-core==1.9.0, we can conclude that your requirements are unsatisfiable.\n`,
    ...{
      lines: [2],
      pins: [`sqlparse==0.4.4 is pinned by ${forced}`],
      reason: 'depends on sqlparse>=0.5.0,<0.6.0',
    },
  },
  {
    what: 'a conflict over several versions',
    file: 'pandas; python_version<"3.10"\ndbt-core>=1.9,<1.10\ndbt-snowflake>=1.9',
    stderr: `${unsolved}Because dbt-core>=1.9.0,<=1.9.11 depends on sqlparse>=0.5.0,<0.6.0 and sqlparse==0.4.4, we can conclude that dbt-core>=1.9.0,<=1.9.11 cannot be used.
         And because only the following versions of dbt-core are available:
             dbt-core<=1.9.11
             dbt-core>=1.10
         and you require dbt-core>=1.9,<1.10, we can conclude that your requirements are unsatisfiable.\n`,
    ...{
      lines: [2],
      pins: [`sqlparse==0.4.4 is pinned by ${forced}`],
      reason: 'dbt-core>=1.10 and you require',
    },
  },
  {
    what: 'another Airflow',
    file: 'apache-airflow==2.8.0',
    stderr: `${unsolved}Because apache-airflow==2.8.0 depends on fsspec>=2023.10.0 and fsspec==2023.9.2, we can conclude that apache-airflow==2.8.0 cannot be used.
         And because you require apache-airflow==2.8.0, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [1], pins: [`fsspec==2023.9.2 is pinned by ${forced}`], reason: 'fsspec' },
  },
  {
    what: 'two lines about one package',
    file: 'polars==1.1.0\nsix\npolars>=1.2',
    stderr: `${unsolved}Because you require polars==1.1.0 and polars>=1.2, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [1, 3], pins: [], reason: 'polars>=1.2' },
  },
  {
    what: 'two packages that need different versions of a third',
    file: 'boto3==1.34.0\naiobotocore==2.5.0\ns3fs>=2023',
    stderr: `${unsolved}Because aiobotocore==2.5.0 depends on botocore>=1.29.76,<1.29.77 and boto3==1.34.0 depends on botocore>=1.34.0,<1.35.0, we can conclude that aiobotocore==2.5.0 and boto3==1.34.0 are incompatible.
         And because you require boto3==1.34.0 and aiobotocore==2.5.0, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [1, 2], pins: [], reason: 'are incompatible' },
  },
  {
    what: 'a line that no version fits',
    file: 'requests>=2,<1',
    stderr: `${unsolved}you require requests<1 and requests>=2, which are incompatible\n`,
    ...{ lines: [1], pins: [], reason: 'which are incompatible' },
  },
  {
    what: 'another Python',
    file: 'networkx==3.6\nnumpy==2.4',
    stderr: `${unsolved}Because the requested Python version (>=3.10) does not satisfy Python>=3.11 and networkx==3.6 depends on Python>=3.11, we can conclude that networkx==3.6 cannot be used.
         And because you require networkx==3.6, we can conclude that your requirements are unsatisfiable.

hint: The \`--python-version\` value (>=3.10) includes Python versions that are not supported by your dependencies (e.g., networkx==3.6 only supports >=3.11). Consider using a higher \`--python-version\` value.\n`,
    ...{ lines: [1], pins: [], reason: 'depends on Python>=3.11' },
  },
  {
    what: 'wheels for other Pythons only',
    file: 'six\ntensorflow==2.9.0',
    stderr: `${unsolved}Because tensorflow==2.9.0 has no wheels with a matching Python ABI tag (e.g., \`cp311\`) and you require tensorflow==2.9.0, we can conclude that your requirements are unsatisfiable.

hint: You require CPython 3.11 (\`cp311\`), but we only found wheels for \`tensorflow\` (v2.9.0) with the following Python ABI tags: \`cp37m\`, \`cp38\`, \`cp39\`, \`cp310\`\n`,
    ...{ lines: [2], pins: [], reason: '`cp310`' },
  },
  {
    what: 'a source build that is not allowed',
    file: 'six\npython-nvd3==0.15.0',
    stderr: `${unsolved}Because python-nvd3==0.15.0 has no usable wheels and you require python-nvd3==0.15.0, we can conclude that your requirements are unsatisfiable.

hint: Wheels are required for \`python-nvd3\` because building from source is disabled for all packages (i.e., with \`--no-build\`)\n`,
    ...{ lines: [2], pins: [], reason: 'building from source is disabled' },
  },
  {
    what: 'a source build that failed',
    file: 'six\nbrokenpkg==1.0',
    stderr: `error: Failed to download and build \`brokenpkg==1.0\`
  cause: Failed to resolve requirements from \`setup.py\` build
  cause: No solution found when resolving: \`setuptools>=40.8.0\`
  cause: Because setuptools was not found in the provided package locations and you require setuptools>=40.8.0, we can conclude that your requirements are unsatisfiable.\n`,
    ...{ lines: [2], pins: [], reason: 'setuptools was not found' },
  },
  {
    what: 'an index that cannot be reached',
    file: 'polars\n--index-url https://localhost:1/simple',
    stderr: `error: Request failed after 3 retries in 7.9s
  cause: Failed to fetch: https://localhost:1/simple/polars/
  cause: error sending request for url (https://localhost:1/simple/polars/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)\n`,
    ...{ lines: [2], pins: [], reason: 'Connection refused' },
  },
  {
    what: 'an index that answers 500',
    file: '-i https://user:secretword@localhost:18500/simple\npolars',
    stderr: `error: Request failed after 3 retries in 9.8s
  cause: Failed to fetch: https://localhost:18500/simple/polars/
  cause: HTTP status server error (500 Internal Server Error) for url (https://localhost:18500/simple/polars/)\n`,
    ...{ lines: [1], pins: [], reason: '500 Internal Server Error' },
  },
  {
    what: 'an index that wants other credentials',
    file: 'six\n-i https://user:secretword@localhost:18401/simple\npolars',
    stderr: `${unsolved}Because polars was not found in the package registry and you require polars, we can conclude that your requirements are unsatisfiable.

hint: An index URL (https://localhost:18401/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)\n`,
    ...{ lines: [2, 3], pins: [], reason: '401 Unauthorized' },
  },
  {
    what: 'an address without a file',
    file: 'polars\nfoo @ https://localhost:1/foo-1.0-py3-none-any.whl',
    stderr: `error: Failed to download \`foo @ https://localhost:1/foo-1.0-py3-none-any.whl\`
  cause: Failed to fetch: https://localhost:1/foo-1.0-py3-none-any.whl
  cause: HTTP status client error (404 Not Found) for url (https://localhost:1/foo-1.0-py3-none-any.whl)\n`,
    ...{ lines: [2], pins: [], reason: '404 Not Found' },
  },
  {
    what: 'a wheel that is not there',
    file: 'foo==1.0\n/usr/local/airflow/plugins/bar-1.0-py3-none-any.whl',
    stderr: 'error: Distribution not found at: file:///e/plugins/bar-1.0-py3-none-any.whl\n',
    ...{ lines: [2], pins: [], reason: 'file:///usr/local/airflow/plugins/bar-1.0-py3-none-any.whl' },
  },
  {
    what: 'another hash',
    file: `requests==2.31.0 --hash=sha256:${'0'.repeat(64)}`,
    stderr: `Using Python 3.11.7 environment at: v
Resolved 1 package in 33ms
error: Failed to download \`requests==2.31.0\`
  cause: Hash mismatch for \`requests==2.31.0\`

         Expected:
           sha256:0000000000000000000000000000000000000000000000000000000000000000

         Computed:
           sha256:58cd2187c01e70e6e26505bca751777aa9f2ee0b7f4300988b709f44e013003f\n`,
    ...{ lines: [1], pins: [], reason: 'Hash mismatch for `requests==2.31.0` Expected: sha256:0000' },
  },
  {
    what: 'no package anywhere',
    file: '--no-index\nsix',
    stderr: `${unsolved}Because six was not found in the provided package locations and you require six, we can conclude that your requirements are unsatisfiable.

hint: Packages were unavailable because index lookups were disabled and no additional package locations were provided (try: \`--find-links <uri>\`)\n`,
    ...{ lines: [2], pins: [], reason: 'was not found in the provided package locations' },
  },
];
