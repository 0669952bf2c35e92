"""Reads the convolutions of a quantised TensorFlow Lite file as float32.

A .tflite file is a FlatBuffer: tables that point at a table of offsets to
their fields.  The fields used here, by their number in TensorFlow's
schema.fbs:

  Model 1 operator_codes, 2 subgraphs, 4 buffers
  OperatorCode 0 deprecated_builtin_code, 3 builtin_code
  SubGraph 0 tensors, 3 operators;  Operator 0 opcode_index, 1 inputs
  Tensor 0 shape, 1 type, 2 buffer, 4 quantization;  Buffer 0 data
  QuantizationParameters 2 scale, 3 zero_point

A value is scale * (q - zero_point), one scale a tensor or one an output
channel; biases are int32 with the scales' product, which the file has, too.
"""
import numpy as np

CONV_2D, DEPTHWISE_CONV_2D = 3, 4
# TensorType: NumPy's name
TYPES = {0: "<f4", 2: "<i4", 3: "u1", 9: "i1"}


class _Table:
    """One table of the file; an absent field is None or the default."""

    def __init__(self, data, at):
        self.data, self.at = data, at
        self.fields = at - self._number("<i4", at)

    def _number(self, kind, at):
        return int(np.frombuffer(self.data, kind, 1, at)[0])

    def _field(self, number):
        size = self._number("<u2", self.fields)
        where = 4 + 2 * number
        if where + 2 > size:
            return 0
        offset = self._number("<u2", self.fields + where)
        return self.at + offset if offset else 0

    def scalar(self, number, kind, default=0):
        at = self._field(number)
        return self._number(kind, at) if at else default

    def _vector(self, number):
        at = self._field(number)
        if not at:
            return 0, 0
        at += self._number("<u4", at)
        return at + 4, self._number("<u4", at)

    def table(self, number):
        at = self._field(number)
        return _Table(self.data, at + self._number("<u4", at)) if at else None

    def tables(self, number):
        first, count = self._vector(number)
        return [_Table(self.data, at + self._number("<u4", at))
                for at in range(first, first + 4 * count, 4)]

    def array(self, number, kind):
        first, count = self._vector(number)
        return np.frombuffer(self.data, kind, count, first)


def _dequantised(tensor, buffers, channels):
    """float32; `channels` is the dimension that has a scale each, if many."""
    kind = tensor.scalar(1, "i1")
    if kind not in TYPES:
        raise ValueError(f"a tensor of type {kind}")
    bytes_ = buffers[tensor.scalar(2, "<u4")].array(0, "u1")
    values = bytes_.view(TYPES[kind]).reshape(tensor.array(0, "<i4"))
    quantisation = tensor.table(4)
    if quantisation is None or kind == 0:
        return values.astype(np.float32)
    scale = quantisation.array(2, "<f4").astype(np.float64)
    zero = quantisation.array(3, "<i8")
    zero = zero if len(zero) else np.zeros(1, np.int64)
    shape = [1] * values.ndim
    shape[channels] = -1
    centred = values.astype(np.int64) - zero.reshape(shape)
    return (centred * scale.reshape(shape)).astype(np.float32)


def convolutions(path):
    """[(weight [out, in / groups, h, w], bias [out]), ...] in file order."""
    with open(path, "rb") as f:
        data = f.read()
    if data[4:8] != b"TFL3":
        raise ValueError(f"{path}: not a TensorFlow Lite file")
    model = _Table(data, int(np.frombuffer(data, "<u4", 1)[0]))
    codes = [max(c.scalar(0, "i1"), c.scalar(3, "<i4"))
             for c in model.tables(1)]
    buffers, graph = model.tables(4), model.tables(2)[0]
    tensors, found = graph.tables(0), []
    for operator in graph.tables(3):
        code = codes[operator.scalar(0, "<u4")]
        if code not in (CONV_2D, DEPTHWISE_CONV_2D):
            continue
        _, weight, bias = operator.array(1, "<i4")[:3]
        depthwise = code == DEPTHWISE_CONV_2D
        array = _dequantised(tensors[weight], buffers, 3 if depthwise else 0)
        # [out, h, w, in], and [1, h, w, out] where each has its own input
        order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        found.append((np.ascontiguousarray(array.transpose(order)),
                      _dequantised(tensors[bias], buffers, 0)))
    return found
