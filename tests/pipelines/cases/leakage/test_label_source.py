from __future__ import annotations

from datetime import datetime

from pipelines.cases.leakage.label_source import find_label_sources

LATER = datetime(2024, 3, 5, 15, 0)
IMPRESSION = "A mass of 31 by 24 mm in the left upper lobe, with hilar nodes of 14 mm. Biopsy is advised."
REPORT = f"HISTORY: Cough for three weeks and weight loss of 7 kg since the spring.\nIMPRESSION: {IMPRESSION}"


def report(note, text: str = REPORT, **changes):
    return note(text=text, kind="report", written=LATER, **changes)


def test_an_impression_copied_into_a_note_is_a_leak(case, note) -> None:
    row = case(text=f"Seen in clinic. {IMPRESSION} Will come again.", notes=(report(note),))
    [leak] = find_label_sources([row])[1]
    assert (leak.value, leak.where) == (1.0, ("study 1.2.7",))
    assert "lobe" not in leak.model_dump_json()


def test_a_text_that_equals_the_report_is_a_leak(case, note) -> None:
    text = REPORT.replace("IMPRESSION", "HISTORY")
    assert len(find_label_sources([case(text=text, notes=(report(note),))])[1]) == 1


def test_the_history_of_the_referral_in_the_report_is_no_leak(case, note) -> None:
    text = "Cough for three weeks and weight loss of 7 kg since the spring."
    check, leaks = find_label_sources([case(text=text, notes=(report(note),))])
    assert (check.compared, leaks) == (1, [])


def test_the_report_of_another_study_is_no_label_source(case, note) -> None:
    row = case(text=IMPRESSION, notes=(report(note, study_uid="9.9.9"),))
    assert find_label_sources([row])[0].skipped


def test_a_report_without_headings_is_a_source_as_a_whole(case, note) -> None:
    assert len(find_label_sources([case(text=IMPRESSION, notes=(report(note, IMPRESSION),))])[1]) == 1


def test_sentences_that_many_reports_share_are_no_leak(case, note) -> None:
    phrase = "The heart is of normal size and the lungs are clear without any effusion."
    rows = [case(str(n), text=phrase, notes=(report(note, phrase),)) for n in range(1, 9)]
    assert find_label_sources(rows)[1] == []


def test_a_cohort_without_reports_says_that_nothing_was_looked_at(case) -> None:
    assert find_label_sources([case(text="Cough."), case("8", catalogued=False)])[0].skipped
