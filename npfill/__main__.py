"""`python -m npfill` is the command `npfill`."""

from npfill.cli import main

if __name__ == "__main__":
    main()
