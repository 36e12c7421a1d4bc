"""Signs in as "Accessing the Apache Airflow REST API" of the MWAA user guide shows it, then calls the REST API.

Reads {host, token, airflow, calls: [[method, path, body]]}. REQUESTS_CA_BUNDLE names the certificates to trust.
"""
import json
import sys

import requests


def sign_in(order):
    path, cookie = (
        ("/aws_mwaa/login", "session") if order["airflow"] == 2 else ("/pluginsv2/aws_mwaa/login", "_token")
    )
    answer = requests.post(f"https://{order['host']}{path}", data={"token": order["token"]}, timeout=30)
    if answer.status_code != 200:
        return answer, None
    value = answer.cookies[cookie]
    return answer, ({"Authorization": f"Bearer {value}"} if order["airflow"] == 3 else {"Cookie": f"session={value}"})


def main():
    order = json.load(sys.stdin)
    answer, headers = sign_in(order)
    answers = []
    for method, path, body in order["calls"] if headers else []:
        reply = requests.request(method, f"https://{order['host']}{path}", headers=headers, json=body, timeout=60)
        answers.append({"status": reply.status_code, "text": reply.text})
    json.dump({"status": answer.status_code, "text": answer.text, "answers": answers}, sys.stdout)


main()
