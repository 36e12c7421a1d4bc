/**
 * Reviewed by hand against the argparse parsers of Airflow 3.0.6, 3.2.1 and 3.3.1 (the older ones refuse what
 * they do not have, and complete none of it to something else); notation and reasons as for Airflow 2. Left out
 * on purpose: --save, --imgcat, --dagfile-path, --save-dagrun, --show-dagrun, --imgcat-dagrun, --env-vars,
 * --post-mortem, and --use-executor of `dags test`, which starts an executor beside the environment's own.
 */
export const airflow3 = `
assets details | | --alias --name= -o,--output= --uri= -v,--verbose
assets list | | --alias --columns= -o,--output= -v,--verbose
assets materialize | | --name= -o,--output= --uri= -v,--verbose
backfill create | | --dag-id= --dag-run-conf= --dry-run --from-date= --max-active-runs= --reprocess-behavior= --run-backwards --run-on-latest-version --no-run-on-latest-version --to-date=
cheat-sheet | | -v,--verbose
connections add | conn_id | --conn-description= --conn-extra= --conn-host= --conn-json= --conn-login= --conn-password= --conn-port= --conn-schema= --conn-type= --conn-uri=
connections delete | conn_id | --color= -v,--verbose
dags delete | dag_id | -v,--verbose -y,--yes
dags list | | -B,--bundle-name= --columns= -l,--local -o,--output= -v,--verbose
dags list-import-errors | | -B,--bundle-name= -l,--local -o,--output= -v,--verbose
dags list-jobs | | -d,--dag-id= --limit= -o,--output= --state= -v,--verbose
dags list-runs | dag_id | -e,--end-date= --no-backfill -o,--output= -s,--start-date= --state= -v,--verbose
dags next-execution | dag_id | --field= -n,--num-executions= --table -v,--verbose
dags pause | dag_id | -o,--output= --treat-dag-id-as-regex -v,--verbose -y,--yes
dags report | | -B,--bundle-name= -o,--output= -v,--verbose
dags reserialize | | -B,--bundle-name= -v,--verbose
dags show | dag_id | -v,--verbose
dags state | dag_id logical_date_or_run_id | -v,--verbose
dags test | dag_id logical_date? | -B,--bundle-name= -c,--conf= --mark-success-pattern= -v,--verbose
dags trigger | dag_id | -c,--conf= -l,--logical-date= --no-replace-microseconds -o,--output= -r,--run-id= -v,--verbose
dags unpause | dag_id | -o,--output= --treat-dag-id-as-regex -v,--verbose -y,--yes
db clean | | --batch-size= --clean-before-timestamp= --dag-ids= --dry-run --error-on-cleanup-failure --exclude-dag-ids= --skip-archive -t,--tables= -v,--verbose -y,--yes
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
tasks clear | dag_id | -B,--bundle-name= -R,--dag-regex -d,--downstream -e,--end-date= -f,--only-failed -r,--only-running -s,--start-date= -t,--task-regex= -u,--upstream -v,--verbose -y,--yes
tasks failed-deps | dag_id task_id logical_date_or_run_id | -B,--bundle-name= --map-index= -v,--verbose
tasks list | dag_id | -B,--bundle-name= -v,--verbose
tasks render | dag_id task_id logical_date_or_run_id | -B,--bundle-name= --map-index= -v,--verbose
tasks state | dag_id task_id logical_date_or_run_id | -B,--bundle-name= --map-index= -v,--verbose
tasks states-for-dag-run | dag_id logical_date_or_run_id | -o,--output= -v,--verbose
tasks test | dag_id task_id logical_date_or_run_id? | -B,--bundle-name= --map-index= -t,--task-params= -v,--verbose
variables delete | key | -v,--verbose
variables get | key | -d,--default= -j,--json -v,--verbose
variables list | | --hide-sensitive -o,--output= --show-values -v,--verbose
variables set | key value | --description= -j,--json -v,--verbose
version | |
`;
