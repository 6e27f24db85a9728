"""Notes of another patient: how many are fused with a scan although something contradicts. Must be none.

.venv/bin/python benchmarks/wrong_notes.py
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pipelines.synthetic.link_load import link_seconds
from pipelines.synthetic.misfiled import misfiled_hospital
from pipelines.synthetic.pairings import NOTHING, ONE_PERSON, pairing_trials


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairings", type=int, default=100_000, help="randomised pairings on records in memory")
    parser.add_argument("--patients", type=int, default=4_000, help="of the synthetic hospital")
    parser.add_argument("--share", type=float, default=0.05, help="of its notes in a wrong chart")
    parser.add_argument(
        "--notes", type=int, default=100_000, help="of the measurement of speed; a tenth as many studies"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.monotonic()
    trials = pairing_trials(given.pairings, seed=given.seed)
    seconds = time.monotonic() - began
    print(
        f"{given.pairings} pairings, {seconds:.0f} s\n\n| what contradicts | pairings | fused |\n| --- | ---: | ---: |"
    )
    for what, count in trials.pairings.most_common():
        if what not in (NOTHING, ONE_PERSON):
            print(f"| {what} | {count} | {trials.fused[what]} |")
    print(f"| nothing: two people that nothing tells apart | {trials.pairings[NOTHING]} | {trials.fused[NOTHING]} |")
    print(f"| one person, however spelled | {trials.pairings[ONE_PERSON]} | {trials.fused[ONE_PERSON]} |")
    hospital = misfiled_hospital(given.patients, share=given.share, seed=given.seed)
    print(f"\n{given.patients} patients, {given.share:.0%} of their notes in a wrong chart\n")
    print("| what contradicts | wrong notes | fused |\n| --- | ---: | ---: |")
    for what, count in sorted(hospital.notes.items(), key=lambda pair: (pair[0] == "nothing", pair[0])):
        print(f"| {what} | {count} | {hospital.fused[what]} |")
    print(f"\nof {hospital.clean} patients without a wrong note {hospital.lost} were quarantined")
    print("\n| studies | notes | values | CPU seconds | µs a record |\n| ---: | ---: | ---: | ---: | ---: |")
    for notes in (given.notes // 10, given.notes):
        taken = link_seconds(studies=notes // 10, notes=notes, values=notes)
        print(f"| {notes // 10} | {notes} | {notes} | {taken:.1f} | {taken / (2 * notes) * 1e6:.0f} |")
    fused = sum(count for what, count in hospital.fused.items() if what != "nothing")
    return 1 if trials.wrong or trials.lost or fused or hospital.lost else 0


if __name__ == "__main__":
    sys.exit(main())
