"""Hypothesis strategies for stacks: every field, unicode names, unknown fields of any JSON shape."""

from __future__ import annotations

from hypothesis import strategies as st

from lib_lora.stack.entry import FIELD_NAMES, WEIGHT_LIMIT, Entry
from lib_lora.stack.stack import Stack

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
names = texts.filter(lambda text: bool(text.strip()))
weights = (
    st.floats(-WEIGHT_LIMIT, WEIGHT_LIMIT) | st.integers(-100, 100) | st.sampled_from((0.1 + 0.2, -0.0, 1.0))
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
extras = st.dictionaries(texts, json_values, max_size=3)
row_extras = extras.map(
    lambda pairs: tuple((name, value) for name, value in pairs.items() if name not in FIELD_NAMES)
)
stack_extras = extras.map(
    lambda pairs: tuple(
        (name, value) for name, value in pairs.items() if name not in ("version", "entries", "masks")
    )
)
entries = st.builds(
    Entry,
    network=names,
    hash=texts,
    weight=weights,
    te=st.none() | weights,
    unet=st.none() | weights,
    on=st.booleans(),
    role=texts,
    schedule=texts,
    te_schedule=texts,
    start=texts,
    stop=texts,
    blocks=texts,
    region=texts,
    feather=st.floats(0, 0.5),
    passes=texts,
    side=texts,
    extra=row_extras,
)
row_lists = st.lists(entries, max_size=4).map(tuple)
stacks = st.builds(Stack, entries=row_lists)
