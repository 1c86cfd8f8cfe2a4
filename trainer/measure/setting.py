"""What all trainings of a draw share."""

from dataclasses import dataclass

from .draws import Draw
from .learner import Fit, Learner
from .plans import Budget
from .table import Table
from .trust import Reading


@dataclass(frozen=True)
class Setting:
    """`fit` is `learner` bound to the draw's shots. `reading`: what its shots make of the synthetic
    images that may be added, where an arm asks for it."""

    table: Table
    draw: Draw
    learner: Learner
    fit: Fit
    budget: Budget
    reading: Reading | None = None


def make_setting(table: Table, draw: Draw, learner: Learner, budget: Budget) -> Setting:
    """The setting of a draw."""
    return Setting(table, draw, learner, learner.fitted(draw.shots), budget)
