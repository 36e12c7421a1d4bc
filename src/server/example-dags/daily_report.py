"""A daily DAG with three tasks, two of them side by side. Unpause it to let it run by itself."""
from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False, tags=["example"], doc_md=__doc__)
def daily_report():
    @task
    def orders() -> dict:
        return {"count": 42, "total": 1337.5}

    @task
    def visitors() -> int:
        return 2048

    @task
    def report(orders: dict, visitors: int) -> None:
        print(f"{orders['count']} orders, {orders['total']:.2f} in all, {visitors / orders['count']:.1f} visitors each")

    report(orders(), visitors())


daily_report()
