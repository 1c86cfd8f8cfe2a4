"""Policies for a frozen net: features of a few augmented views of each image, computed once.

A net that does not learn need not see an image anew at every step. Each image is drawn `count`
times under the policy, and a step takes one of these views by chance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from ..backbones import Backbone
from ..feature_cache import SHORT_SIDE, cache_features
from ..learner import Step
from ..plans import Plan
from ..policy import MIXED, SHOWN, Policy
from .image_augmentation import augment, mix
from .pixel_cache import Pixels

TOGETHER = 32  # images that are mixed among each other
VERSION = 2  # one more whenever a view would look otherwise
CHOOSING = 8  # chances of this are apart from others of the same seed


@dataclass(frozen=True)
class Drawn:
    """Views of m images: features (count, m, d). Of views that mix: `partners`, places of the
    images mixed in, and `shares` of the own image, (count, m) each."""

    features: np.ndarray
    partners: np.ndarray
    shares: np.ndarray


class Views:
    """Views of the images of a measurement, by their contents' `digests`, kept in `cache`."""

    def __init__(
        self,
        backbone: Backbone,
        paths: Sequence[Path],
        digests: Sequence[str],
        cache: Path,
        count: int,
        step: Step = lambda what, done, of: None,
    ) -> None:
        self.backbone, self.digests = backbone, digests
        self.count, self.step = count, step
        # As `file_features` and the backbone read them, so that a view differs by its policy alone.
        self.pixels = Pixels(paths, backbone.side, SHORT_SIDE, backbone.resampling)
        self.folder = cache / f"{backbone.id}-views"

    def view_plans(self, plans: Sequence[Plan]) -> tuple[np.ndarray, list[Plan]]:
        """Features (k, d), and the plans with rows among them; see `head.Viewed`."""
        starts_and_views: dict[tuple[Policy, bytes], tuple[int, Drawn]] = {}
        new_plans, start = [], len(self.digests)
        for plan in plans:
            if plan.policy == "none":
                new_plans.append(plan)
                continue
            rows = np.unique(plan.rows)
            key = plan.policy, rows.tobytes()
            if key not in starts_and_views:
                compute = self._mixed if plan.policy in MIXED else self._alone
                starts_and_views[key] = start, compute(plan.policy, rows)
                start += self.count * len(rows)
            new_plans.append(place_views(plan, rows, *starts_and_views[key]))
        all_features = [views.features for _, views in starts_and_views.values()]
        return np.concatenate(
            [features.reshape(-1, features.shape[-1]) for features in all_features]
        ), new_plans

    def _alone(self, policy: Policy, rows: np.ndarray) -> Drawn:
        """Views that do not depend on what other images there are."""
        images, shape = self.pixels.read(rows), (self.count, len(rows))
        keys = [_key(policy, v, self.digests[row]) for v in range(self.count) for row in rows]

        def picture(place: int) -> np.ndarray:
            row = rows[place % len(rows)]
            return augment(images[row][None], policy, _seed(keys[place]))[0]

        features = self._features(policy, keys, picture)
        partners = np.broadcast_to(np.arange(len(rows)), shape)
        return Drawn(features.reshape(*shape, -1), partners, np.ones(shape))

    def _mixed(self, policy: Policy, rows: np.ndarray) -> Drawn:
        """Views of images mixed with others of `rows`, a few together with one share."""
        images, shape = self.pixels.read(rows), (self.count, len(rows))
        whole = _key(policy, *(self.digests[row] for row in rows))
        rng = np.random.default_rng(_seed(whole))
        parts = -(-len(rows) // TOGETHER)
        orders = [rng.permutation(len(rows)) for _ in range(self.count)]
        groups = [group for order in orders for group in np.array_split(order, parts)]

        @lru_cache(maxsize=2)  # a group is asked for image by image
        def pictures(number: int) -> np.ndarray:
            pixels = torch.from_numpy(images[rows[groups[number]]]).permute(0, 3, 1, 2).float()
            mixtures, _ = mix(pixels, policy, _seed(whole), number)
            return mixtures.round().byte().permute(0, 2, 3, 1).numpy()

        def share(number: int) -> float:
            two = torch.zeros(2, 1, self.pixels.side, self.pixels.side)
            return float(mix(two, policy, _seed(whole), number)[1][0, 0])

        where = [(number, k) for number, group in enumerate(groups) for k in range(len(group))]
        keys = [_key(whole, number, k) for number, k in where]
        features = self._features(
            policy, keys, lambda place: pictures(where[place][0])[where[place][1]]
        )
        shares = [np.full(len(group), share(number)) for number, group in enumerate(groups)]
        partners = np.concatenate([np.roll(group, 1) for group in groups])
        order = np.stack(orders)
        back = np.argsort(order, axis=1)
        return Drawn(
            np.take_along_axis(features.reshape(*shape, -1), back[..., None], axis=1),
            np.take_along_axis(partners.reshape(shape), back, axis=1),
            np.take_along_axis(np.concatenate(shares).reshape(shape), back, axis=1),
        )

    def _features(
        self, policy: Policy, keys: Sequence[str], picture: Callable[[int], np.ndarray]
    ) -> np.ndarray:
        def compute(places: Sequence[int]) -> np.ndarray:
            return self.backbone.features([picture(place) for place in places])

        return cache_features(
            keys, compute, self.folder / policy, partial(self.step, SHOWN[policy])
        )


def place_views(plan: Plan, rows: np.ndarray, start: int, views: Drawn) -> Plan:
    """A plan that takes a view by chance where it took an image.

    Its rows are from `start` on, the views one after the other; those that mix stand twice in a
    batch, with both labels, and share the image's weight. `rows` are the plan's, in order.
    """
    count, images = views.partners.shape
    place = np.searchsorted(rows, plan.rows)
    view = np.random.default_rng([*plan.seed, CHOOSING]).integers(count, size=place.shape)
    single = replace(plan, rows=start + view * images + place, policy="none")
    shares = views.shares[view, place]
    if np.all(views.shares == 1):
        return single
    labels = np.empty(images, np.int64)
    labels[place] = plan.labels
    other = labels[views.partners[view, place]]
    return replace(
        single,
        rows=np.concatenate([single.rows, single.rows], axis=1),
        labels=np.concatenate([plan.labels, other], axis=1),
        weights=np.concatenate([plan.weights * shares, plan.weights * (1 - shares)], axis=1),
    )


def _key(*parts: object) -> str:
    return sha256(f"{VERSION} {' '.join(map(str, parts))}".encode()).hexdigest()


def _seed(key: str) -> int:
    return int(key[:16], 16)
