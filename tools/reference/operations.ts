import { airflowVersions } from '../../src/airflow/versions.ts';
import { servedOperations } from '../../src/api/mwaa/served.ts';
import { type OperationName, operations } from '../../src/contract/operations.ts';
import type { Shape, StructureShape } from '../../src/contract/shape.ts';
import { windsockOperations } from '../../src/contract/windsock-operations.ts';
import { code, page, table } from './markdown.ts';

const versions = airflowVersions.map(({ version }) => code(version)).join(', ');

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
  code(servedOperations[name as OperationName].action),
]);

/** `docs/reference/operations.md` */
export const operationsPage = (): string =>
  page(
    'Operations of the Amazon MWAA API',
    `The API has the shapes of Amazon MWAA (2020-07-01). A host prefix (\`api.\`, \`env.\`, \`ops.\`) may be there or not.
Anything else answers 404 with the code \`UnknownOperationException\`.`,
    `\`AirflowVersion\` is one of ${versions}. What class and counts mean on one machine is in
[environment sizes](../environment-sizes.md). Plugins, requirements, the startup script, the network, the execution role
and the key are checked, kept and given back by GetEnvironment; they change nothing yet.`,
    table(['operation', 'request', 'IAM action'], summary),
    ...Object.entries(servedOperations).flatMap(([name, { input }]) => [
      `## ${name}`,
      membersTable(input),
      `Errors of its own: ${operations[name as OperationName].errors.map(code).join(', ')}.`,
    ]),
    '## Operations of Windsock',
    `Amazon MWAA does not have them. They are spoken the same way, with signatures for the service \`windsock\`;
\`windsock environment stop\` and \`start\` call them.`,
    table(
      ['operation', 'request', 'IAM action'],
      Object.entries(windsockOperations).map(([name, binding]) => [
        code(name),
        code(`${binding.method} ${binding.uri}`),
        code(`windsock:${name}`),
      ]),
    ),
  );
