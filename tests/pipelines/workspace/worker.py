"""A batch in a process of its own: claims keys 0..n-1 and completes them, telling each step on stdout.

Arguments: database URL, number of keys, seconds of work a case.
"""

from __future__ import annotations

import sys
import time

from data_schemas.diagnosis import Diagnosis, ModelReference, Score
from pipelines.workspace.claims import ClaimOutcome, claim
from pipelines.workspace.database import database
from pipelines.workspace.ledger import complete
from pipelines.workspace.owners import this_owner


def main(url: str, keys: int, work_s: float) -> None:
    with database(url) as engine:
        waiting = list(range(keys))
        while waiting:
            number = waiting.pop(0)
            key, study_key = f"key-{number}", f"study-{number}"
            result = claim(engine, key, study_key, this_owner(), lease_seconds=600, attempts=3)
            if result.outcome is ClaimOutcome.LEASED:
                waiting.append(number)
                time.sleep(0.002)
            if result.claim is None:
                continue
            print("claimed", number, flush=True)
            time.sleep(work_s)
            diagnosis = Diagnosis(
                key=key,
                study_key=study_key,
                patient_key="p",
                inputs_digest="i",
                settings_digest="s",
                backend="torch",
                precision="fp32",
                model=ModelReference(name="m", version="1", digest="d"),
                scores=(Score(finding="pleural-effusion", probability=number / keys),),
            )
            if complete(engine, result.claim, diagnosis):
                print("completed", number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
