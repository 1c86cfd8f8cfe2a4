"""One step of the autoencoder's training: losses, gradients, and who learns from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from manyshot.trainer.device import precision
from manyshot.trainer.imagenet import perceptual_loss, stage_features
from manyshot.trainer.training import Gradients, gradients, set_gradients
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn

from .autoencoder import TrainableAutoencoder, colour_loss, reconstruction_loss
from .autoencoder_batches import AutoencoderOptions, Part
from .discriminator import Discriminator, discriminator_loss, generator_loss

COLOURED = 1 / 3  # of the budget: how long colours are held in channels of their own
ADVERSARIAL_FROM = 100  # steps that the discriminator learns before the decoder heeds it
ADVERSARIAL_RAMP = 200  # steps until it is heeded in full


@dataclass(frozen=True)
class Trainees:
    """What learns: the autoencoder with its moving average, and the discriminator."""

    model: TrainableAutoencoder
    average: TrainableAutoencoder
    discriminator: Discriminator

    def modules(self) -> dict[str, nn.Module]:
        """All of them by their names in a checkpoint."""
        return {
            "autoencoder": self.model,
            "average": self.average,
            "discriminator": self.discriminator,
        }

    def learning(self) -> list[nn.Parameter]:
        """The parameters of the autoencoder that are not frozen."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def judging(self) -> list[nn.Parameter]:
        """The parameters of the discriminator."""
        return list(self.discriminator.parameters())


@dataclass(frozen=True)
class Stage:
    """Where the training stands; `progress` from 0 to 1, 1 for weights that learned before."""

    step: int
    progress: float


@dataclass(frozen=True)
class View:
    """Pixels (n, 3, height, width) from -1 to 1, and their `stage_features`."""

    pixels: Tensor
    features: list[Tensor]

    def detached(self) -> "View":
        """The same without what it was computed from."""
        return View(self.pixels.detach(), [stage.detach() for stage in self.features])


@dataclass(frozen=True)
class Lesson:
    """What one part of a batch teaches; `encoded` is what the encoder gave, not normalised.

    `discriminator` is None when there is none.
    """

    autoencoder: Gradients
    discriminator: Gradients | None
    encoded: Tensor


def find_lesson(
    trainees: Trainees,
    perceptual_net: EfficientNet,
    options: AutoencoderOptions,
    stage: Stage,
    shard: Part,
) -> Lesson:
    """The gradients of one part; changes nothing, so that threads can share the trainees."""
    with precision(shard.pixels.device.type, options.bf16):
        output, latents, encoded = trainees.model(shard.pixels, shard.noise)
        fake, photo = (_view(perceptual_net, options, pixels) for pixels in (output, shard.pixels))
    loss = reconstruction_loss(output, shard.pixels)
    if options.perceptual:
        loss = loss + options.perceptual * perceptual_loss(fake.features, photo.features)
    if stage.progress < COLOURED and not options.decoder_only:
        loss = loss + (1 - stage.progress / COLOURED) * colour_loss(latents, shard.pixels)
    if not options.adversarial:
        return Lesson(gradients(trainees.learning(), loss), None, encoded.detach())
    with precision(shard.pixels.device.type, options.bf16):
        scores, *judged = (_judge(trainees, view) for view in (fake, photo, fake.detached()))
    loss = loss + options.adversarial * adversarial_ramp(stage.step) * generator_loss(scores)
    mistakes = gradients(trainees.judging(), discriminator_loss(*judged))
    return Lesson(gradients(trainees.learning(), loss), mistakes, encoded.detach())


def _view(perceptual_net: EfficientNet, options: AutoencoderOptions, pixels: Tensor) -> View:
    """What is seen of the pixels; nothing when no loss asks for it."""
    needed = options.perceptual or options.adversarial
    return View(pixels, stage_features(perceptual_net, pixels) if needed else [])


def _judge(trainees: Trainees, view: View) -> list[Tensor]:
    return trainees.discriminator(view.pixels, view.features)


def adversarial_ramp(step: int) -> float:
    """The share of its weight, from 0 to 1, that the discriminator has at a step."""
    return min(1.0, max(0.0, (step - ADVERSARIAL_FROM) / ADVERSARIAL_RAMP))


def take_step(
    trainees: Trainees, optimizer: torch.optim.Optimizer, lessons: Sequence[Lesson]
) -> tuple[float, float]:
    """One step along the lessons' mean; returns the losses of autoencoder and discriminator."""
    loss = set_gradients(trainees.learning(), [lesson.autoencoder for lesson in lessons])
    judged = [lesson.discriminator for lesson in lessons if lesson.discriminator]
    mistakes = set_gradients(trainees.judging(), judged) if judged else 0.0
    optimizer.step()
    if trainees.model.norm.training:  # learns its running statistics
        trainees.model.norm(torch.cat([lesson.encoded for lesson in lessons]))
    return loss, mistakes
