"""Progress where a completion runs in a notebook."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from npfill.completion import notebook
from npfill.steps import Steps

ZMQInteractiveShell = type("ZMQInteractiveShell", (), {})


def test_a_line_says_how_much_is_done_and_changes_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def show(data: dict[str, str], **_: object) -> SimpleNamespace:
        said.append(data["text/plain"])
        return SimpleNamespace(update=show)

    for name, value in {"get_ipython": ZMQInteractiveShell, "display": show}.items():
        for module in ("IPython", "IPython.display"):
            monkeypatch.setitem(sys.modules, module, sys.modules.get(module, ModuleType(module)))
            monkeypatch.setattr(sys.modules[module], name, value, raising=False)
    monkeypatch.setattr(notebook, "_PATIENCE", -1.0)
    monkeypatch.setattr(notebook, "_BETWEEN", -1.0)
    with notebook.progress_in_notebook():
        steps = Steps(4)
        steps.advance()
        steps.advance(3)
    assert said == ["completing: 25 %, 0 s left", "completing: 100 %, 0 s left", "completed in 0 s"]


def test_outside_of_a_notebook_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with notebook.progress_in_notebook():
        Steps(1).advance()
    assert capsys.readouterr() == ("", "")
