"""Turn the clinical table of the public COVID-CT-MD sample into scanote's tables.

Usage: python covid_ct_md.py clinical.csv OUT

Writes notes.csv (complaint and surgery, undated), observations.csv (sex, age, weight) and id_map.csv. What lies in the
future of the scan (follow_up) and what is to be predicted (diagnosis) is left out on purpose.
"""

import csv
import sys
from pathlib import Path

# PatientID in the DICOM files of one case: it is not the id of the clinical table, so it has to be said.
ID_MAP = [("98C1066", "cap001")]


def convert(clinical: Path, out: Path) -> None:
    with clinical.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    out.mkdir(parents=True, exist_ok=True)
    notes = [
        (row["folder"], "", kind, f"{kind.capitalize()}: {row[kind]}.")
        for row in rows
        for kind in ("complaint", "surgery")
        if row[kind]
    ]
    write(out / "notes.csv", ("patient_id", "datetime", "type", "text"), notes)
    observations = [(row["folder"], "", row["sex"], row["age"], row["weight_kg"]) for row in rows]
    write(out / "observations.csv", ("patient_id", "datetime", "sex", "age", "weight_kg"), observations)
    write(out / "id_map.csv", ("scan_patient_id", "record_patient_id"), ID_MAP)


def write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
