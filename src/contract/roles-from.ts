/**
 * Who gives the processes of environments the credentials of their execution roles: this installation, whose IAM they are
 * in; AWS itself, where DAGs work with AWS; or nobody.
 */
export type RolesFrom = 'windsock' | 'aws' | 'nowhere';
