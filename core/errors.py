"""Errors that reach the user as one sentence: what happened, where, what to do."""


class ManyshotError(Exception):
    """Something failed on the way; the command ends with exit code 1."""

    exit_code = 1


class InputError(ManyshotError):
    """The user's input is wrong (recipe, workflow, option); nothing was started. Exit code 2."""

    exit_code = 2


class ServerError(ManyshotError):
    """A server did not answer, or answered something that cannot be used."""
