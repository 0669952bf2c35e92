"""A stand-in for TensorFlow and its Keras: names and signatures of both.

Layers compute with NumPy on [N, H, W, C] arrays, after Keras' definitions;
called on a tensor without values they remember what was called, which is what
the stand-in for tf2onnx converts.  load_model() has a network whose loss and
one of whose layers are a user's own, as embedding networks' often are.
"""
import sys
import types

import numpy as np

float32 = 'float32'


class TensorSpec:
    def __init__(self, shape, dtype=float32, name=None):
        self.shape, self.dtype, self.name = shape, dtype, name


class KerasTensor:
    def __init__(self, shape, layer=None, source=None):
        self.shape, self.layer, self.source = tuple(shape), layer, source


class Layer:
    def __init__(self, name):
        self.name, self.output = name, None

    def __call__(self, x):
        if not isinstance(x, KerasTensor):
            return self.compute(x)
        made = KerasTensor(self.shape_of(x.shape), self, x)
        self.output = self.output or made
        return made

    def shape_of(self, shape):
        return shape


class Rescaling(Layer):
    def __init__(self, scale, offset=0.0, name='rescaling'):
        super().__init__(name)
        self.scale, self.offset = scale, offset

    def compute(self, x):
        return x * np.float32(self.scale) + np.float32(self.offset)


class Conv2D(Layer):
    """padding='same', activation='relu'; the kernel is [h, w, in, out]"""

    def __init__(self, kernel, strides, name):
        super().__init__(name)
        self.kernel, self.strides = np.float32(kernel), strides

    def padding(self, side):
        """before and after; a side of unknown length is taken as even"""
        k, s = self.kernel.shape[0], self.strides
        total = max((-(-side // s) - 1) * s + k - side, 0)
        return total // 2, total - total // 2

    def shape_of(self, shape):
        return (shape[0], *(side and -(-side // self.strides)
                            for side in shape[1:3]), self.kernel.shape[3])

    def compute(self, x):
        pads = [(0, 0), *(self.padding(side) for side in x.shape[1:3]), (0, 0)]
        k, s = self.kernel.shape[0], self.strides
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(x, pads), (k, k), (1, 2))[:, ::s, ::s]
        return np.maximum(np.einsum('nyxchw,hwco->nyxo', windows,
                                    self.kernel), 0)


class GlobalAveragePooling2D(Layer):
    def shape_of(self, shape):
        return shape[0], shape[3]

    def compute(self, x):
        return x.mean((1, 2))


class Dense(Layer):
    def __init__(self, kernel, name):
        super().__init__(name)
        self.kernel = np.float32(kernel)

    def shape_of(self, shape):
        return shape[0], self.kernel.shape[1]

    def compute(self, x):
        return x @ self.kernel


def Input(shape, name=None):
    return KerasTensor((None, *shape))


class Model:
    def __init__(self, inputs, outputs):
        self.input, self.output = inputs, outputs
        self.input_shape = inputs.shape
        if isinstance(outputs, list) and len(outputs) == 1:
            self.output = outputs[0]
        self.layers = []
        for tensor in self._outputs():
            while tensor is not inputs:
                if tensor.layer not in self.layers:
                    self.layers.insert(0, tensor.layer)
                tensor = tensor.source

    def _outputs(self):
        return (self.output if isinstance(self.output, list)
                else [self.output])

    def get_layer(self, name=None, index=None):
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f'No such layer: {name}.')

    def __call__(self, inputs, training=None):
        made = {self.input: inputs}

        def value(tensor):
            if tensor not in made:
                made[tensor] = tensor.layer(value(tensor.source))
            return made[tensor]

        values = [value(tensor) for tensor in self._outputs()]
        return values if isinstance(self.output, list) else values[0]


class _Function:
    def __init__(self, function):
        self.function = function

    def get_concrete_function(self, *signature):
        return self.function(*(KerasTensor(s.shape) for s in signature))


def function(func=None, input_signature=None, autograph=True):
    return _Function if func is None else _Function(func)


def _network(shape, top, rescale):
    rng = np.random.default_rng(6)
    x = start = Input(shape)
    if rescale:
        x = Rescaling(1 / 127.5, -1.0)(x)
    x = Conv2D(rng.normal(0, 0.2, (3, 3, 3, 8)), 2, 'conv1')(x)
    x = Conv2D(rng.normal(0, 0.2, (3, 3, 8, 16)), 2, 'conv2')(x)
    x = GlobalAveragePooling2D('pool')(x)
    if top:
        x = Dense(rng.normal(0, 0.2, (16, 10)), 'predictions')(x)
    return Model(start, x)


def _application(name, preprocess, default_size, rescale=False):
    """keras.applications.NAME, in a module of its own as Keras has them"""
    def builder(input_shape=None, include_top=True, weights='imagenet',
                input_tensor=None, pooling=None):
        assert include_top or pooling == 'avg'
        if include_top:
            input_shape = input_shape or (default_size, default_size, 3)
        return _network(input_shape or (None, None, 3), include_top, rescale)

    module = types.ModuleType(f'keras.src.applications.{name.lower()}')
    builder.__module__, module.preprocess_input = module.__name__, preprocess
    sys.modules[module.__name__] = module
    return builder


def _caffe(x, data_format=None):
    x = x[..., ::-1]
    x -= np.float32([103.939, 116.779, 123.68])
    return x


def _tf(x, data_format=None):
    x /= 127.5
    x -= 1.0
    return x


def _torch(x, data_format=None):
    x /= 255.0
    x -= np.float32([0.485, 0.456, 0.406])
    x /= np.float32([0.229, 0.224, 0.225])
    return x


_registered = set()


def _register(package='Custom', name=None):
    def decorator(kind):
        _registered.add(name or kind.__name__)
        return kind
    return decorator


def _load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    if compile:
        raise ValueError("Unknown loss function: 'triplet_loss'.")
    if 'Own' not in _registered:
        raise ValueError("Unknown layer: 'Own'.")
    with open(filepath, encoding='utf-8') as file:
        side = int(file.read())
    return _network((side, side, 3), True, False)


keras = types.SimpleNamespace(
    Input=Input, Model=Model,
    layers=types.SimpleNamespace(Layer=Layer),
    models=types.SimpleNamespace(load_model=_load_model),
    saving=types.SimpleNamespace(register_keras_serializable=_register),
    applications=types.SimpleNamespace(
        Caffe=_application('Caffe', _caffe, 56),
        Tf=_application('Tf', _tf, 48),
        Torch=_application('Torch', _torch, 64),
        Inside=_application('Inside', lambda x, data_format=None: x, 40,
                            rescale=True),
        small=types.ModuleType('small')))
