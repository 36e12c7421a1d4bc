/** What is signed and sent. */
export interface Message {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The signing name. */
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A call of a service that is spoken by forms and XML (AWS Query protocol). */
export interface FormCall {
  readonly service: 'iam' | 'sts';
  readonly action:
    | 'CreateAccessKey'
    | 'CreateRole'
    | 'DeleteAccessKey'
    | 'GetCallerIdentity'
    | 'PutRolePolicy';
  readonly members?: Readonly<Record<string, string>>;
}

const versions = { iam: '2010-05-08', sts: '2011-06-15' } as const;

export const formMessage = ({ service, action, members }: FormCall): Message => ({
  ...{ method: 'POST', path: '/', service },
  body: new URLSearchParams({ Action: action, Version: versions[service], ...members }).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
});

const entities: Readonly<Record<string, string>> = {
  ...{ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&#39;': "'", '&amp;': '&' },
};

/** The elements that hold nothing but text, by name; of several with one name the first. */
export const xmlTexts = (xml: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)]
      .reverse()
      .map(([, name = '', text = '']) => [name, text.replace(/&[#\w]+;/g, (one) => entities[one] ?? one)]),
  );
