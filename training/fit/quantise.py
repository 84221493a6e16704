"""Eight-bit matrix products in exported graphs: the encoder takes about half the time, a step of the decoder two thirds.

`export_onnx.py` calls it. Nothing is calibrated on data: onnxruntime rounds the inputs by their own extremes. The encoder's
large matrix products and pointwise convolutions become `DynamicQuantizeMatMul`, which rounds a whole input at once. The
decoder's become `MatMulNBits`, which rounds each row alone, so that a beam reads the same beside any others.

The weights stay in `model.safetensors` as they are. The graphs hold their scales, and onnxruntime rounds the weights when it
loads them.

Processors without VNNI add pairs of the encoder's products in 16 bits, where the products of 127 steps would not fit. So
the encoder's graph tries it: a product of the largest numbers is computed when the graph is loaded, and if it comes out too
small, each step is doubled (`_step_factor`).
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

LEVELS = 127  # steps of a weight
STEP_FACTOR = "step_factor"  # the value in the encoder's graph by which the processor widens the steps
TRIED = 64  # the size of the matrices that are multiplied to find it: large enough for the kernel of large products
BLOCK = 256  # inputs of the decoder that share a scale
MIDDLE = 128  # the decoder's weights are stored without a sign
LEAST = 64  # inputs and outputs of a matrix: smaller ones gain nothing
LEAST_SCALE = 2**-14  # float16's smallest number of full precision
MICROSOFT = "com.microsoft"  # the domain of onnxruntime's own operators
TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]  # permutations that move the channels


def to_eight_bits(path: Path, weights: Path) -> None:
    """Changes an exported graph's file.

    Args:
        path: The graph.
        weights: The safetensors file that it refers to.

    Raises:
        ValueError: The graph has no matrix product that could be changed.
    """
    model = onnx.load(path, load_external_data=False)
    if not quantise(model, weights):
        raise ValueError(f"{path} has no large matrix product whose weights lie in {weights.name}.")
    path.write_bytes(model.SerializeToString())


def quantise(model: onnx.ModelProto, weights: Path) -> int:
    """Changes matrix products with a stored weight, and pointwise convolutions, to eight bits.

    Args:
        model: A graph whose large initializers lie in `weights` as float16; it is changed. `Gemm` nodes are taken for the
            decoder's, `MatMul` and `Conv` nodes for the encoder's.
        weights: The safetensors file.

    Returns:
        How many were changed.
    """
    graph, data = model.graph, weights.read_bytes()
    stored = {tensor.name: tensor for tensor in graph.initializer if tensor.data_location == TensorProto.EXTERNAL}
    made_by = {name: node for node in graph.node for name in node.output}
    nodes, tried = _step_factor()
    constants = {tensor.name: tensor for tensor in tried}
    count = 0
    for node in graph.node:
        weight = _weight_of(node, made_by, stored)
        if weight is None:
            nodes.append(node)
            continue
        new_nodes, new_constants = (_rows_apart if node.op_type == "Gemm" else _together)(node, weight, data)
        nodes += new_nodes
        constants |= {tensor.name: tensor for tensor in new_constants}
        count += 1
    if count:
        graph.initializer.extend(constants.values())
        del graph.node[:]
        graph.node.extend(_without_turns(nodes))
        _drop_unused(graph)
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    return count


def _weight_of(node: NodeProto, made_by: dict[str, NodeProto], stored: dict[str, TensorProto]) -> TensorProto | None:
    """The stored weight of a product that is to be quantised, its outputs first: (out, in) or (out, in, 1, 1)."""
    chains = {"MatMul": ["Transpose", "Cast"], "Conv": ["Cast"], "Gemm": ["Cast"]}
    if node.op_type not in chains:
        return None
    name = node.input[1]
    for kind in chains[node.op_type]:
        if name not in made_by or made_by[name].op_type != kind:
            return None
        name = made_by[name].input[0]
    weight = stored.get(name)
    if weight is None or min(weight.dims[:2]) < LEAST or list(weight.dims[2:]) not in ([], [1, 1]):
        return None
    return weight


def _together(node: NodeProto, weight: TensorProto, data: bytes) -> tuple[list[NodeProto], list[TensorProto]]:
    """The nodes and constants in place of a product or a pointwise convolution of the encoder."""
    name, bias = node.output[0], [*node.input[2:]]
    constants = _in_blocks(name, weight, data, weight.dims[1])
    no_zero = numpy_helper.from_array(np.array(0, np.int8), "no_zero_point")
    given, result = node.input[0], name
    nodes = [
        helper.make_node("Cast", [f"{name}.scale"], [f"{name}.exact_scale"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.exact_scale", STEP_FACTOR], [f"{name}.step"]),
        helper.make_node("Cast", [f"{name}.step"], [f"{name}.half_step"], to=TensorProto.FLOAT16),
        helper.make_node(
            "QuantizeLinear", [f"{name}.weight", f"{name}.half_step"], [f"{name}.rounded"],
            axis=0, output_dtype=TensorProto.INT8,
        ),
        helper.make_node("Transpose", [f"{name}.rounded"], [f"{name}.matrix"], perm=[1, 0]),
    ]  # fmt: skip
    if node.op_type == "Conv":
        given, result = f"{name}.given", f"{name}.last"
        nodes.append(helper.make_node("Transpose", [node.input[0]], [given], perm=TO_LAST))
    inputs = [given, f"{name}.matrix", f"{name}.step", no_zero.name, *bias]
    nodes.append(helper.make_node("DynamicQuantizeMatMul", inputs, [result], name=node.name, domain=MICROSOFT))
    if node.op_type == "Conv":
        nodes.append(helper.make_node("Transpose", [result], [name], perm=TO_FIRST))
    return nodes, [*constants, no_zero]


def _rows_apart(node: NodeProto, weight: TensorProto, data: bytes) -> tuple[list[NodeProto], list[TensorProto]]:
    """The nodes and constants in place of a product of the decoder."""
    name, (out, width) = node.output[0], weight.dims
    block = next(block for block in (BLOCK, 128, 64, 32, 16) if width % block == 0)
    constants = _in_blocks(name, weight, data, block)
    rows = constants[0].dims[0]
    middle = numpy_helper.from_array(np.full(rows, MIDDLE, np.uint8), f"middle.{rows}")
    shape = numpy_helper.from_array(np.array([out, width // block, block]), f"blocks.{out}.{width}")
    bias = ["", "", node.input[2]] if len(node.input) > 2 else []
    inputs = [node.input[0], f"{name}.matrix", f"{name}.exact_scale", *bias]
    nodes = [
        helper.make_node(
            "QuantizeLinear", [f"{name}.weight", f"{name}.scale", middle.name], [f"{name}.rounded"], axis=0
        ),
        helper.make_node("Reshape", [f"{name}.rounded", shape.name], [f"{name}.matrix"]),
        helper.make_node("Cast", [f"{name}.scale"], [f"{name}.exact_scale"], to=TensorProto.FLOAT),
        helper.make_node(
            "MatMulNBits", inputs, [name], name=node.name, domain=MICROSOFT,
            N=out, K=width, bits=8, block_size=block, accuracy_level=4,
        ),
    ]  # fmt: skip
    return nodes, [*constants, middle, shape]


def _step_factor() -> tuple[list[NodeProto], list[TensorProto]]:
    """The nodes and constants that compute `STEP_FACTOR`: 1 where the processor multiplies exactly, otherwise 2.

    With steps twice as wide the largest weight has 64 of them, and two products, 2 · 64 · 255, fit into 16 bits.
    """
    largest = LEVELS * 255 * TRIED
    values: dict[str, np.ndarray] = {
        "inputs": np.full((TRIED, TRIED), 255, np.uint8),
        "weights": np.full((TRIED, TRIED), LEVELS, np.int8),
        "expected": np.array(largest, np.int32),
        "narrow": np.array(1, np.float32),
        "wide": np.array(2, np.float32),
    }
    constants = [numpy_helper.from_array(value, f"{STEP_FACTOR}.{name}") for name, value in values.items()]
    inputs, weights, expected, narrow, wide = (constant.name for constant in constants)
    product, least, too_small = (f"{STEP_FACTOR}.{name}" for name in ("product", "least", "too_small"))
    nodes = [
        helper.make_node("MatMulInteger", [inputs, weights], [product]),
        helper.make_node("ReduceMin", [product], [least], keepdims=0),
        helper.make_node("Less", [least, expected], [too_small]),
        helper.make_node("Where", [too_small, wide, narrow], [STEP_FACTOR]),
    ]
    return nodes, constants


def _in_blocks(name: str, weight: TensorProto, data: bytes, block: int) -> list[TensorProto]:
    """The stored weight as (blocks, `block`), and the step of each block, (blocks,) float16."""
    place = {entry.key: entry.value for entry in weight.external_data}
    count = int(np.prod(weight.dims))
    values = np.frombuffer(data, np.float16, count, int(place["offset"])).astype(np.float32).reshape(-1, block)
    scale = np.maximum(np.abs(values).max(1) / LEVELS, LEAST_SCALE).astype(np.float16)
    reshaped = TensorProto(
        name=f"{name}.weight", data_type=weight.data_type, dims=values.shape, data_location=TensorProto.EXTERNAL
    )
    reshaped.external_data.extend(weight.external_data)
    return [reshaped, numpy_helper.from_array(scale, f"{name}.scale")]


def _without_turns(nodes: list[NodeProto]) -> list[NodeProto]:
    """The nodes without transpositions to and fro around an activation, which treats each value alone."""
    made_by = {name: node for node in nodes for name in node.output}
    users: dict[str, list[NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)
    dropped = set()
    for node in nodes:
        after = users.get(node.output[0], [])
        before = made_by.get(node.input[0]) if node.op_type == "Gelu" else None
        if (
            before is not None
            and _permutation(before) == TO_FIRST
            and [_permutation(user) for user in after] == [TO_LAST]
        ):
            node.input[0], node.output[0] = before.input[0], after[0].output[0]
            dropped |= {id(before), id(after[0])}
    return [node for node in nodes if id(node) not in dropped]


def _permutation(node: NodeProto) -> list[int] | None:
    return list(node.attribute[0].ints) if node.op_type == "Transpose" else None


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Removes what nothing uses any more: the nodes that restored the weights, and the weights' first form."""
    while True:
        used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        kept = [node for node in graph.node if used.intersection(node.output)]
        if len(kept) == len(graph.node):
            break
        del graph.node[:]
        graph.node.extend(kept)
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(constants)
