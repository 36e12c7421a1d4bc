/** The part of aws4 that the tests use; the package has no types. */
declare module 'aws4' {
  export interface Request {
    method: string;
    host: string;
    path: string;
    service: string;
    region: string;
    headers?: Record<string, string | number>;
    body?: string;
    signQuery?: boolean;
  }
  export interface Signed extends Request {
    headers: Record<string, string | number>;
  }
  export function sign(
    request: Request,
    credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  ): Signed;
}
