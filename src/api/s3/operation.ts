import type { Readable } from 'node:stream';
import type { Recorder } from '../../bucket/objects.ts';
import type { BelievedHead } from '../../identity/sigv4/verify-s3.ts';
import type { Call, Check } from '../operation.ts';
import type { Asked } from './asked.ts';
import type { Level } from './request.ts';

/** By which requests an operation is called. */
export interface Binding {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly level: Level;
  /** The parameter that chooses it among those of that method, for instance `versioning`. */
  readonly by?: string;
  /** True for those that copy: they have `x-amz-copy-source`. */
  readonly copies?: true;
}

/** An answer of S3; XML, bytes that come, or a text with a type of its own. */
export interface S3Answer {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly xml?: string;
  readonly stream?: Readable;
  readonly body?: string;
}

/** One call that is allowed. */
export interface Work extends Asked {
  readonly call: Call;
  readonly head: BelievedHead;
  /** Records the change within the transaction that makes it. */
  readonly record: Recorder;
  /** The same for one of many keys. */
  readonly recordAs: (
    about: Readonly<Record<string, string | undefined>>,
    ...recorded: Parameters<Recorder>
  ) => Promise<void>;
}

/** One operation of S3: by what it is called, who may call it, what it does. */
export interface S3Operation {
  readonly name: string;
  readonly binding: Binding;
  /** Further parameters that it takes. */
  readonly query?: readonly string[];
  /** `x-amz-` headers that it takes besides those that every call has; one that ends in a hyphen is a prefix. */
  readonly headers?: readonly string[];
  readonly readOnly: boolean;
  /** About objects, not about buckets. */
  readonly isDataEvent: boolean;
  /** What else of the request is recorded; its bucket, key and parameters always are. */
  readonly recorded?: readonly string[];
  /** Every right that the call needs, its own first. */
  readonly checks: (asked: Asked) => readonly Check[] | Promise<readonly Check[]>;
  readonly execute: (work: Work) => Promise<S3Answer>;
}
