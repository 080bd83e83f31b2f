"""A plan is a pure function of stack, networks and shapes; the user's number is multiplied once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_lora.errors import EntryValueError, NetworkMismatchError
from lib_lora.network import Network, NetworkCache
from lib_lora.plan import Plan, in_text_encoder, make_plan
from lib_lora.stack.entry import Entry
from lib_lora.stack.region import BOX, Region
from lib_lora.stack.stack import Stack
from tests.builders import TOY_LAYERS, kohya_layers, make_lora_file, small_sd1, toy_sd1

VIEW = toy_sd1().view()
QUERY = "unet.middle_block.1.transformer_blocks.0.attn1.to_q"
TEXT = "clip_l.text_model.encoder.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    """Three files by name: all layers, the UNet's only, the text encoder's only."""
    folder = tmp_path_factory.mktemp("loras")
    kinds = {"all": "lora_", "unet": "lora_unet", "text": "lora_te"}
    opened = {}
    for seed, (name, prefix) in enumerate(kinds.items()):
        path = folder / f"{name}.safetensors"
        layers = {layer: size for layer, size in TOY_LAYERS.items() if layer.startswith(prefix)}
        make_lora_file(path, layers, seed=seed)
        opened[name] = NetworkCache().open(path, "sd1")
    return opened


def plan_of(networks: dict[str, Network], *entries: Entry) -> Plan:
    active = [networks[entry.network] for entry in entries if entry.on]
    return make_plan(Stack(entries), active, VIEW)


def strengths(plan: Plan, name: str) -> list[float]:
    return [change.strength for change in plan.changes.get(name, ())]


def test_the_number_arrives_as_it_was_written(networks: dict[str, Network]) -> None:
    plan = plan_of(networks, Entry("all", weight=0.8))
    assert strengths(plan, QUERY) == strengths(plan, TEXT) == [0.8]


def test_parts_have_numbers_of_their_own(networks: dict[str, Network]) -> None:
    plan = plan_of(networks, Entry("all", weight=0.8, te=-0.25, unet=1.5))
    assert strengths(plan, QUERY) == [1.5]
    assert strengths(plan, TEXT) == [-0.25]
    assert {weight.partition(".")[0] for weight in plan.part("unet")} == {"unet"}
    assert len(plan.part("unet")) + len(plan.part("clip_l")) == len(plan.changes) == 5


def test_weight_zero_and_switched_off_change_nothing(networks: dict[str, Network]) -> None:
    zero = plan_of(networks, Entry("all", weight=0))
    assert not zero.changes
    assert zero.te_key == ()
    assert [entry.fit.total for entry in zero.entries] == [5]
    off = plan_of(networks, Entry("all", on=False))
    assert not off.changes
    assert not off.entries


def test_rows_are_counted_as_the_user_sees_them(networks: dict[str, Network]) -> None:
    plan = plan_of(networks, Entry("all", on=False), Entry("unet"))
    assert [entry.row for entry in plan.entries] == [2]


numbers = st.sampled_from([-0.5, 0.0, 0.3, 1.0])
rows = st.lists(
    st.builds(Entry, st.sampled_from(["all", "unet", "text"]), weight=numbers, te=numbers), max_size=5
)


@given(rows, st.randoms())
def test_the_order_of_additive_rows_does_not_matter(
    networks: dict[str, Network], entries: list[Entry], chance: object
) -> None:
    shuffled = list(entries)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = plan_of(networks, *entries), plan_of(networks, *shuffled)
    assert one.te_key == other.te_key
    for name in one.changes:
        assert [c.key for c in one.changes[name]] == [c.key for c in other.changes[name]]


@given(rows)
def test_the_text_key_tells_what_changes_the_text_encoder(
    networks: dict[str, Network], entries: list[Entry]
) -> None:
    wanted = sorted((e.network, e.te_weight) for e in entries if e.network != "unet" and e.te_weight != 0)
    plan = plan_of(networks, *entries)
    assert (plan.te_key == ()) == (not wanted)
    assert hash(plan.te_key) == hash(plan_of(networks, *entries).te_key)
    by_unet_only = [Entry(e.network, weight=1.7, te=e.te_weight) for e in entries]
    assert plan_of(networks, *by_unet_only).te_key == plan.te_key
    if wanted:
        moved = [Entry(e.network, te=e.te_weight + 0.01 * (e.te_weight != 0)) for e in entries]
        assert plan_of(networks, *moved).te_key != plan.te_key


def test_the_text_key_tells_which_weights_of_the_text_encoder_a_rule_leaves_out(tmp_path: Path) -> None:
    """The host keeps encoded prompts by this key: one that is too coarse gives the picture of other rules."""
    model, path = small_sd1(), tmp_path / "a.safetensors"
    make_lora_file(path, kohya_layers(model))
    network, view = NetworkCache().open(path, "sd1"), model.view()
    rules = [
        "",
        "ALL;BASE:mlp:0",
        "ALL;BASE:q_proj:0",
        "ALL;BASE:q_proj:0.5",
        "ALL;BASE:k_proj:0.5",
        "ALL;IN01:attn:0",
    ]
    keys = [make_plan(Stack((Entry("a", blocks=rule),)), [network], view).te_key for rule in rules]
    assert len(set(keys)) == len(rules) - 1
    assert keys[-1] == keys[0]  # nothing of the text encoder lies in that block


def test_a_file_written_anew_has_another_text_key(tmp_path: Path) -> None:
    path, keys = tmp_path / "a.safetensors", []
    for seed in (1, 2):
        make_lora_file(path, TOY_LAYERS, seed=seed, rank=seed)
        plan = make_plan(Stack((Entry("a"),)), [NetworkCache().open(path, "sd1")], VIEW)
        keys.append(plan.te_key)
    assert keys[0] != keys[1]


def test_a_misfit_names_its_row(tmp_path: Path, networks: dict[str, Network]) -> None:
    path = tmp_path / "wide.safetensors"
    make_lora_file(path, {"lora_unet_conv_in": (9, 4, 3)})
    wide = NetworkCache().open(path, "sd1")
    stack = Stack((Entry("all"), Entry("styles/wide")))
    with pytest.raises(NetworkMismatchError, match=r"row 2 \(styles/wide\): 'wide' does not fit.*SD 1\.x"):
        make_plan(stack, [networks["all"], wide], VIEW)


def test_where_a_row_acts_is_in_every_change_of_the_unet(networks: dict[str, Network]) -> None:
    plan = plan_of(networks, Entry("all", region="box:0,0,0.5,1", feather=0.1, side="positive"))
    region = Region(BOX, box=(0, 0, 0.5, 1), feather=0.1)
    assert plan.entries[0].region == region
    found = {(change.region, change.side) for change in plan.part("unet")[next(iter(plan.part("unet")))]}
    assert found == {(region, "positive")}
    texts = [change for name, found in plan.changes.items() if in_text_encoder(name) for change in found]
    assert texts and {(change.region, change.side) for change in texts} == {(None, "positive")}


def test_a_side_is_told_in_the_text_encoders_key(networks: dict[str, Network]) -> None:
    keys = {plan_of(networks, Entry("all", side=side)).te_key for side in ("", "positive", "negative")}
    assert len(keys) == 3
    assert plan_of(networks, Entry("all", region="inpaint")).te_key in keys


@pytest.mark.parametrize(
    "entry", [Entry("all", region="inpant"), Entry("all", region="not:7"), Entry("all", side="left")]
)
def test_what_is_wrong_with_an_aim_names_its_row(networks: dict[str, Network], entry: Entry) -> None:
    with pytest.raises(EntryValueError, match=r"row 1 \(all\): (region|side)"):
        plan_of(networks, entry)


@pytest.mark.parametrize(
    ("blocks", "query", "text"),
    [
        pytest.param("", 0.8, 0.4, id="everywhere"),
        pytest.param("MIDD", 0.8, 0.4, id="a preset with the middle block"),
        pytest.param("OUTS", 0, 0.4, id="a preset without it"),
        pytest.param("NONE", 0, 0, id="nowhere"),
        pytest.param("0.5,0,0,0,0,0,0,0.25" + ",0" * 9, 0.2, 0.2, id="numbers are multiplied"),
        pytest.param("ALL;M00:to_q:-1", -0.8, 0.4, id="a rule"),
    ],
)
def test_blocks_multiply_the_row_s_number(
    networks: dict[str, Network], blocks: str, query: float, text: float
) -> None:
    plan = plan_of(networks, Entry("all", weight=0.8, te=0.4, blocks=blocks))
    assert sum(strengths(plan, QUERY)) == pytest.approx(query)
    assert sum(strengths(plan, TEXT)) == pytest.approx(text)
    assert plan.entries[0].acting == len(plan.changes)


def test_weights_that_a_short_list_leaves_out_are_told(networks: dict[str, Network]) -> None:
    short, long = (plan_of(networks, Entry("all", blocks="1" + ",1" * n)).entries[0] for n in (16, 25))
    assert "IN00" in short.notes[-1]
    assert "26 numbers" in short.notes[-1]
    assert not any("off" in note for note in long.notes)
    assert (short.acting, long.acting) == (4, 5)


def test_a_wrong_preset_names_its_row(networks: dict[str, Network]) -> None:
    with pytest.raises(EntryValueError, match=r"row 2 \(unet\): blocks: there is no preset 'OUTT'"):
        plan_of(networks, Entry("all"), Entry("unet", blocks="OUTT"))


def test_networks_must_match_the_rows(networks: dict[str, Network]) -> None:
    with pytest.raises(ValueError, match="2 active rows, but 1 networks"):
        make_plan(Stack((Entry("all"), Entry("unet"))), [networks["all"]], VIEW)


@given(rows, rows)
def test_a_plan_made_after_another_is_the_same(
    networks: dict[str, Network], first: list[Entry], second: list[Entry]
) -> None:
    alone = plan_of(networks, *second)
    after = make_plan(
        Stack(tuple(second)), [networks[e.network] for e in second], VIEW, plan_of(networks, *first)
    )
    assert (after.te_key, after.entries, list(after.parts)) == (
        alone.te_key,
        alone.entries,
        list(alone.parts),
    )
    assert list(after.changes) == list(alone.changes)
    for name, found in alone.changes.items():
        assert [c.key for c in after.changes[name]] == [c.key for c in found]


def test_what_did_not_move_is_not_planned_again(networks: dict[str, Network]) -> None:
    files = [networks["all"], networks["unet"]]
    first = make_plan(Stack((Entry("all", te=0.3), Entry("unet"))), files, VIEW)
    second = make_plan(Stack((Entry("all", te=0.4), Entry("unet"))), files, VIEW, first)
    assert second.part("unet") is first.part("unet")
    assert second.part("clip_l") is not first.part("clip_l")
    assert second.entries[0].fit is first.entries[0].fit
    aimed = make_plan(Stack((Entry("all", te=0.4, blocks="MIDD"), Entry("unet"))), files, VIEW, second)
    assert aimed.part("unet") is not second.part("unet")
    assert make_plan(Stack((Entry("unet"),)), files[1:], VIEW, aimed).rows[0].shares is aimed.rows[1].shares
