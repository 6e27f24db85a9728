"""Dictation: sentences spoken by synthetic voices, transcribed, and compared with what was said.

    .venv/bin/python benchmarks/dictation.py

Needs flite and espeak-ng (Debian) and the extra ``dictation``. Every wrong negation, side or number must stand in a
marked sentence: exit 1 where one does not. ``--keep FILE`` writes what each pass heard, and goes on from it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from pipelines.notes.transcribe_align import Word, align, counterparts
from pipelines.notes.transcribe_audio import read_recording
from pipelines.notes.transcribe_decode import RATE
from pipelines.notes.transcribe_doubts import doubts, missed
from pipelines.notes.transcribe_model import SpeechModel, finding_vocabulary, load_speech_model
from pipelines.notes.transcribe_passes import find_speech, hear_thrice, stretches
from pipelines.notes.transcribe_text import sentence_bounds
from pipelines.notes.transcribe_words import compared, critical

VOICES = (
    *("flite:kal16", "flite:awb", "flite:rms", "flite:slt"),
    *("espeak:en-us:150", "espeak:en-gb:130", "espeak:en-us+f3:160", "espeak:en-gb-scotland:140"),
)
TERMS = frozenset(
    [
        *("pneumothorax", "effusion", "cardiomegaly", "embolism", "nodule", "nodules", "opacities"),
        *("consolidation", "lymphadenopathy", "mass", "emphysema", "atelectasis", "edema", "fracture", "hernia"),
        *("pneumonia", "infiltrate", "granuloma", "bronchiectasis", "scarring", "tuberculosis", "airspace"),
        *("fibrosis", "thickening", "congestion", "metastasis", "dissection", "empyema", "embolus"),
        *("mediastinum", "costophrenic", "hemidiaphragm", "pericardial", "pleural", "pulmonary"),
    ]
)
SENTENCES = """
No pneumothorax.
There is a small right pleural effusion.
Mild cardiomegaly is noted.
There is no pleural effusion on the left.
No evidence of pulmonary embolism.
A nodule of 2.5 centimeters is seen in the left upper lobe.
The patient denies chest pain.
Bilateral ground glass opacities are present.
No consolidation in the right lower lobe.
There is a left sided pneumothorax.
The heart is not enlarged.
No lymphadenopathy.
There is a mass of 4 centimeters in the right upper lobe.
No pericardial effusion is seen.
Moderate emphysema in both lungs.
There is no atelectasis.
The patient has a cough without fever.
Pulmonary edema is absent.
A fracture of the left seventh rib is noted.
No right sided pleural effusion.
No acute pulmonary embolism on the left.
There are three nodules in the right lung.
The effusion on the left has increased.
She never smoked.
There is no hiatal hernia.
Bibasilar atelectasis, more on the right.
No nodule larger than 6 millimeters.
Neither consolidation nor effusion is present.
The aorta measures 4.2 centimeters.
There is consolidation of the left lower lobe.
No cardiomegaly.
Pneumonia of the right middle lobe cannot be excluded.
There is no left pneumothorax, but a small one on the right.
The right lung is clear.
The lungs are clear without infiltrate.
No free air under the right hemidiaphragm.
There is pneumonia in the left lung.
No rib fracture.
He does not have a fever.
A calcified granuloma of 5 millimeters in the right upper lobe.
No interval change of the left pleural effusion.
Interstitial edema is not seen.
The patient is 67 years old and has lung cancer on the right.
No history of heart failure.
There is a tumor of 15 millimeters in the left hilum.
No bronchiectasis.
Scarring in the right apex is unchanged.
There is no evidence of tuberculosis.
No focal airspace disease.
A large hernia is seen.
Both costophrenic angles are blunted, no pneumothorax.
There is fibrosis in the right base.
No pleural thickening on the right.
The left hemidiaphragm is elevated.
There is no mass in the left lung.
Two nodules in the left lower lobe measure 8 and 12 millimeters.
No sign of congestion.
Pleural effusion on the right is no longer seen.
The mediastinum is not widened.
No metastasis.
Oxygen saturation is 92 percent.
There is no dissection of the aorta.
An infiltrate in the left upper lobe is new.
No emphysema, no fibrosis.
Shortness of breath for 3 days, no cough.
There is a right sided empyema.
No acute disease.
Without contrast there is no embolus to be seen.
The left lung is not collapsed.
No effusion, left or right.
Pneumothorax on the right has resolved.
There is no right heart strain.
""".strip().splitlines()


def speak(voice: str, text: str, path: Path) -> None:
    """Let a synthetic voice say a text into a WAV file."""
    engine, name, *speed = voice.split(":")
    command = ["flite", "-voice", name, "-t", text, "-o", str(path)]
    if engine == "espeak":
        command = ["espeak-ng", "-v", name, "-s", speed[0], "-w", str(path), text]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def recordings(*, sentences: int, voices: int, together: int, seed: int) -> list[tuple[str, list[str]]]:
    """(voice, what it says): every voice says all sentences, some in each recording, in an order of its own."""
    generator = random.Random(seed)
    found = []
    for voice in VOICES[:voices]:
        order = list(SENTENCES[:sentences])
        generator.shuffle(order)
        found += [(voice, order[start : start + together]) for start in range(0, len(order), together)]
    generator.shuffle(found)
    return found


def listen(model: SpeechModel, voice: str, said: list[str], *, beam: int, noise: float, seed: int) -> dict[str, object]:
    """What each pass hears of a recording, stretch by stretch."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        speak(voice, " ".join(said), path)
        samples = read_recording(path.read_bytes(), seconds_at_most=600.0)
    if noise:
        loud = float(np.sqrt(np.mean(samples**2)))
        samples = samples + np.random.default_rng(seed).normal(0.0, loud * noise, len(samples)).astype(np.float32)
    began = time.process_time()
    speech = find_speech(samples)
    heard = []
    for stretch in stretches(speech):
        passes = hear_thrice(model, samples, stretch, beam=beam)
        heard.append(
            {
                "words": [[astuple(word) for word in item.words] for item in passes],
                "shaky": sorted(passes[0].shaky),
                "cut": stretch.cut,
            }
        )
    return {
        "voice": voice, "said": said, "speech": speech, "heard": heard,
        "seconds": len(samples) / RATE, "cpu": time.process_time() - began,
    }  # fmt: skip


def judge(
    item: dict, counts: Counter, *, vocabulary: frozenset[str], critical_confidence: float, show: bool
) -> Iterator[str]:
    """Count what of a recording is right, wrong and marked; lines about what is wrong and not marked."""
    words: list[Word] = []
    plain: list[Word] = []
    marks: list[tuple[str, ...]] = []  # of the sentence of each word
    gaps: list[float] = []
    follows_cut = False
    for part in item["heard"]:
        main, unprompted, denying = ([Word(*word) for word in heard] for heard in part["words"])
        found = doubts(
            main,
            sentence_bounds(main),
            unprompted=unprompted,
            denying=denying,
            speech=[tuple(span) for span in item["speech"]],
            vocabulary=vocabulary,
            shaky=frozenset(part["shaky"]),
            critical_confidence=critical_confidence,
            cut=(follows_cut, part["cut"]),
        )
        follows_cut = part["cut"]
        counts["sentences"] += len(found)
        counts["sentences marked"] += sum(bool(sentence.kinds) for sentence in found)
        for sentence in found:
            counts.update(f"doubt {kind}" for kind in sentence.kinds)
            marks += [sentence.kinds] * (sentence.last - sentence.first)
        gaps += missed(main, unprompted)
        words += main
        plain += unprompted
    for name, heard in (("prompted", words), ("unprompted", plain)):
        _accuracy(item["said"], heard, counts, name)
    place = 0
    for sentence, numbers in _counterparts(item["said"], words):
        told, heard = critical(sentence.split()), critical([words[number].text for number in numbers])
        # Of a sentence that is gone, a mark must stand where it was said.
        around = [number for number in (place - 1, place) if 0 <= number < len(words)]
        gone = not numbers and any(words[n].start - 6.0 <= gap <= words[n].end + 6.0 for gap in gaps for n in around)
        marked = gone or any(marks[number] for number in numbers)
        place = numbers[-1] + 1 if numbers else place
        counts["said lost whole"] += not numbers
        wrong = [
            kind
            for kind in ("negation", "side", "number")
            if [said.value for said in told if said.kind == kind] != [said.value for said in heard if said.kind == kind]
        ]
        counts["said"] += 1
        counts["said marked"] += marked
        counts["said wrong"] += bool(wrong)
        counts["said right and marked"] += marked and not wrong
        for kind in {said.kind for said in told}:
            counts[f"{kind} said"] += 1
        for kind in wrong:
            counts[f"{kind} wrong"] += 1
            counts[f"{kind} wrong unmarked"] += not marked
        if wrong and (show or not marked):
            state = "marked" if marked else "NOT MARKED"
            yield f"{state}: {item['voice']}: {sentence} → {' '.join(words[number].text for number in numbers)}"


def _accuracy(said: list[str], heard: list[Word], counts: Counter, name: str) -> None:
    told = [compared(word) for sentence in said for word in sentence.split()]
    got = [compared(word.text) for word in heard]
    pairs = align([Word(word, 0, 0, 1) for word in told], [Word(word, 0, 0, 1) for word in got])
    wrong = sum(one is None or two is None or told[one] != got[two] for one, two in pairs)
    counts[f"{name} words wrong"] += wrong
    counts[f"{name} words"] += len(told)
    for one, two in pairs:
        if one is not None and told[one] in TERMS:
            counts["terms"] += name == "prompted"
            counts[f"{name} terms right"] += two is not None and told[one] == got[two]


def _counterparts(said: list[str], words: list[Word]) -> Iterator[tuple[str, tuple[int, ...]]]:
    told = [Word(word, 0, 0, 1) for sentence in said for word in sentence.split()]
    bounds, at = [], 0
    for sentence in said:
        bounds.append((at, at + len(sentence.split())))
        at = bounds[-1][1]
    pairs = align(told, [Word(word.text, 0, 0, 1) for word in words])
    yield from zip(said, counterparts(bounds, pairs), strict=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=len(SENTENCES))
    parser.add_argument("--voices", type=int, default=len(VOICES))
    parser.add_argument("--together", type=int, default=6, help="sentences in one recording")
    parser.add_argument("--recordings", type=int, default=None, help="only so many of them")
    parser.add_argument("--model", default="packaged", help="packaged, or a folder with a Whisper")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--noise", type=float, default=0.0, help="white noise, as a share of the speech's loudness")
    parser.add_argument("--critical-confidence", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--show", action="store_true", help="what is wrong and marked, too")
    given = parser.parse_args()
    wanted = recordings(sentences=given.sentences, voices=given.voices, together=given.together, seed=given.seed)[
        : given.recordings
    ]
    heard = json.loads(given.keep.read_text()) if given.keep and given.keep.exists() else []
    known = {(item["voice"], *item["said"]) for item in heard}
    missing = [(voice, said) for voice, said in wanted if (voice, *said) not in known]
    model = load_speech_model(given.model, threads=1) if missing else None
    for voice, said in missing:
        assert model is not None
        heard.append(listen(model, voice, said, beam=given.beam, noise=given.noise, seed=given.seed))
        if given.keep:
            half = given.keep.with_suffix(".half")
            half.write_text(json.dumps(heard))
            half.rename(given.keep)
    counts: Counter = Counter()
    by_voice: dict[str, Counter] = {}
    vocabulary = finding_vocabulary()
    for item in heard:
        own: Counter = Counter()
        for line in judge(
            item, own, vocabulary=vocabulary, critical_confidence=given.critical_confidence, show=given.show
        ):
            print(line, file=sys.stderr)
        counts.update(own)
        by_voice.setdefault(item["voice"], Counter()).update(own)
    seconds, cpu = (sum(item[name] for item in heard) for name in ("seconds", "cpu"))
    print_table(counts, recorded=len(heard), seconds=seconds, cpu=cpu)
    print("\n| voice | said | word error rate, prompted | right sentences that are marked |\n| --- | --- | --- | --- |")
    for voice, own in sorted(by_voice.items()):
        error = own["prompted words wrong"] / max(own["prompted words"], 1)
        price = own["said right and marked"] / max(own["said"] - own["said wrong"], 1)
        print(f"| {voice} | {own['said']} | {error:.1%} | {price:.1%} |")
    lost = sum(counts[f"{kind} wrong unmarked"] for kind in ("negation", "side", "number"))
    return 1 if lost or counts["said"] < 60 else 0


def print_table(counts: Counter, *, recorded: int, seconds: float, cpu: float) -> None:
    def share(part: str, whole: str) -> str:
        return f"{counts[part]} of {counts[whole]} ({counts[part] / max(counts[whole], 1):.1%})"

    right = counts["said"] - counts["said wrong"]
    good, wrongly = counts["said wrong"], counts["said right and marked"]
    caught = counts["said marked"] - wrongly
    rows = [
        ("recordings, seconds of speech", f"{recorded}, {seconds:.0f}"),
        ("sentences said", str(counts["said"])),
        ("terms right, unprompted", share("unprompted terms right", "terms")),
        ("terms right, prompted", share("prompted terms right", "terms")),
        ("word error rate, unprompted", f"{counts['unprompted words wrong'] / max(counts['unprompted words'], 1):.1%}"),
        ("word error rate, prompted", f"{counts['prompted words wrong'] / max(counts['prompted words'], 1):.1%}"),
        *(
            (
                f"{kind}s wrong, of which not marked",
                f"{counts[f'{kind} wrong']}, **{counts[f'{kind} wrong unmarked']}**",
            )
            for kind in ("negation", "side", "number")
        ),
        ("sentences lost whole (a mark stands in their place)", str(counts["said lost whole"])),
        ("sentences said that stand marked", share("said marked", "said")),
        (
            "… of them wrong in a negation, side or number (precision)",
            f"{caught} ({caught / max(caught + wrongly, 1):.0%})",
        ),
        ("sentences wrong in one, that are marked (recall)", f"{caught} of {good}"),
        (
            "right sentences that are marked all the same (the price)",
            f"{wrongly} of {right} ({wrongly / max(right, 1):.1%})",
        ),
        ("processor seconds a second of speech", f"{cpu / max(seconds, 1):.2f}"),
    ]
    print("| what | result |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |")
    print(
        "\nDoubts: "
        + ", ".join(f"{name.split()[1]} {count}" for name, count in sorted(counts.items()) if name[:5] == "doubt")
    )


if __name__ == "__main__":
    sys.exit(main())
