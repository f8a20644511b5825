"""The images of a pipeline's config, and what can be known to be wrong with them before anything runs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.errors import ConfigError
from tasks.images.augment.compose import ImageAugmentConfig
from tasks.images.augment.materialize import ImageCopiesConfig
from tasks.images.decode import ImageConfig
from tasks.images.duplicates import ImageDuplicatesConfig
from tasks.images.sources import ImageSourceConfig
from tasks.images.split import ImageSplitConfig


class ImagesConfig(BaseModel):
    """Everything that is said about images.

    Attributes:
        source: Where they are.
        image: What they become.
        duplicates: Which duplicates are dropped.
        split: How they are split.
        augment: What each batch of training gets, on the training device.
        copies: Augmented copies that are written before training.
        max_quarantined: The greatest share of the source's images that may be in quarantine; beyond it nothing is
            trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: ImageSourceConfig
    image: ImageConfig
    duplicates: ImageDuplicatesConfig = ImageDuplicatesConfig()
    split: ImageSplitConfig = ImageSplitConfig()
    augment: ImageAugmentConfig = ImageAugmentConfig()
    copies: ImageCopiesConfig | None = None
    max_quarantined: float = Field(default=0.5, ge=0.0, le=1.0)


def require_images(config: ImagesConfig) -> None:
    """Check that the sections fit each other; nothing is read.

    Raises:
        ConfigError: An augmentation or a split asks for what these images do not have.
    """
    _require_augmentable("images.augment", config.augment, config.image)
    if config.copies is not None:
        _require_augmentable("images.copies.augment", config.copies.augment, config.image)
    source = config.source
    grouped = config.split.method == "group" or config.split.given
    if grouped and source.format != "idx" and source.group_column is None and source.group_pattern is None:
        raise ConfigError(
            f"images.split: asks for groups, but a source of {source.format} gives images none\n"
            "  do: set source.group_pattern (all formats) or source.group_column (parquet, arrow), or split by content"
        )


def _require_augmentable(section: str, augment: ImageAugmentConfig, image: ImageConfig) -> None:
    color, crop = augment.color, augment.crop
    if color is not None and color.needs_color and image.mode != "RGB":
        raise ConfigError(
            f"{section}.color: saturation and hue need colour, and image.mode is {image.mode}\n"
            "  do: take brightness and contrast, which grey images have too, or set image.mode to RGB"
        )
    if crop is not None and crop.fill == "reflect" and crop.padding >= min(image.width, image.height):
        raise ConfigError(
            f"{section}.crop.padding: {crop.padding} pixels cannot be mirrored from images of {image.width} x "
            f"{image.height}\n  do: take less padding, or `fill: zeros`"
        )
