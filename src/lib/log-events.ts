/** Every field an event may have: the same thing has the same name everywhere. */
export const logFields = {
  added: 'DAG files that are new',
  bucket: 'name of a bucket',
  changed: 'DAG files that are different',
  component: 'a process of Airflow: webserver, scheduler, triggerer, dag-processor',
  data: 'the data folder',
  deaths: 'how often it ended by itself since it last ran steadily',
  endpoint: 'URL of the API',
  environment: 'name of an environment',
  environmentId: 'id of an environment: unique, also over time',
  error: 'the AWS error code of the answer',
  event: 'the name of an event of the audit record',
  file: 'a file',
  free: 'MiB that are free on a disk',
  from: 'the status before',
  leaving: 'end: everything is ended; keep: PostgreSQL and Airflow go on',
  lines: 'how many lines',
  operation: 'an operation of the API',
  part: 'a part of the server',
  path: 'a path in a bucket',
  pid: 'number of a process',
  principal: 'ARN of the caller',
  reason: 'why, for people',
  refused: 'DAG files that are not taken over',
  removed: 'DAG files that are gone',
  requestId: 'id of the request, also in its answer',
  role: 'name of a role',
  stack: 'where in the code it happened',
  status: 'HTTP status of the answer',
  step: 'a step of the server’s start, or of an environment',
  text: 'what is being done',
  to: 'the status after',
  took: 'milliseconds',
  attempt: 'how many times it was tried',
  version: 'version of Windsock, or of what the event is about',
} as const satisfies Record<string, string>;

export type LogField = keyof typeof logFields;

interface LogEventDefinition {
  readonly meaning: string;
  /** Those it has where they are known. */
  readonly fields: readonly LogField[];
}

const ofEnvironment = ['environment', 'environmentId'] as const;

/** Every event that the product logs. What is not in here cannot be logged. */
export const logEvents = {
  // the server
  'server starting': { meaning: 'The server begins to start.', fields: ['version', 'pid', 'data'] },
  'server started': {
    meaning: 'The API listens; environments are being brought to what is wanted.',
    fields: ['version', 'pid', 'endpoint', 'data', 'took'],
  },
  'server ready': {
    meaning: 'The start is over; the environment of the first start, if any, can be used.',
    fields: ['environment', 'endpoint', 'took'],
  },
  'server not started': { meaning: 'The start failed; the server ends.', fields: ['reason', 'stack'] },
  'server failed': {
    meaning: 'A fault of Windsock itself; the server ends at once, and Airflow goes on.',
    fields: ['reason', 'stack'],
  },
  'server stopping': { meaning: 'The server was told to stop.', fields: ['reason', 'leaving'] },
  'server stopped': { meaning: 'The last line of a server.', fields: ['leaving', 'took'] },
  'part not stopped': {
    meaning: 'A part of the server could not be stopped; the stop goes on.',
    fields: ['part', 'reason'],
  },
  'option without effect': {
    meaning: 'The environment of the first start exists: an option cannot change it.',
    fields: ['environment', 'reason'],
  },
  'log lines lost': {
    meaning: 'Lines could not be written to this log; from here on it works again.',
    fields: ['lines', 'reason'],
  },
  'log not rotated': {
    meaning: 'A log that grew too large could not be copied aside; it is tried again.',
    fields: ['file', 'reason'],
  },
  'status not written': {
    meaning: 'The file that `windsock status` reads could not be written; it is tried again.',
    fields: ['reason'],
  },
  'view of the file system missing': {
    meaning:
      'Airflow and DAGs see the file system as it is: they could not be given a namespace of their own.',
    fields: ['reason'],
  },
  'pid namespace missing': {
    meaning:
      'A process that an Airflow command or an installation starts, and that gets out of its session, may outlive it: they could not be given a pid namespace.',
    fields: ['reason'],
  },
  'disk nearly full': {
    meaning: 'On a full disk nothing can be changed: tokens, environments and DAGs stay as they are.',
    fields: ['data', 'free'],
  },
  'disk has space': { meaning: 'The disk is no longer nearly full.', fields: ['data', 'free'] },
  'certificate ends soon': {
    meaning:
      'The certificate of the domain has less than 30 days left, or has ended: put a new one into its files.',
    fields: ['file', 'reason'],
  },
  'audit not sealed': {
    meaning:
      'New audit records could not be sealed; it is tried every second. After a minute nothing is allowed.',
    fields: ['reason'],
  },
  'audit sealed again': { meaning: 'Audit records are sealed again.', fields: [] },
  'audit seals lost': {
    meaning: 'The database no longer has the newest seal of the audit record: run `windsock audit verify`.',
    fields: ['reason'],
  },
  'DAGs published without a record': {
    meaning: 'What was published could not be written into the audit record.',
    fields: [...ofEnvironment, 'reason'],
  },
  'DAG file not imported': {
    meaning: 'Airflow cannot import a DAG file; the same reason is told once.',
    fields: [...ofEnvironment, 'path', 'reason'],
  },
  'DAGs read': {
    meaning: 'Airflow has read all DAG files that changed, or is not waited for any more.',
    fields: [...ofEnvironment, 'version', 'took'],
  },
  'DAGs not asked for': {
    meaning:
      'Airflow could not be asked to read what changed, or what it read; it reads it when its turn comes.',
    fields: [...ofEnvironment, 'reason'],
  },
  'connection not accepted': {
    meaning: 'The machine could not give a connection to the server, which goes on; told once a minute.',
    fields: ['reason'],
  },
  'packages with a warning': {
    meaning: 'The packages of an environment were installed, and something of it does not work with them.',
    fields: ['environment', 'reason'],
  },
  'housekeeping failed': { meaning: 'A regular task failed; it is tried again.', fields: ['reason'] },

  // steps
  'step started': {
    meaning: 'A step of the server’s start, or of an environment, begins.',
    fields: [...ofEnvironment, 'step'],
  },
  'step progress': {
    meaning: 'What a step is doing.',
    fields: [...ofEnvironment, 'step', 'text'],
  },
  'step done': { meaning: 'A step is done.', fields: [...ofEnvironment, 'step', 'took'] },
  'step failed': {
    meaning: 'A step failed; where it can help it is tried again.',
    fields: [...ofEnvironment, 'step', 'reason', 'took'],
  },
  'environment changed': {
    meaning: 'The status of an environment changed.',
    fields: [...ofEnvironment, 'from', 'to', 'reason'],
  },
  'environments not listed': {
    meaning: 'The regular look at all environments failed; it is tried again.',
    fields: ['reason'],
  },
  'reconcile failed': {
    meaning: 'An environment could not be looked at; it is tried again.',
    fields: ['environmentId', 'reason'],
  },
  'options ignored': {
    meaning: 'AirflowConfigurationOptions name options that Windsock sets itself; the reason lists them.',
    fields: [...ofEnvironment, 'reason'],
  },

  // processes
  'component started': {
    meaning: 'A process of Airflow was started.',
    fields: ['environmentId', 'component', 'pid'],
  },
  'component adopted': {
    meaning: 'A process of Airflow that an earlier server started was taken over.',
    fields: ['environmentId', 'component', 'pid'],
  },
  'component ended': {
    meaning: 'A process of Airflow ended by itself; it is started again.',
    fields: ['environmentId', 'component', 'reason', 'deaths'],
  },
  'processes of an earlier start cannot be ended': {
    meaning: 'Processes of an environment survive KILL; nothing new is started beside them.',
    fields: [...ofEnvironment],
  },
  'postgres started': { meaning: 'PostgreSQL answers.', fields: ['pid'] },
  'postgres adopted': { meaning: 'A PostgreSQL that runs was taken over.', fields: ['pid'] },
  'postgres died': {
    meaning: 'PostgreSQL ended by itself; it is started again.',
    fields: ['pid', 'deaths', 'reason'],
  },
  'postgres not restarted': {
    meaning: 'PostgreSQL could not be started again; it is tried again.',
    fields: ['reason', 'attempt'],
  },
  'postgres not renewed': {
    meaning:
      'The databases belong to another major version than this Windsock brings; it goes on with that one.',
    fields: ['reason', 'version'],
  },
  'database connection lost': {
    meaning: 'A connection to the database broke; a new one is made.',
    fields: ['reason'],
  },

  // buckets
  'object not shown in its folder': {
    meaning:
      'An object is kept, but its file in the folder of the bucket could not be written; the next start tries again.',
    fields: ['bucket', 'path', 'reason'],
  },
  'visible files of buckets not written down': {
    meaning: 'It is not known for certain that the folders of buckets are on the disk; it is tried again.',
    fields: ['reason'],
  },
  'bucket not looked after': {
    meaning: 'What is left over in the store of a bucket could not be removed; it is tried again.',
    fields: ['bucket', 'reason'],
  },

  // DAGs
  'DAGs published': {
    meaning: 'Changes in the bucket reached Airflow.',
    fields: [...ofEnvironment, 'added', 'changed', 'removed'],
  },
  'DAGs not published': {
    meaning: 'The bucket could not be read, or Airflow’s folder not be written; it is tried again.',
    fields: [...ofEnvironment, 'reason'],
  },
  'DAGs published again': {
    meaning: 'The bucket can be read again, after so long.',
    fields: [...ofEnvironment, 'took'],
  },
  'DAG files refused': {
    meaning: 'Files of the bucket that cannot become DAG files.',
    fields: [...ofEnvironment, 'refused'],
  },
  'content left out': {
    meaning: 'Something in a bucket’s folder is not part of its content.',
    fields: ['path', 'reason'],
  },

  // the API and the doors
  'api call': {
    meaning: 'A call of the API was answered.',
    fields: ['operation', 'status', 'principal', 'requestId', 'took', 'error'],
  },
  'api call failed inside': {
    meaning: 'A call met a fault of Windsock and was answered with 500.',
    fields: ['requestId', 'reason', 'stack'],
  },
  'refused call not recorded': {
    meaning: 'The audit record of a refused call could not be written.',
    fields: ['requestId', 'reason'],
  },
  'execution role not given': {
    meaning: 'A process asked for the credentials of an execution role and got none.',
    fields: [...ofEnvironment, 'requestId', 'reason'],
  },
  'trusted names are gone': {
    meaning:
      'A role’s trust policy, kept by an older version, names users or roles that are not there. They are kept as ids that nobody has.',
    fields: ['role', 'reason'],
  },
  'role open to an identity provider': {
    meaning:
      'A trust policy was written that lets in everybody who has an account at an identity provider: it asks for neither `aud` nor `sub` of the token.',
    fields: ['role', 'principal', 'requestId', 'reason'],
  },
  'door request refused': {
    meaning: 'The door of an environment refused a request.',
    fields: [...ofEnvironment, 'requestId', 'status', 'reason'],
  },
  'door request failed inside': {
    meaning: 'A request at a door met a fault of Windsock and was answered with 500.',
    fields: [...ofEnvironment, 'requestId', 'reason'],
  },
  'door event not recorded': {
    meaning: 'The audit record of something that happened at a door could not be written.',
    fields: [...ofEnvironment, 'requestId', 'event', 'reason'],
  },
  'Airflow did not answer': {
    meaning: 'A request that the door or InvokeRestApi passed on got no answer.',
    fields: [...ofEnvironment, 'requestId', 'reason'],
  },
  'WebSocket not opened': {
    meaning: 'Airflow did not take a WebSocket.',
    fields: [...ofEnvironment, 'reason'],
  },
  'old tokens and sessions not deleted': {
    meaning: 'The regular removal of what has expired failed; it is tried again.',
    fields: ['reason'],
  },
  'certificate renewed': { meaning: 'The doors have a new TLS certificate.', fields: [] },
  'certificate not renewed': {
    meaning: 'The TLS certificate could not be renewed; it is tried again.',
    fields: ['reason'],
  },
} as const satisfies Record<string, LogEventDefinition>;

export type LogEvent = keyof typeof logEvents;
