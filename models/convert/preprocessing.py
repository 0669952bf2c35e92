"""The keys input.* of model.ini, from what a network was trained with.

Values are of pixels from 0 to 1 (input.scale is 1/255, as it is without the
key).  What CamLens cannot do the same way is an error and not a guess.
"""
import numpy as np

from settings import numbers

FILTERS = {"bilinear": "bilinear", "bicubic": "bicubic"}


def refuse(what):
    raise SystemExit(f"preprocessing: {what}; say it with --size, --resize, "
                     "--crop, --filter, --mean and --std")


def _filter(mode):
    name = str(getattr(mode, "value", mode)).lower()
    if name not in FILTERS:
        refuse(f"the filter “{name}” is neither bilinear nor bicubic")
    return FILTERS[name]


def _one(size, what):
    sizes = [size] if isinstance(size, int) else list(size)
    if len(set(sizes)) != 1:
        refuse(f"{what} {size}: only squares are read")
    return int(sizes[0])


def _keys(size, resize, crop, interpolation, mean, std):
    keys = {"input.size": size, "input.resize": resize,
            "input.filter": _filter(interpolation)}
    if resize == "crop":
        keys["input.crop"] = repr(crop)
    keys.update({"input.channels": "rgb", "input.mean": numbers(mean),
                 "input.std": numbers(std)})
    return keys


def _preset(t):
    """torchvision's ImageClassification, with its four settings."""
    resize, crop = _one(t.resize_size, "resize"), _one(t.crop_size, "crop")
    if crop > resize:
        refuse(f"a crop of {crop} from {resize} pixels")
    return _keys(crop, "crop", crop / resize, t.interpolation, t.mean, t.std)


def _compose(steps):
    """Resize, perhaps CenterCrop, ToTensor, perhaps Normalize, in order."""
    found = {type(step).__name__: step for step in steps}
    known = {"Resize", "CenterCrop", "ToTensor", "PILToTensor", "Normalize",
             "ConvertImageDtype"}
    if set(found) - known or len(found) != len(steps):
        refuse("cannot read " + ", ".join(type(s).__name__ for s in steps))
    if "Resize" not in found:
        refuse("no Resize")
    resize, crop = found["Resize"], found.get("CenterCrop")
    normal = found.get("Normalize")
    mean, std = ((normal.mean, normal.std) if normal
                 else ([0.0] * 3, [1.0] * 3))
    if isinstance(resize.size, int) or len(resize.size) == 1:
        side = _one(resize.size, "Resize")
        size = _one(crop.size, "CenterCrop") if crop else None
        if size is None or size > side:
            refuse(f"Resize({side}) keeps the shape: a CenterCrop of at most "
                   f"{side} should follow")
        return _keys(size, "crop", size / side, resize.interpolation, mean,
                     std)
    size = _one(resize.size, "Resize")
    if crop and _one(crop.size, "CenterCrop") != size:
        refuse("a CenterCrop of a stretched picture")
    return _keys(size, "stretch", 1, resize.interpolation, mean, std)


def from_transforms(transform):
    """Of torchvision's preset of weights, or of a Compose."""
    if hasattr(transform, "crop_size"):
        return _preset(transform)
    if hasattr(transform, "transforms"):
        return _compose(transform.transforms)
    return refuse(f"cannot read a {type(transform).__name__}")


def from_timm(config):
    """Of timm.data.resolve_data_config()."""
    if config["input_size"][0] != 3:
        refuse(f"input_size {config['input_size']}: three channels are read")
    size = _one(config["input_size"][1:], "input_size")
    mode = config.get("crop_mode", "center")
    ways = {"center": "crop", "squash": "stretch", "border": "pad"}
    if mode not in ways or (mode != "center" and config["crop_pct"] != 1):
        refuse(f"crop_mode {mode} with crop_pct {config['crop_pct']}")
    # timm resizes the shorter side to floor(size / crop_pct)
    crop = size / int(size / config["crop_pct"])
    keys = _keys(size, ways[mode], crop, config["interpolation"],
                 config["mean"], config["std"])
    if mode == "border":  # timm pads with the mean, a level of 255
        keys["input.pad"] = numbers(round(255 * m) / 255
                                    for m in config["mean"])
    return keys


def from_function(function):
    """Order, mean and std of a function of [N, H, W, 3] values 0 to 255.

    Black, the three colours and white show what an affine function of single
    channels does (Keras' preprocess_input are such); noise proves it is one.
    """
    pure = np.zeros((4, 1, 1, 3), np.float32)
    pure[1:, 0, 0] = np.eye(3) * 255
    values = np.asarray(function(pure.copy()), np.float64)[:, 0, 0]
    black, slopes = values[0], values[1:] - values[0]
    source = np.abs(slopes).argmax(0)
    if sorted(source) != [0, 1, 2] or list(source) not in ([0, 1, 2],
                                                           [2, 1, 0]):
        refuse("the function mixes or reorders channels")
    slope = slopes[source, [0, 1, 2]]
    noise = np.random.default_rng(1).uniform(0, 255, (2, 5, 5, 3))
    noise = noise.astype(np.float32)
    want = np.asarray(function(noise.copy()), np.float64)
    got = noise[..., source] / 255 * slope + black
    if not np.allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(slope).max()):
        refuse("the function is not affine, channel by channel")
    return {"input.channels": "rgb" if source[0] == 0 else "bgr",
            "input.mean": numbers(-black / slope + 0.0),
            "input.std": numbers(1 / slope)}


def from_options(args):
    """What the command line says; only the keys that it names."""
    given = {"input.size": args.size, "input.resize": args.resize,
             "input.crop": args.crop, "input.filter": args.filter,
             "input.mean": args.mean, "input.std": args.std}
    return {key: value for key, value in given.items() if value is not None}
