/**
 * Reviewed by hand against the argparse parser of Airflow 2.7.2. Left out on purpose, because they read or
 * write files, start a debugger or a terminal program, change the process or load pickled code:
 * --subdir, --save, --imgcat, --save-dagrun, --show-dagrun, --imgcat-dagrun, --cfg-path, --pickle,
 * --donot-pickle, --ship-dag, --interactive, --raw, --job-id, --no-shut-down-logging, --env-vars, --post-mortem.
 *
 * A line is `command | positionals | options`. Positionals: a name is required, `name?` may be left out, `name*`
 * takes any number. Options: every spelling, joined by `,`; `=` takes one value, `=*` any number of values.
 */
export const airflow2 = `
cheat-sheet | | -v,--verbose
connections add | conn_id | --conn-description= --conn-extra= --conn-host= --conn-json= --conn-login= --conn-password= --conn-port= --conn-schema= --conn-type= --conn-uri=
connections delete | conn_id | --color= -v,--verbose
dags backfill | dag_id | -c,--conf= --continue-on-failures --delay-on-limit= --disable-retry -n,--dry-run -e,--end-date= -i,--ignore-dependencies -I,--ignore-first-depends-on-past -l,--local -m,--mark-success --pool= --rerun-failed-tasks --reset-dagruns -B,--run-backwards -s,--start-date= -t,--task-regex= --treat-dag-as-regex -v,--verbose -y,--yes
dags delete | dag_id | -v,--verbose -y,--yes
dags list | | -o,--output= -v,--verbose
dags list-import-errors | | -o,--output= -v,--verbose
dags list-jobs | | -d,--dag-id= --limit= -o,--output= --state= -v,--verbose
dags list-runs | | -d,--dag-id= -e,--end-date= --no-backfill -o,--output= -s,--start-date= --state= -v,--verbose
dags next-execution | dag_id | -n,--num-executions= -v,--verbose
dags pause | dag_id | -v,--verbose
dags report | | -o,--output= -v,--verbose
dags reserialize | | --clear-only -v,--verbose
dags show | dag_id | -v,--verbose
dags state | dag_id execution_date | -v,--verbose
dags test | dag_id execution_date? | -c,--conf= -v,--verbose
dags trigger | dag_id | -c,--conf= -e,--exec-date= --no-replace-microseconds -o,--output= -r,--run-id= -v,--verbose
dags unpause | dag_id | -v,--verbose
db clean | | --clean-before-timestamp= --dry-run --skip-archive -t,--tables= -v,--verbose -y,--yes
providers behaviours | | -o,--output= -v,--verbose
providers get | provider_name | --color= -f,--full -o,--output= -v,--verbose
providers hooks | | -o,--output= -v,--verbose
providers links | | -o,--output= -v,--verbose
providers list | | -o,--output= -v,--verbose
providers notifications | | -o,--output= -v,--verbose
providers secrets | | -o,--output= -v,--verbose
providers triggerer | | -o,--output= -v,--verbose
providers widgets | | -o,--output= -v,--verbose
roles add-perms | role* | -a,--action=* -r,--resource=* -v,--verbose
roles create | role* | -v,--verbose
roles del-perms | role* | -a,--action=* -r,--resource=* -v,--verbose
roles list | | -o,--output= -p,--permission -v,--verbose
tasks clear | dag_id | -R,--dag-regex -d,--downstream -e,--end-date= -X,--exclude-parentdag -x,--exclude-subdags -f,--only-failed -r,--only-running -s,--start-date= -t,--task-regex= -u,--upstream -v,--verbose -y,--yes
tasks failed-deps | dag_id task_id execution_date_or_run_id | --map-index= -v,--verbose
tasks list | dag_id | -t,--tree -v,--verbose
tasks render | dag_id task_id execution_date_or_run_id | --map-index= -v,--verbose
tasks run | dag_id task_id execution_date_or_run_id | -d,--depends-on-past= -f,--force -A,--ignore-all-dependencies -i,--ignore-dependencies -I,--ignore-depends-on-past -l,--local --map-index= -m,--mark-success --pool= --read-from-db -v,--verbose
tasks state | dag_id task_id execution_date_or_run_id | --map-index= -v,--verbose
tasks states-for-dag-run | dag_id execution_date_or_run_id | -o,--output= -v,--verbose
tasks test | dag_id task_id execution_date_or_run_id? | -n,--dry-run --map-index= -t,--task-params= -v,--verbose
variables delete | key | -v,--verbose
variables get | key | -d,--default= -j,--json -v,--verbose
variables list | | -o,--output= -v,--verbose
variables set | key value | -j,--json -v,--verbose
version | |
`;

/** What Airflow 2.8.1 takes beyond 2.7.2. */
export const airflow2From8 = `
variables set | key value | --description= -j,--json -v,--verbose
`;

/**
 * What Airflow 2.9.2 to 2.11.2 take beyond 2.8.1 (2.9.2 refuses --mark-success-pattern); left out: --use-executor of
 * `dags test`.
 */
export const airflow2From9 = `
dags backfill | dag_id | -c,--conf= --continue-on-failures --delay-on-limit= --disable-retry -n,--dry-run -e,--end-date= -i,--ignore-dependencies -I,--ignore-first-depends-on-past -l,--local -m,--mark-success --pool= --rerun-failed-tasks --reset-dagruns -B,--run-backwards -s,--start-date= -t,--task-regex= --treat-dag-as-regex --treat-dag-id-as-regex -v,--verbose -y,--yes
dags list | | --columns= -o,--output= -v,--verbose
dags pause | dag_id | -o,--output= --treat-dag-id-as-regex -v,--verbose -y,--yes
dags test | dag_id execution_date? | -c,--conf= --mark-success-pattern= -v,--verbose
dags unpause | dag_id | -o,--output= --treat-dag-id-as-regex -v,--verbose -y,--yes
`;
