"""Metadata is hostile: capped, cleaned, never believed too much, never fatal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.files.metadata import (
    TAG_LIMIT,
    TAGS_JSON_LIMIT,
    TITLE_LIMIT,
    VALUE_LIMIT,
    WORD_LIMIT,
    read_words,
)

KOHYA = {
    "ss_output_name": "neon",
    "ss_network_dim": "8",
    "ss_network_alpha": "4.0",
    "ss_base_model_version": "sd_v1",
    "ss_sd_model_name": "tiny.safetensors",
    "ss_training_comment": "None",
    "ss_tag_frequency": json.dumps(
        {"10_neon": {"neon glow": 40, "1girl": 38, "night": 3}, "5_more": {"neon glow": 10, "1girl": 2}}
    ),
}


def test_what_kohya_writes() -> None:
    words = read_words(KOHYA)
    assert (words.alias, words.alpha, words.base_model) == ("neon", "4.0", "tiny.safetensors")
    assert words.tags == (("neon glow", 50), ("1girl", 40), ("night", 3))
    assert words.trigger_words == ("neon glow",)
    assert dict(words.trained)["Rank"] == "8"
    assert "Comment" not in dict(words.trained)  # the text None means nothing was set


def test_what_the_model_specification_writes() -> None:
    words = read_words(
        {
            "modelspec.title": "Neon nights",
            "modelspec.trigger_phrase": "neon glow, wet street,neon glow",
            "modelspec.tags": "style, night",
            "modelspec.description": "First.\nSecond.",
            "ss_tag_frequency": KOHYA["ss_tag_frequency"],
        }
    )
    assert words.title == "Neon nights"
    assert words.trigger_words == ("neon glow", "wet street")
    assert words.kinds == ("style", "night")
    assert words.description == "First.\nSecond."


def test_what_addnet_wrote() -> None:
    words = read_words({"ssmd_display_name": "Old", "ssmd_tags": "a, b", "ssmd_description": "d"})
    assert (words.title, words.kinds, words.description) == ("Old", ("a", "b"), "d")


def test_nothing() -> None:
    words = read_words({})
    assert (words.title, words.alias, words.trigger_words, words.tags, words.trained) == ("", "", (), (), ())


def test_tags_that_most_pictures_wear_are_the_trigger_words() -> None:
    text = json.dumps({"a": {"mecha suit": 100, "robot": 95, "girl": 91, "boy": 90, "day": 89}})
    assert read_words({"ss_tag_frequency": text}).trigger_words == ("mecha suit", "robot", "girl")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("None", id="None"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"a": 5}', id="folder is a number"),
        pytest.param('{"a": {"x": "many"}}', id="count is a word"),
        pytest.param('{"a": {"x": true}}', id="count is true"),
        pytest.param('{"a": {"x": NaN}}', id="count is NaN"),
        pytest.param('{"a": {"x": -5}}', id="count below zero"),
        pytest.param('{"a": {"x": 1e300}}', id="count beyond reason"),
        pytest.param('{"a": {"x": ' + "9" * 5000 + "}}", id="count of 5000 digits"),
        pytest.param('{"a": {"": 5, "\\u0000": 4}}', id="tags of nothing"),
        pytest.param('{"a": {"x": 5', id="cut off"),
        pytest.param("[" * 100_000, id="nesting bomb"),
        pytest.param(" " * TAGS_JSON_LIMIT + '{"a": {"x": 5}}', id="beyond the limit"),
    ],
)
def test_tag_tables_that_are_none(text: str) -> None:
    words = read_words({"ss_tag_frequency": text})
    assert (words.tags, words.trigger_words) == ((), ())


def test_only_the_commonest_tags_are_kept() -> None:
    text = json.dumps({"a": {f"tag {number}": number for number in range(1, 5000)}})
    tags = read_words({"ss_tag_frequency": text}).tags
    assert len(tags) == TAG_LIMIT
    assert tags[0] == ("tag 4999", 4999)


def test_long_and_hostile_texts_are_capped_and_cleaned() -> None:
    hostile = "\x1b[31m<script>\u202eevil\u2066\x00\n" + "x" * 1_000_000
    words = read_words(
        {
            "modelspec.title": hostile,
            "ss_output_name": hostile,
            "modelspec.trigger_phrase": hostile,
            "ss_sd_model_name": hostile,
            "ss_training_comment": hostile,
            "ss_tag_frequency": json.dumps({"a": {hostile: 5}}),
        }
    )
    assert words.title.startswith("[31m<script>evil x")
    assert len(words.title) == len(words.alias) == TITLE_LIMIT
    assert len(words.trigger_words[0]) == len(words.tags[0][0]) == WORD_LIMIT
    assert len(words.base_model) == len(dict(words.trained)["Comment"]) == VALUE_LIMIT


def test_many_trigger_words_are_cut() -> None:
    assert len(read_words({"modelspec.trigger_phrase": ",".join(map(str, range(2000)))}).trigger_words) == 30


@given(
    st.dictionaries(st.sampled_from((*KOHYA, "modelspec.title", "modelspec.tags", "ssmd_tags")), st.text())
)
def test_no_metadata_is_fatal(metadata: dict[str, str]) -> None:
    words = read_words(metadata)
    for text in (words.title, words.alias, *words.trigger_words, *(tag for tag, _ in words.tags)):
        assert text == text.strip()
        assert "\n" not in text
        assert text.encode("utf-8") is not None
