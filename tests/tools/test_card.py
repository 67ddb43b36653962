"""The picture of a card."""

import pytest

from npfill.evaluate.contexts import kind
from tests.conftest import tiny
from tests.evaluate.test_figures import FACTOR, a_picture, blue_pixels
from tools.card import contexts_figure


@pytest.mark.slow
def test_contexts_show_what_each_context_hides_and_a_column_per_sample() -> None:
    model = tiny("np", channels=1).float()
    kinds = [kind("random:4"), kind("top-half")]
    narrow, wide = (contexts_figure(model, a_picture(), kinds, n, seed=0) for n in (1, 3))
    hidden = (36 - 4) + 18
    assert blue_pixels(narrow) == blue_pixels(wide) == hidden * FACTOR**2
    assert wide.height == narrow.height
    assert wide.width > narrow.width
