import pytest

from tasks.errors import ConfigError
from tasks.images.config import ImagesConfig, require_images

GOOD = {
    "source": {"path": "x", "format": "folders"},
    "image": {"width": 16, "height": 12, "mode": "L"},
    "augment": {"color": {"brightness": 0.2}, "crop": {"padding": 11, "fill": "reflect"}},
}


def test_an_idx_source_has_groups_by_itself():
    source = {"path": "x", "format": "idx"}
    require_images(ImagesConfig.model_validate({**GOOD, "source": source, "split": {"given": {"a": "test"}}}))


def test_a_good_config_is_good():
    require_images(ImagesConfig.model_validate(GOOD))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"augment": {"color": {"hue": 0.1}}},
            r"(?s)augment.color: saturation and hue need colour, and image.mode is L",
        ),
        ({"copies": {"augment": {"color": {"saturation": 1}}}}, r"(?s)copies.augment.color: saturation"),
        (
            {"augment": {"crop": {"padding": 12, "fill": "reflect"}}},
            r"(?s)augment.crop.padding: 12 pixels cannot be mirrored",
        ),
        ({"split": {"method": "group"}}, r"(?s)split: asks for groups, but a source of folders gives images none"),
        ({"split": {"given": {"a": "test"}}}, r"(?s)split: asks for groups(.|\n)*set source.group_pattern"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_runs(change, message):
    with pytest.raises(ConfigError, match=message):
        require_images(ImagesConfig.model_validate({**GOOD, **change}))
