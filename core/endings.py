"""The signals that ask a process to end."""

import signal

SIGNAL_NAMES = ("SIGTERM", "SIGHUP")  # SIGHUP, which Windows does not have: the terminal is closed


def termination_signals() -> list[signal.Signals]:
    """SIGTERM and SIGHUP, but for what is ignored: under nohup a closed terminal ends nothing."""
    endings = [signal.Signals[name] for name in SIGNAL_NAMES if name in signal.Signals.__members__]
    return [number for number in endings if signal.getsignal(number) is not signal.SIG_IGN]


def treat_as_interrupt() -> None:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt, so that all is put in order as after it."""
    for number in termination_signals():
        signal.signal(number, signal.default_int_handler)
