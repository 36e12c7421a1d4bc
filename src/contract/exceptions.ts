import { anyText, type StructureShape, structure } from './shape.ts';
import { restApiAnswer } from './shapes/rest-api.ts';

interface ExceptionDefinition {
  readonly httpStatus: number;
  /** What the body holds besides `__type`. */
  readonly body: StructureShape;
}

const message = structure({ message: anyText });

/** The exceptions that the MWAA model names. Those of every AWS service come on top (`errors.ts`). */
export const exceptions = {
  // This one alone spells its member with a capital.
  AccessDeniedException: { httpStatus: 403, body: structure({ Message: anyText }) },
  ResourceNotFoundException: { httpStatus: 404, body: message },
  ValidationException: { httpStatus: 400, body: message },
  InternalServerException: { httpStatus: 500, body: message },
  ServiceUnavailableException: { httpStatus: 503, body: message },
  RestApiClientException: { httpStatus: 400, body: restApiAnswer },
  RestApiServerException: { httpStatus: 400, body: restApiAnswer },
} as const satisfies Record<string, ExceptionDefinition>;

export type ExceptionName = keyof typeof exceptions;
