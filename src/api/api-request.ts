import type { ReceivedRequest } from '../identity/sigv4/canonical.ts';
import type { HeldBody } from './body-room.ts';

/** A request as received, with the address it came from and the id it got. */
export interface ApiRequest extends ReceivedRequest {
  readonly sourceIp: string;
  /** A UUID, new for each request. */
  readonly requestId: string;
  /**
   * The body as it comes, where `body` was not read: asking for it is what tells a client that waits for
   * `100 Continue` to go on. One that `mayTakeLong` is that of an object, for somebody who may put it; any other has to
   * come whole in time. Throws RequestTimeout when too little comes for long, IncompleteBody when it ends too early.
   */
  readonly stream?: (mayTakeLong: boolean) => AsyncIterable<Uint8Array>;
  /** Where bytes of `stream` are counted that stay in memory. */
  readonly held?: Pick<HeldBody, 'add' | 'complete'>;
}
