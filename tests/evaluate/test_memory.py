"""The peak memory counts what was let go of again."""

import json
import subprocess
import sys

import pytest

# In a process of its own: training keeps what it let go of.
_CODE = """
import json
import numpy as np
from npfill.evaluate.memory import with_peak
large = lambda: float(np.ones(40_000_000).sum())
print(json.dumps([with_peak(work) for work in (large, lambda: 1.0, large)]))
"""


@pytest.mark.slow
def test_the_peak_counts_what_was_let_go_of_and_not_what_came_before() -> None:
    words = [sys.executable, "-c", _CODE]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    _, small, large = json.loads(ran.stdout)
    assert (small[0], large[0]) == (1.0, 40_000_000)
    if small[1] is None or large[1] is None:
        pytest.skip("the system does not tell")
    assert large[1] - small[1] > 0.3
