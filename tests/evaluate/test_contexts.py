"""Which pixels are context, by the words of the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.evaluate.contexts import grid_protocol, kind, parse, photograph_protocol


def test_a_pictures_mask_does_not_depend_on_how_many_there_are() -> None:
    context = kind("random:100")
    assert torch.equal(context.observed(50, (28, 28), 3), context.observed(1000, (28, 28), 3)[:50])
    assert not torch.equal(context.observed(50, (28, 28), 3), context.observed(50, (28, 28), 4))


@pytest.mark.parametrize("count", [0, 1, 100, 784])
@pytest.mark.parametrize("family", ["random", "ordered"])
def test_as_many_pixels_are_observed_as_asked_for(family: str, count: int) -> None:
    observed = kind(f"{family}:{count}").observed(7, (28, 28), 0)
    assert observed.sum((1, 2, 3)).tolist() == [count] * 7


def test_ordered_observes_the_top_rows_first() -> None:
    observed = kind("ordered:60").observed(2, (28, 28), 0)[1, 0]
    assert observed[:2].all()
    assert observed[2, :4].all()
    assert observed.sum() == 60


@pytest.mark.parametrize(
    ("family", "hidden", "seen"),
    [
        ("top-half", (0, 27), (14, 0)),
        ("left-half", (27, 13), (0, 14)),
        ("centre-box", (7, 20), (6, 7)),
    ],
)
def test_what_a_structured_kind_names_is_hidden(
    family: str, hidden: tuple[int, int], seen: tuple[int, int]
) -> None:
    observed = kind(family).observed(1, (28, 28), 0)[0, 0]
    assert not observed[hidden]
    assert observed[seen]
    assert observed.sum() == (588 if family == "centre-box" else 392)


@pytest.mark.parametrize("size", [2, 3, 5, 6, 28, 40])
def test_no_kind_of_the_protocol_is_there_twice(size: int) -> None:
    names = [each.name for each in grid_protocol(size)]
    assert len(names) == len(set(names))


def test_words_become_kinds() -> None:
    assert parse("random:7, ordered:3,top-half,random:7,12", 28) == [
        kind("random:7"),
        kind("ordered:3"),
        kind("top-half"),
        kind("random:12"),
    ]
    assert parse("random,ordered,top-half,left-half,centre-box", 28) == grid_protocol(28)
    assert [each.name for each in parse("random", 64)] == [
        "random:50", "random:200", "random:500", "random:1000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["random:785", "half", "top-half:3", "random:-1", "", "random:x", "random:5%", "5%"]
)
def test_what_is_no_kind_of_context_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, 28)


@pytest.mark.parametrize("size", [28, None])
def test_irregular_contexts_ask_for_their_masks(size: int | None) -> None:
    with pytest.raises(UsageError, match="irregular needs `masks`"):
        parse("irregular", size)


def test_a_name_is_read_back() -> None:
    kinds = [*grid_protocol(28), *photograph_protocol()]
    assert [kind(each.name) for each in kinds] == kinds
    assert kind("keep:20") == kind("keep 20 %")


@pytest.mark.parametrize("word", ["random:9", "ordered:9", "centre-box", "keep 20 %", "text"])
def test_every_kind_draws_masks_of_any_size_that_depend_on_the_number_alone(word: str) -> None:
    context, size = kind(word), (24, 35)
    whole = context.observed(4, size, 1)
    assert whole.shape == (4, 1, *size)
    assert torch.equal(whole[2:], context.observed(2, size, 1, first=2))
    if word == "random:9":
        assert whole.sum((1, 2, 3)).tolist() == [9] * 4


def test_a_grid_and_photographs_have_the_same_kinds() -> None:
    assert parse("keep,text,top-half", 28) == parse("keep,text,top-half", None)
    with pytest.raises(UsageError) as refusal:
        parse("random", None)
    assert "random:N" in refusal.value.hint
    with pytest.raises(UsageError):
        kind("random:9").observed(1, (2, 4), 0)


def test_irregular_masks_are_resized_and_taken_in_turn(tmp_path: Path) -> None:
    for number, side in enumerate((4, 6)):
        mask = np.zeros((20, 20), dtype=np.uint8)
        mask[:side, :side] = 255
        Image.fromarray(mask).save(tmp_path / f"{number}.png")
    (context,) = parse("irregular", None, tmp_path)
    assert context.name == "irregular 1-10 %"
    hidden = ~context.observed(3, (40, 20), 0)
    assert hidden.sum((1, 2, 3)).tolist() == [32, 72, 32]
    with pytest.raises(UsageError, match="no context is irregular"):
        parse("text", None, tmp_path)


def test_masks_that_hide_too_little_or_too_much_are_refused(tmp_path: Path) -> None:
    Image.new("L", (20, 20), 255).save(tmp_path / "all.png")
    with pytest.raises(InputError, match="no mask hides 1 to 60 % of its picture"):
        parse("irregular", None, tmp_path)
