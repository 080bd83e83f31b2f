"""What a file says about itself, made harmless, and joined with what its tensors show.

Everything in the metadata is somebody's claim: names and shapes go first, and every text is capped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .architecture import LABELS, SAME_NAMES, from_metadata
from .hashes import declared, declared_legacy
from .header import Header
from .structure import Structure, family_text, rank_text, read_structure
from .text import clean, clean_lines, clean_words, parse_json

TITLE_LIMIT = 200  # characters
WORD_LIMIT = 120
VALUE_LIMIT = 300
DESCRIPTION_LIMIT = 5_000
TAGS_JSON_LIMIT = 4_000_000  # characters of ss_tag_frequency
COUNT_LIMIT = 1_000_000_000  # pictures that wear a tag
TAG_LIMIT = 30  # tags kept, the commonest first
ARGUMENTS_LIMIT = 100_000  # characters of ss_network_args
TRIGGER_LIMIT = 3  # words taken from the tags where no trigger phrase is given

_ALGORITHMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lora", ("lora", "locon")),
    ("locon", ("lora", "locon")),
    ("dylora", ("lora", "locon")),
    ("loha", ("loha",)),
    ("lokr", ("lokr",)),
    ("glora", ("glora",)),
    ("diag-oft", ("oft",)),
    ("boft", ("boft", "oft")),
    ("ia3", ("ia3",)),
    ("full", ("full",)),
    ("tlora", ("tlora",)),
)
"""LyCORIS' `algo` and the families its files then hold."""

_TRAINED: tuple[tuple[str, str], ...] = (
    ("ss_sd_model_name", "Trained on"),
    ("ss_base_model_version", "Base"),
    ("ss_resolution", "Resolution"),
    ("ss_num_train_images", "Pictures"),
    ("ss_max_train_steps", "Steps"),
    ("ss_num_epochs", "Epochs"),
    ("ss_learning_rate", "Learning rate"),
    ("ss_optimizer", "Optimizer"),
    ("ss_network_module", "Module"),
    ("ss_network_dim", "Rank"),
    ("ss_network_alpha", "Alpha"),
    ("ss_clip_skip", "Clip skip"),
    ("ss_seed", "Seed"),
    ("ss_training_comment", "Comment"),
    ("modelspec.author", "Author"),
    ("modelspec.license", "Licence"),
    ("modelspec.date", "Date"),
)


class Words(NamedTuple):
    """What the metadata says, capped and without control characters; empty where it says nothing."""

    title: str
    alias: str  # ss_output_name: the name under which the WebUI also knows the file
    description: str
    base_model: str
    alpha: str
    trigger_words: tuple[str, ...]
    tags: tuple[tuple[str, int], ...]  # of the training captions with their counts, the commonest first
    kinds: tuple[str, ...]  # modelspec.tags
    trained: tuple[tuple[str, str], ...]  # (label, value) worth showing
    declared_hash: str
    declared_legacy: str


class NetworkFacts(NamedTuple):
    """What is known of a file without reading its tensors; `problem` says why it cannot be a network."""

    words: Words
    architecture: str  # a key of architecture.LABELS, or empty for unknown
    note: str
    families: tuple[str, ...]
    ranks: tuple[int, ...]
    parts: tuple[str, ...]
    problem: str
    remarks: tuple[str, ...] = ()  # what the tensors leave open, and metadata that contradicts them

    @property
    def family(self) -> str:
        """The families in one text."""
        return family_text(self.families)

    @property
    def rank(self) -> str:
        """The ranks in one text."""
        return rank_text(self.ranks)


def facts(header: Header) -> NetworkFacts:
    """Return what names, shapes and, after them, metadata tell."""
    return join_facts(header.metadata, read_structure(header.tensors), read_words(header.metadata))


def join_facts(
    metadata: Mapping[str, str], structure: Structure, words: Words, with_remarks: bool = True
) -> NetworkFacts:
    """Return what a file's metadata and the structure of its tensors tell together; remarks if asked for."""
    architecture, note = tell_architecture(metadata, structure)
    return NetworkFacts(
        words=words,
        architecture=architecture,
        note=note,
        families=structure.families,
        ranks=structure.ranks,
        parts=structure.parts,
        problem=structure.problem,
        remarks=(*structure.remarks, *_contradictions(metadata, structure)) if with_remarks else (),
    )


def tell_architecture(metadata: Mapping[str, str], structure: Structure) -> tuple[str, str]:
    """Return the architecture that tensors and, after them, metadata tell, and a note where these differ."""
    claimed = from_metadata(metadata)
    note = structure.note
    architecture = structure.architecture
    if (architecture, claimed) in SAME_NAMES:
        architecture = claimed
    if claimed and architecture and claimed != architecture:
        note = f"{note} Its metadata says {LABELS[claimed]}, its tensors do not.".strip()
    return architecture or ("" if structure.problem else claimed), note


def _contradictions(metadata: Mapping[str, str], structure: Structure) -> tuple[str, ...]:
    """Say where the metadata is of another file, as after a merge, a resize or a rename."""
    said = []
    rank = _given(metadata, "ss_network_dim")
    if structure.families[:1] in (("lora",), ("locon",), ("loha",)) and rank.isdecimal() and structure.ranks:
        found = "–".join(str(end) for end in sorted({structure.ranks[0], structure.ranks[-1]}))
        if int(rank[:9]) not in structure.ranks:
            said.append(f"Its metadata says rank {rank[:9]}, its tensors have {found}.")
    arguments = parse_json(metadata.get("ss_network_args", ""), ARGUMENTS_LIMIT)
    algorithm = str(arguments.get("algo", "")).lower() if isinstance(arguments, dict) else ""
    expected = dict(_ALGORITHMS).get(algorithm, ())
    if expected and structure.families and not set(expected) & set(structure.families):
        families = " + ".join(structure.families)
        said.append(f"Its metadata says {algorithm}, its tensors are {families}.")
    return tuple(said)


def read_words(metadata: Mapping[str, str], with_training: bool = True) -> Words:
    """Return what the metadata says, made harmless; the table of training facts only if asked for."""
    tags = _tags(metadata.get("ss_tag_frequency", ""))
    phrase = _list(metadata.get("modelspec.trigger_phrase", ""))
    return Words(
        title=clean(metadata.get("modelspec.title") or metadata.get("ssmd_display_name"), TITLE_LIMIT),
        alias=clean(_given(metadata, "ss_output_name"), TITLE_LIMIT),
        description=clean_lines(
            metadata.get("modelspec.description") or metadata.get("ssmd_description"), DESCRIPTION_LIMIT
        ),
        base_model=clean(
            _given(metadata, "ss_sd_model_name") or _given(metadata, "ss_base_model_version"), VALUE_LIMIT
        ),
        alpha=clean(_given(metadata, "ss_network_alpha"), 40),
        trigger_words=phrase or _most_of(tags),
        tags=tags,
        kinds=_list(metadata.get("modelspec.tags") or metadata.get("ssmd_tags", "")),
        trained=tuple(
            (label, value)
            for key, label in (_TRAINED if with_training else ())
            if (value := clean(_given(metadata, key), VALUE_LIMIT))
        ),
        declared_hash=declared(metadata),
        declared_legacy=declared_legacy(metadata),
    )


def _given(metadata: Mapping[str, str], key: str) -> str:
    """Return a value; trainers write the text None where nothing was set."""
    value = metadata.get(key, "")
    return "" if value == "None" else value


def _list(text: str) -> tuple[str, ...]:
    """Return comma-separated words, at most 30, without doubles."""
    words = clean_words(text[:10_000].split(","), WORD_LIMIT) if text else ()
    return tuple(dict.fromkeys(word for word in words if word))[:30]


def _tags(text: str) -> tuple[tuple[str, int], ...]:
    """Return the tags of all training folders with their counts, the commonest first."""
    folders = parse_json(text, TAGS_JSON_LIMIT) if text else None
    if not isinstance(folders, dict):
        return ()
    counts: dict[str, int] = {}
    for folder in folders.values():
        numbers = folder.values() if isinstance(folder, dict) else ()
        if not counts and numbers and set(map(type, numbers)) == {int} and min(numbers) > 0:
            counts = folder  # as nearly always
            continue
        for tag, count in folder.items() if numbers else ():
            if type(count) is int and count > 0:
                counts[tag] = counts[tag] + count if tag in counts else count
    commonest = sorted(counts, key=counts.__getitem__, reverse=True)
    if commonest and counts[commonest[0]] >= COUNT_LIMIT:
        commonest = [tag for tag in commonest if counts[tag] < COUNT_LIMIT]
    del commonest[TAG_LIMIT:]
    words = zip(clean_words(commonest, WORD_LIMIT), commonest, strict=True)
    return tuple([(word, counts[tag]) for word, tag in words if word])


def _most_of(tags: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Return the tags that nearly every training picture wears: what the network was taught to answer to."""
    return tuple(tag for tag, count in tags[:TRIGGER_LIMIT] if count >= 0.9 * tags[0][1])
