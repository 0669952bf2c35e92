#!/usr/bin/python3
"""Writes the small models that fuzzing starts from into tests/fuzz/corpus.

Needs python3-onnx and python3-numpy.  What fuzzing found is kept there too,
under names that begin with "found-"; this script leaves those alone.
"""
import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).parent / "corpus"
RANDOM = np.random.default_rng(1)


def weight(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(
        RANDOM.standard_normal(shape).astype(dtype), name)


def integers(name, values, dtype=np.int64):
    return numpy_helper.from_array(np.array(values, dtype), name)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def save(name, nodes, weights=(), shape=("N", 3, 8, 8), opset=13,
         outputs=("y",), dtype=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None)
         for o in outputs], list(weights))
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)],
        producer_name="")
    (FOLDER / (name + ".onnx")).write_bytes(model.SerializeToString())


def networks():
    save("conv", [
        node("Conv", "x w b", "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
             strides=[2, 2]),
        node("BatchNormalization", "c s b m v", "n"),
        node("Relu", "n", "r"),
        node("Add", "r r", "a"),
        node("GlobalAveragePool", "a", "p"),
        node("Flatten", "p", "f"),
        node("Gemm", "f fc fb", "y", transB=1)],
        [weight("w", 4, 3, 3, 3), weight("b", 4), weight("s", 4),
         weight("m", 4), numpy_helper.from_array(np.ones(4, np.float32), "v"),
         weight("fc", 5, 4), weight("fb", 5)])
    save("shapes", [
        node("Shape", "x", "sh"),
        node("Constant", "", "zero", value=integers("", 0)),
        node("Gather", "sh zero", "n", axis=0),
        node("Unsqueeze", "n ax", "u"),
        node("Concat", "u minus", "to", axis=0),
        node("Reshape", "x to", "y")],
        [integers("ax", [0]), integers("minus", [-1])])
    save("tokens", [
        node("Conv", "x w", "c", kernel_shape=[4, 4], strides=[4, 4]),
        node("Reshape", "c to", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 1]),
        node("LayerNormalization", "t s", "l", axis=-1),
        node("MatMul", "l q", "m"),
        node("Split", "m", "a b", axis=2, num_outputs=2),
        node("Transpose", "b", "bt", perm=[0, 2, 1]),
        node("MatMul", "a bt", "ab"),
        node("Softmax", "ab", "so", axis=-1),
        node("ReduceMean", "so ax", "y", keepdims=0)],
        [weight("w", 4, 3, 4, 4), integers("to", [0, 0, -1]), weight("s", 4),
         weight("q", 4, 8), integers("ax", [1])], opset=18)
    save("quantised", [
        node("DequantizeLinear", "w s z", "wf", axis=0),
        node("Identity", "wf", "wi"),
        node("Conv", "x wi", "c", auto_pad="SAME_UPPER"),
        node("QuantizeLinear", "c one zu", "q"),
        node("DequantizeLinear", "q one zu", "d"),
        node("Dropout", "d", "e"),
        node("MaxPool", "e", "y", kernel_shape=[2, 2], ceil_mode=1)],
        [integers("w", RANDOM.integers(-9, 9, (2, 3, 3, 3)), np.int8),
         weight("s", 2), integers("z", [0, 1], np.int8),
         numpy_helper.from_array(np.float32(0.5), "one"),
         integers("zu", 3, np.uint8)])
    save("moves", [
        node("Pad", "x pads", "p", mode="reflect"),
        node("Slice", "p starts ends axes steps", "s"),
        node("Resize", "s  scales", "r", mode="linear"),
        node("DepthToSpace", "r", "d", blocksize=1),
        node("Tile", "d reps", "t"),
        node("Clip", "t low", "cl"),
        node("Where", "cond cl low", "w"),
        node("Squeeze", "w", "y")],
        [integers("pads", [0, 0, 1, 1, 0, 0, 1, 1]), integers("starts", [0, 0]),
         integers("ends", [9, 9]), integers("axes", [2, 3]),
         integers("steps", [2, 1]),
         numpy_helper.from_array(np.float32([1, 1, 2, 2]), "scales"),
         integers("reps", [1, 1, 1, 2]),
         numpy_helper.from_array(np.float32(0), "low"),
         numpy_helper.from_array(np.bool_([True]), "cond")], shape=(1, 4, 6, 6))


def types():
    for number, kind in enumerate((np.float64, np.float16, np.int32, np.uint8,
                                   np.bool_)):
        save("type-%s" % np.dtype(kind).name, [
            node("Cast", "w", "f", to=TensorProto.FLOAT),
            node("Mul", "x f", "y")],
            [weight("w", 3, 1, number + 1, dtype=kind)],
            shape=("N", 3, 8, number + 1))
    typed = [helper.make_tensor("f", TensorProto.FLOAT, [2], [1, 2]),
             helper.make_tensor("h", TensorProto.FLOAT16, [2], [1, 2]),
             helper.make_tensor("i", TensorProto.INT64, [2], [1, 2]),
             helper.make_tensor("d", TensorProto.DOUBLE, [2], [1, 2]),
             helper.make_tensor("u", TensorProto.UINT64, [2], [1, 2])]
    save("typed", [
        node("Cast", t.name, t.name + "c", to=TensorProto.FLOAT)
        for t in typed] + [node("Sum", "x fc hc ic dc uc", "y")],
        typed, shape=("N", 2))
    save("made", [
        node("ConstantOfShape", "s", "c",
             value=helper.make_tensor("", TensorProto.FLOAT, [1], [2])),
        node("Range", "a b d", "r"),
        node("Expand", "r s", "e"),
        node("Mul", "c e", "m"),
        node("Einsum", "x m", "y", equation="nchw,ij->nc")],
        [integers("s", [2, 3]), numpy_helper.from_array(np.float32(0), "a"),
         numpy_helper.from_array(np.float32(3), "b"),
         numpy_helper.from_array(np.float32(1), "d")])


def main():
    FOLDER.mkdir(exist_ok=True)
    networks()
    types()
    print("%d files, %d bytes" % (
        len(list(FOLDER.iterdir())),
        sum(f.stat().st_size for f in FOLDER.iterdir())))


sys.exit(main())
