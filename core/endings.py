"""The signals that ask a process to end."""

import signal

ENDINGS = ("SIGTERM", "SIGHUP")  # SIGHUP, which Windows does not have: the terminal is closed


def heeded_endings() -> list[signal.Signals]:
    """SIGTERM and SIGHUP, but for what is ignored: under nohup a closed terminal ends nothing."""
    endings = [signal.Signals[name] for name in ENDINGS if name in signal.Signals.__members__]
    return [number for number in endings if signal.getsignal(number) is not signal.SIG_IGN]


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt, so that all is put in order as after it."""
    for number in heeded_endings():
        signal.signal(number, signal.default_int_handler)
