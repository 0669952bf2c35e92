"""A stand-in for timm.data: the configuration, and the transform it means."""
import math
import os

from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F

KEYS = ('input_size', 'interpolation', 'mean', 'std', 'crop_pct')


def _resolve(config, keys):
    found = {key: config[key] for key in KEYS}
    return dict(found, **{key: config.get(key, value)
                          for key, value in keys.items()})


if os.environ.get('TIMM_STAND_IN') == '0.6':
    def resolve_data_config(args, default_cfg={}, model=None,
                            use_test_size=False, verbose=False):
        assert not args and not use_test_size
        return _resolve(default_cfg or model.default_cfg, {})
else:
    def resolve_data_config(args=None, pretrained_cfg=None, model=None,
                            use_test_size=False, verbose=False):
        assert model or args or pretrained_cfg
        assert not args and not use_test_size
        return _resolve(pretrained_cfg or model.pretrained_cfg,
                        {'crop_mode': 'center'})


class _Border:
    """Scales the longer side and pads with the mean's level."""

    def __init__(self, size, filter_, mean):
        self.size, self.filter = size, filter_
        self.fill = tuple(round(255 * m) for m in mean)

    def __call__(self, picture):
        ratio = max(picture.size) / self.size
        width, height = (round(side / ratio) for side in picture.size)
        picture = F.resize(picture, [height, width], self.filter)
        canvas = Image.new('RGB', (self.size, self.size), self.fill)
        canvas.paste(picture, ((self.size - width) // 2,
                               (self.size - height) // 2))
        return canvas


def create_transform(input_size=224, is_training=False, crop_pct=None,
                     crop_mode=None, interpolation='bilinear', mean=None,
                     std=None):
    assert not is_training
    size, filter_ = input_size[-1], T.InterpolationMode(interpolation)
    scaled = math.floor(size / crop_pct)
    steps = {
        'squash': [T.Resize((scaled, scaled), filter_), T.CenterCrop(size)],
        'border': [_Border(size, filter_, mean)],
    }.get(crop_mode, [T.Resize(scaled, filter_), T.CenterCrop(size)])
    return T.Compose([*steps, T.ToTensor(), T.Normalize(mean, std)])
