"""A stand-in for timm: its names and signatures, two small networks.

The signatures are those of timm 1.0; with TIMM_STAND_IN=0.6 in the
environment those of 0.6, which has no pretrained_cfg to resolve and names no
crop_mode.  As with some of timm's activations, a network here cannot be
exported unless it is created with exportable=True.
"""
import torch
from torch import nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CONFIGS = {
    'small.center': dict(input_size=(3, 64, 64), crop_pct=0.9, mean=MEAN,
                         interpolation='bicubic', std=STD, classifier='fc',
                         test_input_size=(3, 80, 80), test_crop_pct=1.0),
    'small.border': dict(input_size=(3, 64, 64), crop_pct=1.0, mean=MEAN,
                         interpolation='bilinear', std=STD, classifier='fc',
                         crop_mode='border'),
    'small.squash': dict(input_size=(3, 48, 48), crop_pct=1.0, std=(0.5,) * 3,
                         interpolation='bicubic', mean=(0.5,) * 3,
                         classifier=('fc',), crop_mode='squash'),
}


class _Activation(nn.Module):
    def __init__(self, exportable):
        super().__init__()
        self.exportable = exportable

    def forward(self, x):
        if torch.jit.is_tracing() and not self.exportable:
            raise RuntimeError('not made for export: exportable=True')
        return x.relu() ** 2


class _Small(nn.Module):
    def __init__(self, num_classes, exportable):
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), _Activation(exportable),
            nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.fc = nn.Linear(16, num_classes) if num_classes else nn.Identity()

    def forward(self, x):
        return self.fc(self.blocks(x).mean((2, 3)))


def create_model(model_name, pretrained=False, pretrained_cfg=None,
                 pretrained_cfg_overlay=None, checkpoint_path='',
                 scriptable=None, exportable=None, no_jit=None, **kwargs):
    if model_name not in CONFIGS:
        raise RuntimeError(f'Unknown model ({model_name})')
    torch.manual_seed(7 if pretrained else 8)
    model = _Small(kwargs.pop('num_classes', 1000), exportable)
    if kwargs:
        raise TypeError(f'unexpected {kwargs}')
    model.pretrained_cfg = model.default_cfg = dict(CONFIGS[model_name])
    return model
