from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.models.weights import PACKAGED, resolve_note_encoder
from pipelines.notes.windows import CHARACTERS_AT_ONCE, Windows, cut_windows

CLS, SEP = -7, -8


class Letters:
    """Every letter is a sub-word; blanks are none."""

    cls_token_id, sep_token_id = CLS, SEP

    def __call__(self, sentences: list[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [[ord(letter) for letter in sentence.replace(" ", "")] for sentence in sentences]}


def cut(sentences: list[str], **changes: Any) -> Windows:
    arguments = {"window": 7, "stride": 2, "windows_at_most": 100, "unit": "sentence", "tokenizer": Letters()}
    return cut_windows(sentences, **arguments | changes)


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(resolve_note_encoder(PACKAGED), local_files_only=True)


def test_a_short_record_is_one_window_between_its_special_sub_words():
    windows = cut(["ab", "c"])
    assert windows.ids == ((CLS, 97, 98, 99, SEP),)
    assert windows.unit == ((-1, 0, 0, 1, -1),)
    assert (windows.sentence, windows.left_out) == ((0, 1), 0)


def test_a_long_record_is_cut_into_windows_that_repeat_the_stride():
    windows = cut(["abcdefghi"])
    assert ["".join(map(chr, row[1:-1])) for row in windows.ids] == ["abcde", "defgh", "ghi"]


def test_a_record_that_just_fits_is_one_window():
    assert len(cut(["abcde"]).ids) == 1
    assert len(cut(["abcdef"]).ids) == 2


def test_of_a_record_that_is_too_long_the_newest_text_is_kept_and_the_rest_counted():
    windows = cut(["ab", "cdefgh", "ijk"], windows_at_most=2)
    assert ["".join(map(chr, row[1:-1])) for row in windows.ids] == ["defgh", "ghijk"]
    assert (windows.left_out, windows.sentence) == (3, (1, 2))


def test_a_sentence_without_sub_words_is_no_unit():
    windows = cut(["ab", "  ", "c"])
    assert (windows.sentence, windows.unit) == ((0, 2), ((-1, 0, 0, 1, -1),))


def test_a_unit_may_be_a_sub_word():
    windows = cut(["ab", "c"], unit="token")
    assert (windows.unit, windows.sentence) == (((-1, 0, 1, 2, -1),), (0, 0, 1))


@pytest.mark.parametrize("sentences", [[], ["", "  "]])
def test_no_text_gives_no_window(sentences):
    assert cut(sentences) == Windows((), (), (), 0)


@pytest.mark.parametrize("stride", [5, 6, -1])
def test_a_stride_that_leaves_no_room_is_refused(stride):
    with pytest.raises(ValueError, match=f"stride of {stride}"):
        cut(["abc"], stride=stride)


RECORDS = st.lists(st.text("ab c", max_size=12), max_size=12)


@given(RECORDS, st.integers(3, 12), st.integers(0, 8), st.integers(1, 40), st.sampled_from(["sentence", "token"]))
def test_every_sub_word_is_in_a_window_or_counted_as_left_out(sentences, window, stride, at_most, unit):
    stride = min(stride, window - 3)
    windows = cut(sentences, window=window, stride=stride, windows_at_most=at_most, unit=unit)
    whole = [ord(letter) for sentence in sentences for letter in sentence.replace(" ", "")]
    joined = whole[: windows.left_out] + [piece for row in windows.ids[:1] for piece in row[1:-1]]
    for row in windows.ids[1:]:
        assert joined[len(joined) - stride :] == list(row[1 : 1 + stride])
        joined += row[1 + stride : -1]
    assert joined == whole
    assert len(windows.ids) <= at_most
    assert windows.left_out == 0 or len(windows.ids) == at_most
    assert all(len(row) <= window and (row[0], row[-1]) == (CLS, SEP) for row in windows.ids)


@given(RECORDS, st.integers(3, 12), st.sampled_from(["sentence", "token"]))
def test_every_unit_is_in_a_window_and_belongs_to_the_sentence_its_sub_words_come_from(sentences, window, unit):
    windows = cut(sentences, window=window, stride=0, unit=unit)
    ids = [piece for row in windows.ids for piece in row[1:-1]]
    units = [number for row in windows.unit for number in row[1:-1]]
    assert sorted(set(units)) == list(range(len(windows.sentence)))
    assert [row[0] for row in windows.unit] == [row[-1] for row in windows.unit] == [-1] * len(windows.unit)
    owners = [n for n, sentence in enumerate(sentences) for _ in sentence.replace(" ", "")]
    assert [windows.sentence[number] for number in units] == owners
    assert ids == [ord(letter) for sentence in sentences for letter in sentence.replace(" ", "")]


def test_twenty_pages_are_read_to_the_end(tokenizer):
    sentences = [f"On day {day} the cough was a little worse than before." for day in range(900)]
    windows = cut(sentences, tokenizer=tokenizer, window=256, stride=32, windows_at_most=64)
    assert sum(len(row) for row in windows.ids) > 9000
    assert max(map(len, windows.ids)) == 256
    assert (windows.left_out, windows.sentence) == (0, tuple(range(900)))


def test_one_sentence_longer_than_the_encoder_reads_is_cut_without_a_warning(tokenizer):
    windows = cut(["dyspnoea " * 1500], tokenizer=tokenizer, window=256, stride=32, windows_at_most=64)
    assert (windows.sentence, windows.left_out) == ((0,), 0)
    assert len(windows.ids) > 10


@given(st.lists(st.text(max_size=40), max_size=5))
def test_the_real_tokenizer_takes_any_text(tokenizer, sentences):
    windows = cut(sentences, tokenizer=tokenizer, window=16, stride=4)
    assert all(row[0] == tokenizer.cls_token_id for row in windows.ids)
    assert set(windows.sentence) <= set(range(len(sentences)))


def test_special_words_in_the_text_of_a_note_are_text_like_any_other(tokenizer):
    windows = cut(["no [SEP] cough [MASK] or [PAD]"], tokenizer=tokenizer, window=64)
    inner = windows.ids[0][1:-1]
    assert not set(inner) & set(tokenizer.all_special_ids)
    assert windows.unit[0][1:-1] == (0,) * len(inner)


@given(st.lists(st.text("ab c\n", max_size=40), max_size=6), st.integers(4, 30))
def test_text_given_to_the_tokenizer_in_pieces_gives_the_same_windows(tokenizer, sentences, piece):
    how = {"tokenizer": tokenizer, "window": 16, "stride": 4, "windows_at_most": 3}
    whole = cut(sentences, **how)
    longest = max([0, *(len(word) for sentence in sentences for word in sentence.split())])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.notes.windows.CHARACTERS_AT_ONCE", max(piece, longest + 2))
        assert cut(sentences, **how) == whole


def test_the_tokenizer_never_gets_more_than_a_piece_of_a_long_record():
    sizes = []

    class Watched(Letters):
        def __call__(self, sentences, **named):
            sizes.append(sum(map(len, sentences)))
            return super().__call__(sentences, **named)

    windows = cut(["a" * 70_000, "b " * 9_000, "c"], tokenizer=Watched(), window=100, stride=10, windows_at_most=3)
    assert max(sizes) <= 2 * CHARACTERS_AT_ONCE
    assert windows.left_out + sum(len(row) - 2 for row in windows.ids) - 2 * 10 == 70_000 + 9_000 + 1
