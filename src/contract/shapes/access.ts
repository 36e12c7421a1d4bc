import { maybeEmpty, type StructureShape, structure, text } from '../shape.ts';

const longArn = text(1_224);

/** Input of ExplainAccess: a question about somebody, or the id of a request that was made. */
export const explainAccessInput: StructureShape = structure({
  Principal: longArn,
  Action: text(128),
  Resource: text(2_048),
  /** Condition keys and their values, over what is known of the principal. */
  Context: { kind: 'map', key: text(256), value: maybeEmpty(2_048) },
  RequestId: text(64),
});

export const guardRailInput: StructureShape = structure({ PolicyDocument: text(20_480) }, ['PolicyDocument']);

export const nothingInput: StructureShape = structure({});

export const roleNameInput: StructureShape = structure({ RoleName: text(64, '[\\w+=,.@-]+') }, ['RoleName']);
