# `just` lists what can be done; each line works without just, too.
default:
    @just --list

# into the active virtual environment
install:
    python -m pip install -e . --group dev -c constraints.txt

# what is quick
quick:
    python -m pytest -n 2 -m "not slow"

# what is quick, every call checked against the shapes that it states
shapes:
    NPFILL_CHECK_SHAPES=1 python -m pytest -n 2 -m "not slow"

# everything
test:
    python -m pytest -n 2

# style, types, floors and the measures of the source
lint:
    ruff check .
    ruff format --check .
    mypy
    lint-imports
    python -m tests.house

# the command reference, from --help
commands:
    python -m typer npfill.cli utils docs --name npfill --output docs/commands.md

# damaged files, for ten minutes
fuzz:
    python -m tests.fuzz --minutes 10

# what must hold before a merge, in environments of its own
ci:
    .ci/run
