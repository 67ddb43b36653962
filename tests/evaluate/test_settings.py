"""Which pixels are context, by the words of the command line."""

import pytest
import torch

from npfill.errors import UsageError
from npfill.evaluate.settings import Setting, parse, protocol


def test_a_pictures_mask_does_not_depend_on_how_many_there_are() -> None:
    setting = Setting("random", 100)
    assert torch.equal(setting.observed(50, 28, 3), setting.observed(1000, 28, 3)[:50])
    assert not torch.equal(setting.observed(50, 28, 3), setting.observed(50, 28, 4))


@pytest.mark.parametrize("count", [0, 1, 100, 784])
@pytest.mark.parametrize("family", ["random", "ordered"])
def test_as_many_pixels_are_observed_as_asked_for(family: str, count: int) -> None:
    observed = Setting(family, count).observed(7, 28, 0)
    assert observed.sum((1, 2, 3)).tolist() == [count] * 7


def test_ordered_observes_the_top_rows_first() -> None:
    observed = Setting("ordered", 60).observed(2, 28, 0)[1, 0]
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
def test_what_a_structured_setting_names_is_hidden(
    family: str, hidden: tuple[int, int], seen: tuple[int, int]
) -> None:
    observed = Setting(family).observed(1, 28, 0)[0, 0]
    assert not observed[hidden]
    assert observed[seen]
    assert observed.sum() == (588 if family == "centre-box" else 392)


def test_words_become_settings() -> None:
    assert parse("random:7, ordered:3,top-half,random:7,12", 28) == [
        Setting("random", 7),
        Setting("ordered", 3),
        Setting("top-half"),
        Setting("random", 12),
    ]
    assert parse("random,ordered,top-half,left-half,centre-box", 28) == protocol(28)
    assert [setting.name for setting in parse("random", 64)] == [
        "random:50", "random:200", "random:500", "random:1000",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["random:785", "half", "top-half:3", "random:-1", "", "random:x"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, 28)
