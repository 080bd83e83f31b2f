"""Every kind of bad input, and what holds it: a reader sees what there is, a test that it exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.files import bad_headers, bad_tensors

ROOT = Path(__file__).resolve().parents[2]

# Rows of `bad_headers.py` and `bad_tensors.py` stand here by their names, tests as `file::test`.
EVERY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "nothing, or fewer than eight bytes",
        (
            "empty file",
            "four bytes",
            "header of no length",
            "library/test_scan.py::test_files_in_trouble_are_listed_with_the_reason",
        ),
    ),
    (
        "a header longer than the file, than 100 MB, than 2^63",
        (
            "header longer than the file",
            "header at the limit",
            "header beyond the limit",
            "header of 2^63",
            "header of 2^64 - 1",
        ),
    ),
    (
        "a payload cut off, or with bytes behind it",
        ("truncated payload", "trailing byte", "zeros after the object"),
    ),
    (
        "places that overlap, leave holes, end before they begin",
        ("overlap", "same place twice", "hole", "hole at the beginning", "end first", "half a byte"),
    ),
    (
        "shapes that are no shapes or contradict their bytes",
        (
            "negative dimension",
            "fractional dimension",
            "dimension true",
            "dimension NaN",
            "dimension a list",
            "dimension beyond 64 bits",
            "elements beyond 64 bits",
            "bits beyond 64 bits",
            "shape too large",
            "shape too small",
            "dtype too wide",
        ),
    ),
    ("unknown number types", ("unknown dtype", "dtype in lower case", "dtype number")),
    (
        "a name twice in the JSON",
        ("tensor twice", "metadata twice", "key twice", "dtype twice", "one of many tensors twice"),
    ),
    (
        "a header that is no UTF-8, no object, a nesting bomb",
        (
            "not UTF-8",
            "UTF-16",
            "overlong UTF-8",
            "surrogate in UTF-8",
            "half a surrogate pair",
            "byte order mark",
            "a list",
            "prose",
            "nested 200000 deep",
            "metadata bomb",
            "number of 5000 digits",
        ),
    ),
    ("more than any network has", ("entries", "tensors", "name")),
    ("a header with leading space", ("files/test_header.py::test_accepted_as_the_library_does",)),
    (
        "metadata that is null, or no table of texts",
        (
            "files/test_header.py::test_accepted_as_the_library_does",
            "metadata is a number",
            "metadata is a list",
            "value is a number",
            "value is null",
        ),
    ),
    ("no tensors", ("empty object", "only metadata")),
    (
        "a pickle or an archive under a .safetensors name",
        (
            "pickle",
            "smallest pickle",
            "zip magic",
            "gzip",
            "7z",
            "RAR",
            "files/test_header.py::test_a_real_archive_under_a_wrong_name",
        ),
    ),
    ("a download that is none", ("log-in page", "a site's JSON", "a site's message", "LFS pointer", "PNG")),
    (
        ".pt and .ckpt",
        (
            "files/test_header.py::test_pickles_are_refused_by_their_suffix_and_the_way_out_is_told",
            "files/test_tensors.py::test_pickles_are_not_opened",
        ),
    ),
    (
        "NaN, infinity, more than half precision holds",
        (
            "NaN",
            "infinity",
            "NaN in bf16",
            "NaN in fp8",
            "1e300 in fp64",
            "files/test_bad_tensors.py::test_rotations_by_enormous_numbers",
            "files/test_tensors.py::test_not_finite",
            "engine/test_merged.py::test_a_weight_beyond_half_precision_is_refused_with_the_way_out",
        ),
    ),
    (
        "shapes that do not fit one another",
        ("up and down of two ranks", "middle's rank", "LoHa's ranks", "LoHa's halves", "LoKr's half"),
    ),
    ("numbers instead of matrices and the other way round", ("down of none", "up of three", "full of three")),
    (
        "a small file that means gigabytes",
        ("Tucker core of kilobytes", "LoRA", "LoHa", "LoHa's cores", "LoKr's factors", "LoKr's product"),
    ),
    (
        "nothing in an enormous shape",
        ("no enormous blocks", "stages of nothing", "empty triangles", "rows of nothing", "nine dimensions"),
    ),
    (
        "made for another base model",
        (
            "test_network.py::test_one_weight_of_another_size_is_enough_to_refuse",
            "test_network.py::test_a_file_of_another_architecture_is_told_by_name",
        ),
    ),
    (
        "names that lead nowhere",
        (
            "test_network.py::test_what_has_no_place_is_counted_and_named",
            "test_network.py::test_a_few_lucky_weights_do_not_make_a_fit",
        ),
    ),
    ("half a family that is enough", ("files/test_bad_tensors.py::test_odd_but_good",)),
    ("half a family that is not", ("up without down", "down without up", "one core of a LoHa")),
    (
        "rank 0",
        ("files/test_bad_tensors.py::test_odd_but_good", "test_network.py::test_odd_scales_are_noted"),
    ),
    (
        "an alpha of two numbers, of none, NaN, infinite, 0, negative",
        (
            "two alphas",
            "alpha of none",
            "alpha NaN",
            "alpha infinite",
            "alpha of odd type",
            "files/test_bad_tensors.py::test_odd_but_good",
        ),
    ),
    (
        "fp8, whole numbers, scaled fp8",
        (
            "files/test_tensors.py::test_every_float_becomes_float32",
            "weights of whole numbers",
            "weights of switches",
            "complex weights",
            "fp8 without fractions",
            "four bits",
            "scaled fp8",
        ),
    ),
    (
        "tensors larger than any layer",
        (
            "files/test_tensors.py::test_a_tensor_no_layer_can_have",
            "files/test_tensors.py::test_a_tensor_in_a_file_with_holes_is_refused_before_memory_is_asked_for",
        ),
    ),
    (
        "a folder called x.safetensors",
        ("library/test_scan.py::test_a_folder_called_like_a_file_is_a_folder",),
    ),
    (
        "links in a circle",
        ("library/test_scan.py::test_links_in_a_circle_end", "files/test_header.py::test_a_link_in_a_circle"),
    ),
    (
        "pipes, devices, holes, files that change, grow, shrink or vanish",
        (
            "files/test_header.py::test_a_pipe_does_not_hang",
            "files/test_disk.py::test_a_device_is_no_file",
            "files/test_disk.py::test_a_file_replaced_by_a_pipe_just_before_it_is_opened",
            "files/test_disk.py::test_a_file_with_holes_that_claims_any_size",
            "files/test_disk.py::test_a_file_that_vanishes_just_before_it_is_opened",
            "files/test_disk.py::test_a_change_while_reading_is_noticed",
            "files/test_tensors.py::test_a_file_that_shrinks_while_it_is_open",
            "files/test_hashes.py::test_a_file_that_grows_as_fast_as_it_is_read_has_an_end",
            "library/test_scan.py::test_a_file_that_vanishes_during_the_scan",
        ),
    ),
    (
        "names with brackets, colons, other forms of one letter, no text at all",
        (
            "stack/test_prompt.py::test_written_tags_are_read_back",
            "library/test_find.py::test_composed_and_decomposed_letters_are_equal",
            "library/test_scan.py::test_a_name_that_is_no_text_is_listed",
            "test_errors.py::test_a_message_is_one_line_whatever_a_file_is_called",
        ),
    ),
    ("names that are paths", ("library/test_find.py::test_a_name_is_never_a_path",)),
    ("one weight under two names", ("one weight under two names", "two alphas under two names")),
    (
        "two families on one weight",
        ("two families on one weight", "LoRA and full", "a difference and a new value"),
    ),
    ("lengths or a rescale alone", ("lengths alone", "rescale alone", "a scale alone", "a switch alone")),
    ("a checkpoint or an embedding given as LoRA", ("checkpoint", "a VAE's tensor", "embedding")),
)


def _rows() -> list[str]:
    tables = (
        bad_headers.BAD,
        bad_tensors.MISSING,
        bad_tensors.MIXED,
        bad_tensors.SHAPES,
        bad_tensors.NUMBERS,
        bad_tensors.ENORMOUS,
        bad_tensors.STRANGERS,
    )
    return [str(row.id) for table in tables for row in table]


def test_no_two_rows_share_a_name() -> None:
    rows = _rows()
    assert {name for name in rows if rows.count(name) > 1} == set()


@pytest.mark.parametrize(("what", "held_by"), EVERY, ids=[row[0] for row in EVERY])
def test_every_bad_input_is_held(what: str, held_by: tuple[str, ...]) -> None:
    rows = set(_rows())
    for name in held_by:
        path, is_test, test = name.partition("::")
        if is_test:
            text = (ROOT / "tests" / path).read_text(encoding="utf-8")
            assert re.search(rf"def {test}\(", text), f"'{what}' is not held: there is no {name}"
        else:
            assert name in rows, f"'{what}' is not held: no row is called '{name}'"
