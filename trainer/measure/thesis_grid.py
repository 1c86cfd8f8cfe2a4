"""All runs of the thesis protocol, with a step-matched real-only run beside each of another arm."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from .added import Labelled, select_added
from .arms import REAL_ONLY, Arm
from .class_metrics import classification_outcome
from .diverged_runs import refuse_diverged
from .draws import Draw, all_draws
from .example_table import Table
from .grid import Done, Grid, build_run
from .learner import Options
from .measure_results import Config, Run
from .thesis import BATCH, RATE, Trained, halves, thesis_features, train_early_stopping, train_steps
from .tune import Choice


class ThesisProtocol:
    """The protocol bound to a table and its features (n, d)."""

    def __init__(self, table: Table, features: np.ndarray, learner: str, material: str) -> None:
        self.table, self.learner, self.material = table, learner, material
        self.features = thesis_features(features)
        self.stopping, self.test = halves(table)

    def runs(
        self, grid: Grid, earlier: Mapping[str, Run], done: Done = lambda runs: None
    ) -> list[Run]:
        """Every run of the grid; `grid.budget` does not apply here."""
        runs: list[Run] = []
        for draw in all_draws(self.table, grid.shots, grid.draws):
            arm_runs = [run for arm in grid.arms for run in self._arm(draw, arm, grid, earlier)]
            runs.extend(arm_runs)
            done(arm_runs)
        return runs

    def _arm(self, draw: Draw, arm: Arm, grid: Grid, earlier: Mapping[str, Run]) -> list[Run]:
        """The runs of an arm over all seeds, then real only at the steps that each of them took."""
        configs, beside = self._configs(draw, arm, grid)
        if all(config.key in earlier for config in [*configs, *beside]):
            return [earlier[config.key] for config in [*configs, *beside]]
        runs = self._train(draw, arm, configs)
        steps = np.array([run.steps for run in runs])
        return runs + (self._train(draw, REAL_ONLY, beside, steps) if beside else [])

    def configs(self, grid: Grid) -> list[Config]:
        """All that `runs` comes to."""
        draws = list(all_draws(self.table, grid.shots, grid.draws))
        pairs = [self._configs(draw, arm, grid) for draw in draws for arm in grid.arms]
        return [config for configs, beside in pairs for config in (*configs, *beside)]

    def _configs(self, draw: Draw, arm: Arm, grid: Grid) -> tuple[list[Config], list[Config]]:
        """Those of an arm, and of real only at the same steps."""
        configs = [self._config(draw, arm, seed) for seed in range(grid.seeds)]
        if arm == REAL_ONLY:
            return configs, []
        update = {"arm": REAL_ONLY, "matched": arm}
        return configs, [config.model_copy(update=update) for config in configs]

    def _config(self, draw: Draw, arm: Arm, seed: int) -> Config:
        return Config(
            material=self.material,
            learner=self.learner,
            protocol="thesis",
            arm=arm,
            shots=draw.count,
            draw=draw.seed,
            seed=seed,
            steps=None,
            batch=BATCH,
        )

    def _train(
        self,
        draw: Draw,
        arm: Arm,
        configs: Sequence[Config],
        steps: np.ndarray | None = None,
    ) -> list[Run]:
        began = time.perf_counter()
        added = select_added(self.table, draw, arm)
        alone = arm.mixing == "alone"
        real = draw.shots[:0] if alone else draw.shots
        images = Labelled(
            np.concatenate([real, added.rows]),
            np.concatenate([self.table.labels[real], added.labels]),
        )
        trained = self._fit([images] * len(configs), configs, steps)
        scores = trained.heads.scores(self.features[torch.from_numpy(self.test)]).numpy()
        for config, of_run in zip(configs, scores, strict=True):
            refuse_diverged(of_run, config, RATE)
        seconds = (time.perf_counter() - began) / len(configs)
        choice, labels = Choice(arm, {}, ""), self.table.labels[self.test]
        return [
            build_run(
                config,
                choice,
                (len(real), len(added.rows)),
                int(steps_taken),
                Options(RATE, 0.0),
                classification_outcome(of_run, labels),
                seconds,
            )
            for config, of_run, steps_taken in zip(configs, scores, trained.steps, strict=True)
        ]

    def _fit(
        self, sets: Sequence[Labelled], configs: Sequence[Config], steps: np.ndarray | None
    ) -> Trained:
        classes = len(self.table.classes)
        seeds = [[config.draw, config.seed] for config in configs]
        if steps is not None:
            return train_steps(self.features, sets, classes, steps, seeds)
        stopping = (self.stopping, self.table.labels[self.stopping])
        return train_early_stopping(self.features, sets, classes, stopping, seeds)
