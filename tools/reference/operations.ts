import { airflowVersions } from '../../src/airflow/versions.ts';
import { servedOperations } from '../../src/api/mwaa/served.ts';
import type { Operation } from '../../src/api/operation.ts';
import { operations } from '../../src/contract/operations.ts';
import type { Shape, StructureShape } from '../../src/contract/shape.ts';
import { code, page, table } from './markdown.ts';

const versions = airflowVersions.map(({ version }) => code(version)).join(', ');
const served: Readonly<Record<string, Operation | undefined>> = servedOperations;

interface Limits {
  readonly min?: number;
  readonly max?: number;
}

const range = ({ min, max }: Limits): string => {
  if (min === undefined) return max === undefined ? '' : ` at most ${max}`;
  if (max === undefined) return ` at least ${min}`;
  return min === max ? ` ${min}` : ` ${min} to ${max}`;
};

const shapeText = (shape: Shape): string => {
  switch (shape.kind) {
    case 'string':
      if (shape.values) return shape.values.map(code).join(', ');
      return `text,${range(shape)} characters${shape.pattern ? `, like ${code(shape.pattern)}` : ''}`;
    case 'integer':
      return `whole number${range(shape)}`;
    case 'double':
      return 'number';
    case 'timestamp':
      return 'seconds since 1970';
    case 'boolean':
      return '`true` or `false`';
    case 'document':
      return 'any JSON';
    case 'list':
      return `list of${range(shape)}; each: ${shapeText(shape.member)}`;
    case 'map':
      return `map${shape.max === undefined ? '' : ` of${range(shape)}`}; key: ${shapeText(shape.key)}; value: ${shapeText(shape.value)}`;
    case 'structure':
      return `structure of ${Object.keys(shape.members).map(code).join(', ')}`;
  }
};

const membersTable = (input: StructureShape): string =>
  table(
    ['member', 'required', 'what is accepted'],
    Object.entries(input.members).map(([name, shape]) => [
      code(name),
      input.required.includes(name) ? 'yes' : '',
      shapeText(shape),
    ]),
  );

const summary = Object.entries(operations).map(([name, binding]) => [
  code(name),
  code(`${binding.method} ${binding.uri}`),
  served[name] ? 'yes' : 'not yet',
  served[name] ? code(served[name].action) : '',
]);

/** `docs/reference/operations.md` */
export const operationsPage = (): string =>
  page(
    'Operations of the Amazon MWAA API',
    `The API has the shapes of Amazon MWAA (2020-07-01). A host prefix (\`api.\`, \`env.\`, \`ops.\`) may be there or not. An
operation that is not served yet answers 404 with the code \`UnknownOperationException\`.`,
    `Of CreateEnvironment, Windsock acts on \`Name\`, \`AirflowVersion\`, \`EnvironmentClass\`, \`SourceBucketArn\`,
\`DagS3Path\` and \`AirflowConfigurationOptions\`. The other members are checked, kept and given back by GetEnvironment;
they change nothing yet. \`AirflowVersion\` is one of ${versions}.`,
    table(['operation', 'request', 'served', 'IAM action'], summary),
    ...Object.values(servedOperations).flatMap((operation) => [
      `## ${operation.name}`,
      membersTable(operation.input),
      `Errors of its own: ${operations[operation.name].errors.map(code).join(', ')}.`,
    ]),
  );
