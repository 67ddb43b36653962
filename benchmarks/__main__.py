"""How fast npfill is, and how much its samples show: python -m benchmarks NAME."""

import argparse

from benchmarks import (
    adapt,
    check,
    complete,
    fields,
    growth,
    masks,
    predict,
    spectrum,
    steps,
    terrain,
    texture,
)

_PROGRAMS = {
    "steps": steps,
    "predict": predict,
    "complete": complete,
    "growth": growth,
    "spectrum": spectrum,
    "check": check,
    "masks": masks,
    "texture": texture,
    "terrain": terrain,
    "adapt": adapt,
    "fields": fields,
}


def main() -> None:
    """Run the program that is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, program in _PROGRAMS.items():
        line = (program.__doc__ or "").splitlines()[0]
        program.add_options(names.add_parser(name, help=line, description=line))
    options = parser.parse_args()
    _PROGRAMS[options.name].run(options)


if __name__ == "__main__":
    main()
