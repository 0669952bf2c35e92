"""Where a target layer is in an ONNX file, and how its axes are ordered."""

ORDERS = {(0, 1, 2, 3): "nhwc", (0, 2, 3, 1): "nchw"}


def token_layout(layer, tokens):
    """The key layer.layout of a layer [N, tokens, C]."""
    for extra, layout in enumerate(("tokens", "tokens+cls")):
        if round((tokens - extra) ** 0.5) ** 2 == tokens - extra:
            return layout
    raise SystemExit(f"{layer}: {tokens} tokens are no square of places, "
                     "alone or behind a class token")


def _way_to(graph, tensor):
    """The tensors that `tensor` is made from, itself included."""
    made = {name: node for node in graph.node for name in node.output}
    way, ahead = set(), [tensor]
    while ahead:
        name = ahead.pop()
        if name and name not in way:
            way.add(name)
            ahead += made[name].input if name in made else []
    return way


def _origin(graph, tensor, rank, way):
    """(tensor of `way` that `tensor` repeats, axes): axes[i] is axis i there.

    Exporters of channels-last networks return a layer by a Transpose of its
    own, beside the way to the embedding, where nothing has a gradient.
    """
    made = {name: node for node in graph.node for name in node.output}
    axes = tuple(range(rank))
    while tensor not in way and tensor in made:
        node = made[tensor]
        if node.op_type == "Transpose":
            perm = next(a.ints for a in node.attribute if a.name == "perm")
            axes = tuple(perm[axis] for axis in axes)
        elif node.op_type != "Identity":
            break
        tensor = node.input[0]
    return (tensor if tensor in way else None), axes


def rename(graph, old, new):
    """Everywhere in the graph; nothing where `new` has another meaning."""
    if new in {name for node in graph.node
               for name in (*node.input, *node.output)}:
        return old
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = new
    for value in (*graph.output, *graph.value_info):
        if value.name == old:
            value.name = new
    return new


def _drop_unused(graph):
    needed = set()
    for output in graph.output:
        needed |= _way_to(graph, output.name)
    for node in [n for n in graph.node if not needed.intersection(n.output)]:
        graph.node.remove(node)
    for value in [v for v in graph.value_info if v.name not in needed]:
        graph.value_info.remove(value)


def settle(graph, embedding, layer, returned, shape):
    """(name, layout) of the target layer `layer` of a channels-last source.

    `returned` is the output of the graph that repeats it; it goes, and the
    tensor on the way to `embedding` gets the layer's name if that is free.
    """
    tensor, axes = _origin(graph, returned, len(shape),
                           _way_to(graph, embedding))
    if len(shape) == 3 and axes == (0, 1, 2):
        layout = token_layout(layer, shape[1])
    else:
        layout = ORDERS.get(axes)
    if tensor is None or layout is None:
        raise SystemExit(f"{layer}: the converted network does not take its "
                         "embedding from it; name the layer behind its "
                         "normalisation and activation")
    outputs = [o for o in graph.output if o.name != returned]
    del graph.output[:]
    graph.output.extend(outputs)
    _drop_unused(graph)
    return rename(graph, tensor, layer), layout
