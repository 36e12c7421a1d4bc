import { anyText, type StructureShape, structure, text } from '../shape.ts';
import { hostname, secretText } from './members.ts';

export const createCliTokenOutput: StructureShape = structure({
  CliToken: secretText,
  WebServerHostname: hostname,
});

export const createWebLoginTokenOutput: StructureShape = structure({
  WebToken: secretText,
  WebServerHostname: hostname,
  IamIdentity: anyText,
  AirflowIdentity: text(64),
});
