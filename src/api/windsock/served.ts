import type { WindsockOperationName } from '../../contract/windsock-operations.ts';
import type { Operation } from '../operation.ts';
import { startEnvironment } from './start-environment.ts';
import { stopEnvironment } from './stop-environment.ts';

/** Every operation of our own, by its name. */
export const windsockServed = {
  StopEnvironment: stopEnvironment,
  StartEnvironment: startEnvironment,
} satisfies Record<WindsockOperationName, Operation>;
