"""The entry point of the command `npfill`: it owns the signals before anything else is imported."""

import os

try:
    import signal  # takes a few milliseconds
except KeyboardInterrupt:
    os._exit(130)

_SIGNALLED = 128  # and the number of the signal: the exit code of what a signal ends


def main() -> None:
    """Run the command line in this process; a signal ends it with its code and no word."""
    signals = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
    owned = [number for number in signals if signal.getsignal(number) is not signal.SIG_IGN]
    for number in owned:  # an ignored one stays so, as under nohup
        signal.signal(number, lambda number, _: os._exit(_SIGNALLED + number))
    from npfill.cli.process import run  # noqa: PLC0415 - takes a while

    run(owned)


if __name__ == "__main__":
    main()
