"""Patients that a FHIR server merged are one patient: their scans, records and labels, and whoever is forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from data_schemas.cohort import IdMapping, Label, LabelValue
from data_schemas.errors import InputError
from data_schemas.observation import Observation
from data_schemas.patient_link import PatientLink
from data_schemas.reasons import Reason
from data_schemas.scan import PatientFacts, Scan
from pipelines.cases.ingest import ingest, load_cases
from pipelines.cases.labelled import load_cohort
from pipelines.cases.link import LinkResult
from pipelines.cases.merged import merge_people
from pipelines.cases.person import find_person
from pipelines.sources.fhir import read_fhir
from pipelines.workspace import catalogue, tables
from pipelines.workspace.database import read
from pipelines.workspace.forget import count_rows, delete_rows
from pipelines.workspace.paths import Workspace, create_workspace
from pipelines.workspace.patient_links import patient_links
from pipelines.workspace.tombstones import begin, id_marks

Resource = dict[str, Any]


def person(number: str, *links: tuple[str, str], **rest: Any) -> Resource:
    found = [{"type": kind, "other": {"reference": f"Patient/p{other}"}} for kind, other in links]
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"value": f"00{number}"}],
        **({"link": found} if found else {}),
        **rest,
    }


def weight(number: str, value: float = 70.0, day: int = 1) -> Resource:
    return {
        "resourceType": "Observation",
        "id": f"o{number}-{day}",
        "status": "final",
        "subject": {"reference": f"Patient/p{number}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": f"2024-03-0{day}T08:00:00Z",
        "valueQuantity": {"value": value, "unit": "kg"},
    }


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[..., Path]:
    number = 0

    def write(*resources: Resource) -> Path:
        nonlocal number
        number += 1
        path = tmp_path / f"bundle-{number}.json"
        entries = [{"resource": item} for item in resources]
        path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
        return path

    return write


@pytest.fixture
def held(tmp_path: Path, scan: Callable[..., Scan]) -> Workspace:
    """A workspace with a scan of each of the patients 001 and 002."""
    workspace = create_workspace(tmp_path / "w")
    with workspace.database() as engine:
        for number in ("1", "2"):
            catalogue.put_scans(engine, workspace.key, [scan(f"00{number}", study=f"1.2.{number}")])
    return workspace


def owners(linked: LinkResult) -> int:
    return len({case.patient_key for case in linked.cases})


def quarantined(linked: LinkResult) -> set[tuple[Reason, str]]:
    return {(line.reason, line.detail) for line in linked.unlinked if line.kind == "case" and line.detail}


# what the links say


def facts(name: str, **rest: Any) -> PatientFacts:
    return PatientFacts(patient_id=name, **rest)


def link(old: str, *new: str, **rest: Any) -> PatientLink:
    return PatientLink(patient=facts(old, **rest), replaced_by=tuple(map(facts, new)))


def test_a_chain_is_followed_to_its_end_whichever_end_speaks() -> None:
    merged = merge_people([link("a", "b"), PatientLink(patient=facts("c"), replaces=(facts("b"),))])
    assert [merged.record_id(name) for name in "abcd"] == ["c", "c", "c", "d"]
    assert not merged.doubtful


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ([link("a", "b"), link("b", "a")], "circle"),
        ([link("a", "b"), link("b", "c"), link("c", "a"), link("d", "a")], "circle"),
        ([link("a", "b", "c")], "several"),
        ([link("a", "b", sex="M"), PatientLink(patient=facts("b", sex="F"))], "sexes differ"),
        (
            [
                PatientLink(
                    patient=facts("a", birth_date="1950-06-01"), replaced_by=(facts("b", birth_date="1951-06-01"),)
                )
            ],
            "birth dates differ",
        ),
    ],
)
def test_links_that_cannot_be_true_merge_nobody(links: list[PatientLink], told: str) -> None:
    merged = merge_people(links)
    assert merged.record_id("a") == "a"
    assert set(merged.doubtful) >= {"a", "b"}
    assert told in merged.doubtful["a"].detail


def test_two_that_were_replaced_by_one_are_one() -> None:
    merged = merge_people([link("a", "c"), link("b", "c")])
    assert {merged.record_id(name) for name in "abc"} == {"c"}


def test_ids_are_compared_by_the_rule_and_scans_of_the_map_are_of_another_system(scan: Callable[..., Scan]) -> None:
    rows = [IdMapping(scan_patient_id="7", record_patient_id="a")]
    merged = merge_people([link("007", "b"), link("A", "b")], rows, ignore_id_case=True, ignore_leading_zeros=True)
    assert [item.patient.patient_id for item in merged.scans([scan("7"), scan("a")])] == ["7", "b"]
    assert merged.record_id("7") == "b"
    assert merged.id_map(rows) == (IdMapping(scan_patient_id="7", record_patient_id="b"),)


# what a FHIR set says of them


@pytest.mark.parametrize("kind", ["seealso", "refer"])
def test_other_links_merge_nobody(bundle: Callable[..., Path], kind: str) -> None:
    records = read_fhir([bundle(person("1", (kind, "2")), person("2"))])
    assert [item.others for item in records.links] == [(), ()]
    assert not records.refused


def test_a_link_to_nobody_is_refused_and_the_patient_kept(bundle: Callable[..., Path]) -> None:
    records = read_fhir([bundle(person("1", ("replaced-by", "9"), gender="male"), weight("1"))])
    assert [(line.reason, line.where.rpartition(": ")[2]) for line in records.refused] == [
        (Reason.MISSING_PATIENT, "entry 1")
    ]
    assert {item.code for item in records.observations} == {"sex", "weight"}


def test_a_link_to_a_related_person_is_none(bundle: Callable[..., Path]) -> None:
    other = {"type": "replaced-by", "other": {"reference": "RelatedPerson/r1"}}
    records = read_fhir([bundle({**person("1"), "link": [other]})])
    assert (records.refused, [item.others for item in records.links]) == ((), [()])


def test_a_replaced_patient_has_the_old_id(bundle: Callable[..., Path]) -> None:
    old = person("1", ("replaced-by", "2"), identifier=[{"value": "001", "use": "old"}])
    records = read_fhir([bundle(old, person("2"), weight("1"))])
    assert [item.patient.patient_id for item in records.observations] == ["001"]
    assert [item.replaced_by[0].patient_id for item in records.links if item.replaced_by] == ["002"]


def test_an_encounter_of_the_replaced_patient_is_no_other_persons(bundle: Callable[..., Path]) -> None:
    encounter = {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"}}
    encounter["subject"] = {"reference": "Patient/p1"}
    value = weight("2") | {"encounter": {"reference": "Encounter/e1"}}
    apart = read_fhir([bundle(person("1"), person("2"), encounter, value)])
    assert [line.reason for line in apart.refused] == [Reason.IDENTITY_CONFLICT]
    one = read_fhir([bundle(person("1"), person("2", ("replaces", "1")), encounter, value)])
    assert (one.refused, len(one.observations)) == ((), 1)


# through the door


@pytest.mark.parametrize(
    "people",
    [
        (person("1", ("replaced-by", "2")), person("2", ("replaces", "1"))),
        (person("1", ("replaced-by", "2")), person("2")),
        (person("1"), person("2", ("replaces", "1"))),
        (person("1", ("replaced-by", "2")), person("2", ("seealso", "1"))),
    ],
)
def test_a_merged_patient_is_one(held: Workspace, bundle: Callable[..., Path], people: tuple[Resource, ...]) -> None:
    apart = ingest(held, notes=[bundle(person("1"), person("2"), weight("1", 70.0, 1), weight("2", 80.0, 2))]).linked
    assert owners(apart) == 2
    one = ingest(held, notes=[bundle(*people)]).linked
    assert owners(one) == 1
    assert [[item.value for item in case.observations] for case in one.cases] == [[80.0], [80.0]]  # the latest of both
    assert not quarantined(one)


def test_a_merge_that_its_source_takes_back_is_undone_and_an_old_export_does_not_undo_it(
    held: Workspace, bundle: Callable[..., Path]
) -> None:
    def meta(day: int) -> dict[str, dict[str, str]]:
        return {"meta": {"lastUpdated": f"2024-03-0{day}T10:00:00Z"}}

    before, after = person("1", **meta(1)), person("1", ("replaced-by", "2"), **meta(2))
    ingest(held, notes=[bundle(before, person("2"))])
    assert owners(ingest(held, notes=[bundle(after, person("2"))]).linked) == 1
    assert owners(ingest(held, notes=[bundle(before, person("2"))]).linked) == 1
    assert owners(ingest(held, notes=[bundle(person("1", **meta(3)), person("2"))]).linked) == 2


@pytest.mark.parametrize(
    ("people", "reason", "told"),
    [
        (
            (person("1", ("replaced-by", "2"), gender="male"), person("2", gender="female")),
            Reason.IDENTITY_CONFLICT,
            "two patients that the source merged: sexes differ",
        ),
        (
            (person("1", ("replaced-by", "2"), birthDate="1950-06-01"), person("2", birthDate="1960-06-01")),
            Reason.IDENTITY_CONFLICT,
            "two patients that the source merged: birth dates differ",
        ),
        (
            (person("1", ("replaced-by", "2")), person("2", ("replaced-by", "1"))),
            Reason.AMBIGUOUS_IDENTITY,
            "links between patients go in a circle",
        ),
        (
            (person("1", ("replaced-by", "2"), ("replaced-by", "3")), person("2"), person("3")),
            Reason.AMBIGUOUS_IDENTITY,
            "a patient was replaced by several others",
        ),
    ],
)
def test_a_merge_that_cannot_be_true_sets_both_aside(
    held: Workspace, bundle: Callable[..., Path], people: tuple[Resource, ...], reason: Reason, told: str
) -> None:
    linked = ingest(held, notes=[bundle(*people, weight("1"), weight("2"))]).linked
    assert linked.cases == ()
    assert quarantined(linked) == {(reason, told)}


def test_labels_and_splits_follow_the_merge(held: Workspace, bundle: Callable[..., Path]) -> None:
    ingest(held, notes=[bundle(person("1", ("replaced-by", "2")), person("2"), weight("1"))])
    with held.database() as engine:
        catalogue.put_labels(
            engine, held.key, [Label(patient_id="001", finding="pneumonia", value=LabelValue.POSITIVE)]
        )
    members = load_cohort(held, splits={"001": "test"}).members
    assert [(member.split, set(member.labels)) for member in members] == [("test", {"pneumonia"})] * 2


@pytest.mark.parametrize("asked", ["001", "002"])
def test_whoever_is_forgotten_is_forgotten_under_every_id(
    held: Workspace, bundle: Callable[..., Path], asked: str
) -> None:
    ingest(held, notes=[bundle(person("1", ("replaced-by", "2")), person("2"), weight("1"), weight("2", day=2))])
    with held.database() as engine:
        found = find_person(held, engine, asked)
        assert (found.scan_ids, found.record_ids) == ({"001", "002"}, {"001", "002"})
        assert {case.patient_key for case in load_cases(held).cases} <= found.whose.case_keys
        delete_rows(engine, found.whose)
        assert (catalogue.scans(engine), catalogue.observations(engine), patient_links(engine)) == ((), (), ())


def test_a_link_of_a_forgotten_patient_is_turned_away(held: Workspace, bundle: Callable[..., Path]) -> None:
    with held.database() as engine:
        begin(engine, id_marks(held.key, "001", space="record"), {})
    done = ingest(held, notes=[bundle(person("1", ("replaced-by", "2")), person("2"))])
    assert [(line.reason, line.where) for line in done.refused] == [(Reason.FORGOTTEN, "patient links 1 of 1")]
    with held.database() as engine:
        assert patient_links(engine) == ()


def test_scans_that_the_map_leads_to_one_merged_patient_stay_ambiguous(
    held: Workspace, bundle: Callable[..., Path], scan: Callable[..., Scan], tmp_path: Path
) -> None:
    with held.database() as engine:
        for name in ("A", "B"):
            catalogue.put_scans(engine, held.key, [scan(name, study=f"1.3.{name}")])
    table = tmp_path / "map.csv"
    table.write_text("scan_patient_id,record_patient_id\nA,003\nB,004\n")
    people = (person("3", ("replaced-by", "4")), person("4"))
    linked = ingest(held, notes=[bundle(*people)], id_map=table).linked
    assert quarantined(linked) == {(Reason.AMBIGUOUS_IDENTITY, "the id map gives several candidates")}
    assert len(linked.cases) == 2  # those of 001 and 002


def test_an_own_id_stays_where_nobody_was_merged(value: Callable[..., Observation]) -> None:
    items = [value("crp", 5.0, patient_id=name) for name in "ab"]
    assert merge_people([]).records(items) == tuple(items)
    assert all(one is other for one, other in zip(merge_people([link("c", "d")]).records(items), items, strict=True))


def test_whoever_is_forgotten_goes_from_what_others_said_once(held: Workspace, bundle: Callable[..., Path]) -> None:
    ingest(held, notes=[bundle(person("1"), person("2", ("replaces", "1")))])
    ingest(held, notes=[bundle(person("1"), person("2"))])  # apart again
    with held.database() as engine:
        found = find_person(held, engine, "001")
        assert found.record_ids == {"001"}
        assert count_rows(engine, found.whose)["patient links"] == 1
        delete_rows(engine, found.whose)
        left = read(engine, lambda connection: connection.execute(select(tables.patient_link.c.record)).scalars().all())
    assert not [record for record in left if "001" in record]


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_sets_that_are_read_at_once_the_later_link_counts(
    held: Workspace, bundle: Callable[..., Path], turned: bool
) -> None:
    before = bundle(person("1", meta={"lastUpdated": "2024-03-01T10:00:00Z"}), person("2"))
    after = bundle(person("1", ("replaced-by", "2"), meta={"lastUpdated": "2024-03-02T10:00:00Z"}), person("2"))
    assert owners(ingest(held, notes=[after, before] if turned else [before, after]).linked) == 1


def test_splits_that_tear_a_merged_patient_apart_are_refused(held: Workspace, bundle: Callable[..., Path]) -> None:
    ingest(held, notes=[bundle(person("1", ("replaced-by", "2")), person("2"))])
    with held.database() as engine:
        catalogue.put_labels(
            engine, held.key, [Label(patient_id="001", finding="pneumonia", value=LabelValue.POSITIVE)]
        )
    assert {row.split for row in load_cohort(held, splits={"001": "test", "002": "test"}).members} == {"test"}
    with pytest.raises(InputError, match="one patient, under several ids, in several splits"):
        load_cohort(held, splits={"001": "train", "002": "test"})
