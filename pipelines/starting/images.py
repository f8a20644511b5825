"""A folder of images by class: what is in it, and the config to start from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pipelines.check import check_pipeline
from pipelines.starting.request import Request, Started, places, relative, write_all
from pipelines.starting.yaml_text import noted, remark, scalar
from tasks.errors import ConfigError, DataError
from tasks.images.decode import SUFFIXES

_LOOKED_AT = 300
# What a small network on one core learns from within minutes.
_SIDE = 64
_LEAST_IMAGES = 20


@dataclass(frozen=True)
class _Found:
    """Images of a folder: how many of each class, and the sizes and modes of some."""

    classes: dict[str, int]
    sizes: Counter[tuple[int, int]]
    grey: bool
    torn: tuple[str, ...]


def is_image_folder(path: Path) -> bool:
    """Tell whether a folder holds folders of images: more image files than others, below it."""
    if not path.is_dir():
        return False
    files = [each for each in sorted(path.rglob("*")) if each.is_file() and not each.name.startswith(".")]
    images = [each for each in files if each.suffix.lower() in SUFFIXES]
    return 2 * len(images) > len(files)


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
    text = _text(found, name, request.source, relative(request.source, config.parent))
    write_all({config: text})
    try:
        check_pipeline(config)
    except ValueError:
        config.unlink()
        raise
    images = sum(found.classes.values())
    table = [["class", "images"], *([each, f"{count:,}"] for each, count in found.classes.items())]
    return Started(
        name=name,
        files=(config,),
        found=f"{request.source}: {images:,} images in {len(found.classes)} classes",
        table=table[:40],
        problem=f"{_problem(found)}: a folder is a class",
        assumed=(f"{_frame(found)[1]}",),
        warnings=tuple(_warnings(found)),
        facts={"images": images, "classes": found.classes, "problem": _problem(found)},
    )


def _look(root: Path) -> _Found:
    images = [each for each in sorted(root.rglob("*")) if each.suffix.lower() in SUFFIXES and each.is_file()]
    loose = [each for each in images if each.parent == root]
    if loose:
        raise DataError(
            f"{root}: {len(loose):,} images lie in no folder of a class (such as {loose[0].name})\n"
            "  do: put the images of each class into a folder of its own, named as the class"
        )
    classes = Counter(each.relative_to(root).parts[0] for each in images)
    if len(classes) < 2 or len(images) < _LEAST_IMAGES:
        raise DataError(
            f"{root}: {len(images):,} images in {len(classes)} class{'es' if len(classes) != 1 else ''}; expected two "
            f"classes or more, and {_LEAST_IMAGES} images\n  do: bring more, in a folder for each class"
        )
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    torn = []
    for path in images[:: max(1, len(images) // _LOOKED_AT)]:
        try:
            with Image.open(path) as image:
                sizes[image.size] += 1
                modes[image.mode] += 1
        except (OSError, UnidentifiedImageError):
            torn.append(path.relative_to(root).as_posix())
    if not sizes:
        raise DataError(f"{root}: no image can be opened (such as {torn[0]})\n  do: copy or write the files again")
    return _Found(dict(sorted(classes.items())), sizes, set(modes) <= {"1", "L"}, tuple(torn))


def _frame(found: _Found) -> tuple[str, str]:
    """Return the section `images.image`, and why it is so."""
    mode = "L" if found.grey else "RGB"
    (width, height), _ = found.sizes.most_common(1)[0]
    if len(found.sizes) == 1 and max(width, height) <= _SIDE:
        said = f"every image looked at has {width} x {height} pixels; larger ones are cropped"
    else:
        longest = max(width, height)
        width, height = (max(8, round(side * min(1.0, _SIDE / longest))) for side in (width, height))
        said = f"images are scaled to {width} x {height} pixels, which learns fast; more shows finer things"
    return f"{{width: {width}, height: {height}, mode: {mode}, resize: crop}}", said


def _problem(found: _Found) -> str:
    return "binary" if len(found.classes) == 2 else "multiclass"


def _text(found: _Found, name: str, shown: str, path: str) -> str:
    images = sum(found.classes.values())
    frame, why = _frame(found)
    share = 1 / len(found.classes)
    small = images < 1_000
    steps = max(5, round(0.7 * images / 64))
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
    lines += [
        "",
        "train:",
        noted("  model: cnn", "small and quick; resnet learns finer things from more images"),
        "  batch_size: 64",
        noted(f"  steps_per_round: {min(100, steps)}", "about once through the training images"),
        noted(f"  rounds: {12 if images > 5_000 else 20}", "the best round is kept"),
        "",
        "promote:",
        "  gates:",
        noted(f"    floor: {{balanced_accuracy: {min(0.9, round(share + 0.15, 2))}}}", f"guessing reaches {share:.2f}"),
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
    return said
