import { anyInteger, type DocumentShape, oneOf, type StructureShape, structure } from '../shape.ts';
import { environmentName } from './members.ts';

const secretDocument: DocumentShape = { kind: 'document', sensitive: true };

export const invokeRestApiInput: StructureShape = structure(
  {
    Name: environmentName,
    // The model says 64 at most, and Airflow's own sensors send longer ones: not enforced here.
    Path: { kind: 'string', min: 1 },
    Method: oneOf('GET', 'PUT', 'POST', 'PATCH', 'DELETE'),
    // values may be secrets, and as long as the request
    QueryParameters: { kind: 'document', namesOnly: true },
    Body: secretDocument,
  },
  ['Name', 'Path', 'Method'],
);

/** What Airflow answered: the answer of InvokeRestApi, and the body of its two exceptions. */
export const restApiAnswer: StructureShape = structure({
  RestApiStatusCode: anyInteger,
  RestApiResponse: secretDocument,
});
