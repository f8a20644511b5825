import io
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile
from pydantic import ValidationError

from tasks.errors import DataError
from tasks.images.decode import ImageConfig, decode_image
from tasks.images.records import RefusedImageError
from tests.tasks.images.pictures import SMALL, encode, picture

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
ANY_SIZE = ImageConfig(width=8, height=6, resize="stretch")


def refused(content: bytes, config: ImageConfig = SMALL) -> str:
    with pytest.raises(RefusedImageError) as caught:
        decode_image(content, config)
    return caught.value.rule


@pytest.mark.parametrize("format_", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_very_pixels(format_):
    np.testing.assert_array_equal(decode_image(encode(picture(1), format_), SMALL), picture(1))


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_read(format_):
    assert decode_image(encode(picture(1), format_), SMALL).shape == (6, 8, 3)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_truncated_file_is_refused_wherever_it_ends(format_):
    content = encode(picture(1, 64, 48), format_)
    kept = range(1, len(content) * 9 // 10, max(1, len(content) // 40))
    rules = {refused(content[:size], ANY_SIZE) for size in kept}
    assert rules <= {"image.truncated", "image.corrupt", "image.unreadable"}
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_flipped_bit_in_a_png_is_seen():
    content = bytearray(encode(picture(1)))
    content[content.index(b"IDAT") + 20] ^= 1
    assert refused(bytes(content)) == "image.corrupt"


@settings(max_examples=60)
@given(format_=st.sampled_from(FORMATS), seed=st.integers(0, 10_000))
def test_whatever_the_bytes_an_image_is_taken_or_refused(format_, seed):
    draw = random.Random(seed)
    content = bytearray(encode(picture(1), format_))
    for _ in range(draw.choice([1, 2, 8])):
        content[draw.randrange(min(len(content), draw.choice([40, 10_000])))] = draw.randrange(256)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shape = decode_image(bytes(content), ANY_SIZE).shape
        except RefusedImageError:
            return
    assert shape == (6, 8, 3)


def test_what_is_no_image_is_refused_with_the_reason():
    assert refused(b"") == "image.empty"
    assert refused(b"GIF? no") == "image.unreadable"
    assert refused(encode(picture(1, 9)), SMALL) == "image.size"
    assert refused(encode(picture(1)), SMALL.model_copy(update={"min_side": 7})) == "image.too_small"
    assert refused(encode(picture(1)), SMALL.model_copy(update={"max_side": 7})) == "image.too_large"
    assert refused(encode(picture(1)), SMALL.model_copy(update={"max_bytes": 50})) == "image.too_many_bytes"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "CMYK", "I;16"])
def test_a_mode_that_is_not_listed_is_refused(mode):
    image = Image.new(mode, (8, 6))
    format_ = "TIFF" if mode == "CMYK" else "PNG"
    file = io.BytesIO()
    image.save(file, format_)
    assert refused(file.getvalue()) == "image.mode"


def test_an_animated_image_is_refused():
    frames = [Image.fromarray(picture(seed)) for seed in range(3)]
    for format_ in ("GIF", "PNG", "WEBP"):
        file = io.BytesIO()
        frames[0].save(file, format_, save_all=True, append_images=frames[1:])
        assert refused(file.getvalue()) == "image.animated"


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        assert refused(encode(picture(1))) == "image.bomb"
        assert refused(encode(picture(1, 100, 100))) == "image.bomb"


def test_exif_orientation_is_applied():
    pixels = picture(1, 6, 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    np.testing.assert_array_equal(decode_image(encode(pixels, "PNG", exif=exif), SMALL), np.rot90(pixels, -1))


def test_grey_and_palette_are_converted():
    grey = picture(1, channels=1)
    np.testing.assert_array_equal(decode_image(encode(grey), SMALL), np.repeat(grey[..., None], 3, axis=2))
    one = SMALL.model_copy(update={"mode": "L"})
    np.testing.assert_array_equal(decode_image(encode(grey), one), grey[..., None])
    as_pillow = np.asarray(Image.fromarray(picture(1)).convert("L"))
    np.testing.assert_array_equal(decode_image(encode(picture(1)), one)[..., 0], as_pillow)


def test_transparent_pixels_show_the_background():
    pixels = np.zeros((6, 8, 4), np.uint8)
    pixels[:, 4:] = (10, 20, 30, 255)
    config = ImageConfig(width=8, height=6, resize="exact", modes=("RGBA",), background=200)
    decoded = decode_image(encode(pixels), config)
    assert (decoded[:, :4] == 200).all()
    assert (decoded[:, 4:] == [10, 20, 30]).all()


def test_crop_keeps_the_middle_and_pad_the_whole():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 250
    crop = decode_image(encode(wide), ImageConfig(width=10, height=10, resize="crop"))
    assert (crop == 250).all()
    pad = decode_image(encode(wide), ImageConfig(width=30, height=30, resize="pad", background=7))
    assert (pad[:10] == 7).all()
    assert (pad[20:] == 7).all()
    np.testing.assert_array_equal(pad[10:20], wide)


@settings(max_examples=25)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    resize=st.sampled_from(["stretch", "crop", "pad"]),
    mode=st.sampled_from(["RGB", "L"]),
)
def test_whatever_the_size_the_shape_is_the_wanted_one(width, height, resize, mode):
    config = ImageConfig(width=7, height=5, resize=resize, mode=mode)
    flat = np.full((height, width), 90, np.uint8)
    decoded = decode_image(encode(flat, "JPEG", quality=95), config)
    assert decoded.shape == (5, 7, 3 if mode == "RGB" else 1)
    assert decoded.dtype == np.uint8
    assert ((np.abs(decoded.astype(int) - 90) <= 2) | (decoded == config.background)).all()


def test_a_large_jpeg_looks_the_same_as_decoded_whole():
    big = np.asarray(Image.fromarray(picture(3, 6, 6)).resize((1200, 1200), Image.Resampling.BICUBIC))
    content = encode(big, "JPEG", quality=95)
    drafted = decode_image(content, ImageConfig(width=32, height=32)).astype(int)
    whole = np.asarray(Image.fromarray(big).resize((32, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(drafted - whole).mean() < 3


def test_pixels_that_were_never_encoded_go_the_same_way():
    grey = picture(1, channels=1)
    np.testing.assert_array_equal(decode_image(grey, SMALL), np.repeat(grey[..., None], 3, axis=2))
    with pytest.raises(RefusedImageError, match=r"image.size: 9 x 6, expected 8 x 6"):
        decode_image(picture(1, 9), SMALL)


def test_a_file_is_judged_by_its_name_too(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(encode(picture(1)))
    with pytest.raises(RefusedImageError, match=r"image\.unknown_extension"):
        decode_image(tmp_path / "a.txt", SMALL)
    with pytest.raises(DataError, match=r"gone.png: cannot be read.*\n  do: "):
        decode_image(tmp_path / "gone.png", SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_side": 10, "max_side": 5}, "min_side 10 is above max_side 5"),
        ({"modes": ("L", "L")}, "listed twice"),
        ({"modes": ()}, "at least 1"),
        ({"modes": ("I;16",)}, "Input should be"),
        ({"width": 0}, "greater than 0"),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        ImageConfig(**{"width": 8, "height": 8, **change})
