import { anyInteger, type DocumentShape, oneOf, type StructureShape, structure } from '../shape.ts';
import { environmentName } from './members.ts';

const secretDocument: DocumentShape = { kind: 'document', sensitive: true };

export const invokeRestApiInput: StructureShape = structure(
  {
    Name: environmentName,
    // The model says 64 at most, and Airflow's own sensors send longer ones: not enforced here.
    // Airflow's web servers take a request line of 8190 bytes at most.
    Path: { kind: 'string', min: 1, max: 8_190 },
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
