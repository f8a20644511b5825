"""A folder of images by class: what is in it, and the config to start from."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import get_args

from PIL import Image, UnidentifiedImageError

from pipelines.check import check_pipeline
from pipelines.checking.pictures import look_at_images
from pipelines.image_config import ImagePipelineConfig
from pipelines.starting.editor import with_schema
from pipelines.starting.request import Request, Started, places, relative, write_all
from pipelines.starting.yaml_text import flow, noted, remark, scalar
from tasks.errors import ConfigError, DataError
from tasks.images.decode import SUFFIXES, SourceMode
from tasks.profiling.sniff import is_data

_LOOKED_AT = 300
# What a small network on one core learns from within minutes.
_SIDE = 64
_LEAST_IMAGES, _SMALL = 20, 1_000
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_USUAL_MODES = ("1", "L", "P", "RGB")


@dataclass(frozen=True)
class _Found:
    """Images of a folder: how many of each class, the sizes and modes of some, and the files that are no images."""

    classes: dict[str, int]
    sizes: Counter[tuple[int, int]]
    modes: frozenset[str]
    torn: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def grey(self) -> bool:
        """Whether no image looked at has colours."""
        return self.modes <= {"1", "L", "LA"}


def is_image_folder(path: Path) -> bool:
    """Tell whether a folder holds folders of images: more image files than others, or nothing else to read."""
    if not path.is_dir():
        return False
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and not each.name.startswith(".")]
    images = [each for each in files if each.suffix.lower() in SUFFIXES]
    return 2 * len(images) > len(files) or (bool(images) and not any(map(is_data, files)))


def start_images(request: Request, name: str) -> Started:
    """Write the config of a pipeline of images; their contract is derived from it.

    Raises:
        ConfigError: A target is named, or the file is there already.
        DataError: There are no two classes of images, or too few.
    """
    if request.targets:
        raise ConfigError(
            f"--target {request.targets[0]}: of images by class the folder is the class\n  do: leave --target out"
        )
    config = places(request, name)[1]
    found = _look(Path(request.source))
    notes = _tried(found, name, request)
    texts = {config: _text(found, name, request.source, relative(request.source, config.parent))}
    write_all(with_schema(texts, config))
    images = sum(found.classes.values())
    table = [["class", "images"], *([each, f"{count:,}"] for each, count in found.classes.items())]
    return Started(
        name=name,
        files=(config,),
        found=f"{request.source}: {images:,} images in {len(found.classes)} classes",
        table=table[:40],
        problem=f"{_problem(found)}: a folder is a class",
        assumed=(f"{_frame(found)[1]}",),
        warnings=(*_warnings(found), *notes),
        facts={"images": images, "classes": found.classes, "problem": _problem(found)},
    )


def _tried(found: _Found, name: str, request: Request) -> tuple[str, ...]:
    """Return what `headrace check` notes about the config, which is then known to be good."""
    with tempfile.TemporaryDirectory(prefix="headrace-init-") as folder:
        path = Path(folder) / "draft.yaml"
        path.write_text(_text(found, name, request.source, str(Path(request.source).absolute())), encoding="utf-8")
        checked = check_pipeline(path).config
        assert isinstance(checked, ImagePipelineConfig)
        return look_at_images(checked.images).notes


def _look(root: Path) -> _Found:
    files = [each for each in sorted(root.rglob("*")) if each.is_file() and not each.name.startswith(".")]
    images = [each for each in files if each.suffix.lower() in SUFFIXES]
    classes = Counter(each.relative_to(root).parts[0] for each in images)
    _require_classes(root, images, classes)
    sizes: Counter[tuple[int, int]] = Counter()
    modes: set[str] = set()
    torn = []
    for path in images[:: max(1, len(images) // _LOOKED_AT)]:
        try:
            with Image.open(path) as image:
                sizes[image.size] += 1
                modes.add(image.mode)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
            torn.append(path.relative_to(root).as_posix())
    if not sizes:
        raise DataError(f"{root}: no image can be opened (such as {torn[0]})\n  do: copy or write the files again")
    others = tuple(each.relative_to(root).as_posix() for each in files if each.suffix.lower() not in SUFFIXES)
    return _Found(dict(sorted(classes.items())), sizes, frozenset(modes), tuple(torn), others)


def _require_classes(root: Path, images: Sequence[Path], classes: Counter[str]) -> None:
    loose = [each for each in images if each.parent == root]
    if loose:
        raise DataError(
            f"{root}: {len(loose):,} images lie in no folder of a class (such as {loose[0].name})\n"
            "  do: put the images of each class into a folder of its own, named as the class"
        )
    if len(classes) > 1 and {name.lower() for name in classes} <= _SPLITS:
        raise DataError(
            f"{root}: the folders {', '.join(sorted(classes))} are parts of a dataset, not classes\n"
            f"  do: name {root / max(classes, key=lambda name: classes[name])}, which a run splits by itself, or put "
            "their classes together"
        )
    if len(classes) < 2 or len(images) < _LEAST_IMAGES:
        below = sorted({each.relative_to(root).parts[1] for each in images if len(each.relative_to(root).parts) > 2})
        do = f"name {root / next(iter(classes))}" if len(classes) == 1 < len(below) else "bring more"
        raise DataError(
            f"{root}: {len(images):,} images in {len(classes)} class{'es' if len(classes) != 1 else ''}; expected two "
            f"classes or more, and {_LEAST_IMAGES} images\n  do: {do}, with a folder for each class"
        )


def _frame(found: _Found) -> tuple[str, str]:
    """Return the section `images.image`, and why it is so."""
    mode = "L" if found.grey else "RGB"
    width, height = _frame_size(found)
    if _as_they_are(found):
        said = f"every image looked at has {width} x {height} pixels; larger ones are cropped"
    else:
        said = f"images are scaled to {width} x {height} pixels, which learns fast; more shows finer things"
    read = [each for each in get_args(SourceMode) if each in found.modes | {*_USUAL_MODES}]
    modes = f", modes: {flow(read)}" if found.modes - {*_USUAL_MODES} and len(read) > len(_USUAL_MODES) else ""
    return f"{{width: {width}, height: {height}, mode: {mode}, resize: crop{modes}}}", said


def _as_they_are(found: _Found) -> bool:
    return len(found.sizes) == 1 and max(*found.sizes.most_common(1)[0][0]) <= _SIDE


def _frame_size(found: _Found) -> tuple[int, int]:
    """Return the width and the height that every image gets."""
    width, height = _usual_size(found.sizes)
    if _as_they_are(found):
        return width, height
    smaller = min(1.0, _SIDE / max(width, height))
    return max(8, 4 * round(width * smaller / 4)), max(8, 4 * round(height * smaller / 4))


def _usual_size(sizes: Counter[tuple[int, int]]) -> tuple[int, int]:
    """Return the size that most images have; where none is so common, the median of widths and that of heights."""
    most, count = sizes.most_common(1)[0]
    if 2 * count > sizes.total():
        return most
    width, height = (round(median(size[side] for size in sizes.elements())) for side in (0, 1))
    return width, height


def _floor(images: int, classes: int) -> float:
    """Return the balanced accuracy that guessing passes once in a thousand runs; more than halfway up is not asked."""
    share = 1 / classes
    error = math.sqrt(share * (1 - share) / ((0.2 if images < _SMALL else 0.15) * images))
    return round(min(max(share + 3 * error, share + 0.15), (1 + share) / 2), 2)


def _steps(images: int) -> int:
    return min(100, max(5, round(0.7 * images / 64)))


def _problem(found: _Found) -> str:
    return "binary" if len(found.classes) == 2 else "multiclass"


def _text(found: _Found, name: str, shown: str, path: str) -> str:
    images = sum(found.classes.values())
    frame, why = _frame(found)
    share = 1 / len(found.classes)
    small = images < _SMALL
    lines = [
        remark(f"Tells the {len(found.classes)} classes of {shown} apart. `headrace init` wrote this to start from;"),
        "# what stands behind a line is why it was chosen, and all of it may be changed.",
        *(remark(f"Look at: {warning}") for warning in _warnings(found)),
        f"name: {scalar(name)}",
        f"model: {scalar(name)}",
        "",
        "images:",
        "  source:",
        f"    path: {scalar(path)}",
        noted("    format: folders", f"the folder is the class: {len(found.classes)} classes, {images:,} images"),
        noted(f"  image: {frame}", why),
    ]
    if small:
        lines.append(
            noted("  split: {train: 0.6, validation: 0.2, test: 0.2}", "few images: enough must be left to test")
        )
    floor, chance = _floor(images, len(found.classes)), f"guessing reaches {share:.2f}"
    if small and (moved := min(_frame_size(found)) // 12):
        why = "few images: moved a little in every batch; `flip` and `affine` do more"
        lines.append(noted(f"  augment: {{crop: {{padding: {moved}}}}}", why))
    lines += [
        "",
        "train:",
        noted("  model: cnn", "small and quick; resnet learns finer things from more images"),
        "  batch_size: 64",
        noted(f"  steps_per_round: {_steps(images)}", "about once through the training images"),
        noted(f"  rounds: {12 if images > 5_000 else 40 if small else 20}", "the best round is kept"),
        "",
        "promote:",
        "  gates:",
        noted(f"    floor: {{balanced_accuracy: {floor}}}", chance),
        noted("    gain: {balanced_accuracy: -0.03}", "so much worse than the champion is still no worse"),
    ]
    return "\n".join(lines) + "\n"


def _warnings(found: _Found) -> Sequence[str]:
    said = []
    images = sum(found.classes.values())
    if images < 500:
        said.append(f"{images:,} images are few: figures on so small a test split say little")
    rare = [name for name, count in found.classes.items() if count < 10]
    if rare:
        said.append(f"fewer than ten images of {', '.join(rare[:5])}: too few to learn or to test")
    if found.torn:
        said.append(f"{len(found.torn)} of the images looked at cannot be opened (such as {found.torn[0]})")
    if found.others:
        many = "1 file is no image" if len(found.others) == 1 else f"{len(found.others):,} files are no images"
        said.append(f"{many} that can be read (such as {found.others[0]})")
    return said
