"""The smallest useful DAG: two tasks, the second uses what the first returned. Trigger it by hand: it is not paused."""
from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    is_paused_upon_creation=False,
    tags=["example"],
    doc_md=__doc__,
)
def hello():
    @task
    def greet(name: str = "world") -> str:
        message = f"Hello, {name}!"
        print(message)
        return message

    @task
    def count(message: str) -> int:
        print(f"{message!r} has {len(message)} letters")
        return len(message)

    count(greet())


hello()
