"""Matrix products in eight bits: which are changed, and what they then give."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file, save_file

from hwr_core.checkpoints.safetensors_file import stored_tensors
from training.fit.quantise import BLOCK, LEVELS, STEP_FACTOR, quantise, to_eight_bits

WIDE, NARROW, LONG = 96, 16, 512
BIAS = numpy_helper.from_array(np.linspace(-1, 1, WIDE).astype(np.float32), "bias")


@pytest.fixture
def weights(tmp_path):
    """Weights as a checkpoint stores them: outputs first, one output with large weights and one with none."""
    rng = np.random.default_rng(0)
    expand = rng.normal(0, 0.1, (WIDE, WIDE, 1, 1))
    expand[3] *= 10
    expand[5] = 0
    path = tmp_path / "model.safetensors"
    tensors = {
        "expand": expand,
        "linear": rng.normal(0, 0.1, (WIDE, WIDE)),
        "narrow": rng.normal(0, 0.1, (NARROW, WIDE)),
        "long": rng.normal(0, 0.1, (WIDE, LONG)),
    }
    save_file({name: value.astype(np.float16) for name, value in tensors.items()}, path)
    return path


def stored_in(weights) -> list[TensorProto]:
    """Initializers that name their places in the weights' file."""
    found = []
    for name, tensor in stored_tensors(weights).items():
        stored = TensorProto(
            name=f"{name}.stored",
            data_type=TensorProto.FLOAT16,
            dims=tensor.shape,
            data_location=TensorProto.EXTERNAL,
        )
        for key, value in (("location", weights.name), ("offset", tensor.offset), ("length", tensor.length)):
            stored.external_data.add(key=key, value=str(value))
        found.append(stored)
    return found


def graph_of(weights) -> onnx.ModelProto:
    """Pixels → pointwise convolution → Gelu → pointwise convolution → two linear layers; the last one is narrow."""
    nodes = []
    for stored in stored_in(weights):
        name = stored.name.removesuffix(".stored")
        nodes.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT))
        if len(stored.dims) == 2:
            nodes.append(helper.make_node("Transpose", [name], [f"{name}.turned"], perm=[1, 0]))
    nodes += [
        helper.make_node("Conv", ["pixels", "expand", "bias"], ["expanded"], kernel_shape=[1, 1]),
        helper.make_node("Gelu", ["expanded"], ["active"]),
        helper.make_node("Conv", ["active", "expand"], ["projected"], kernel_shape=[1, 1]),
        helper.make_node("Transpose", ["projected"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["last", "linear.turned"], ["wide"]),
        helper.make_node("MatMul", ["wide", "narrow.turned"], ["result"]),
    ]
    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, WIDE, None, None])
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("projected", "wide", "result")]
    graph = helper.make_graph(nodes, "encoder", [given], results, [BIAS, *stored_in(weights)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def run(model: onnx.ModelProto, weights, pixels: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights.parent))
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"pixels": pixels})


def test_large_products_are_rounded_and_small_ones_stay(weights):
    exact, rounded = graph_of(weights), graph_of(weights)
    assert quantise(rounded, weights) == 3
    kinds = [node.op_type for node in rounded.graph.node]
    assert (kinds.count("DynamicQuantizeMatMul"), kinds.count("Conv"), kinds.count("MatMul")) == (3, 0, 1)
    pixels = np.random.default_rng(1).normal(0, 1, (1, WIDE, 5, 7)).astype(np.float32)
    for ours, theirs in zip(run(rounded, weights, pixels), run(exact, weights, pixels), strict=True):
        assert ours.shape == theirs.shape
        assert 0 < (ours - theirs).std() < 0.1 * theirs.std()


def test_each_output_has_its_own_scale(weights):
    model = graph_of(weights)
    quantise(model, weights)
    scale = next(numpy_helper.to_array(one) for one in model.graph.initializer if one.name == "expanded.scale")
    largest = np.abs(load_file(weights)["expand"].astype(np.float32)).max((1, 2, 3))
    assert scale.shape == (WIDE,) and scale[5] > 0
    assert np.allclose(LEVELS * scale[largest > 0], largest[largest > 0], rtol=2e-3)


def with_step_factor(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph, which also gives out the factor by which the processor widens its steps."""
    model.graph.output.append(helper.make_tensor_value_info(STEP_FACTOR, TensorProto.FLOAT, []))
    return model


def test_a_processor_without_exact_products_has_steps_twice_as_wide(weights):
    exact, rounded, widened = graph_of(weights), graph_of(weights), graph_of(weights)
    for model in (rounded, widened):
        quantise(model, weights)
        with_step_factor(model)
    # Here as well as on such a processor, the product of the largest numbers is below a number that cannot be reached.
    expected = next(one for one in widened.graph.initializer if one.name == f"{STEP_FACTOR}.expected")
    expected.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(expected), expected.name))
    pixels = np.random.default_rng(1).normal(0, 1, (1, WIDE, 5, 7)).astype(np.float32)
    theirs = run(exact, weights, pixels)
    *ours, factor = run(rounded, weights, pixels)
    *coarse, wide = run(widened, weights, pixels)
    assert factor in (1, 2) and wide == 2
    for one, other, true in zip(ours, coarse, theirs, strict=True):
        error, more = (one - true).std() / true.std(), (other - true).std() / true.std()
        assert 0 < error < 0.1 and 0 < more < 0.1
        if factor == 1:
            assert error < more


def decoder_of(weights) -> onnx.ModelProto:
    """Rows of `LONG` values → a linear layer."""
    nodes = [
        helper.make_node("Cast", ["long.stored"], ["long"], to=TensorProto.FLOAT),
        helper.make_node("Gemm", ["pixels", "long", "bias"], ["result"], transB=1),
    ]
    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [None, LONG])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "decoder", [given], [result], [BIAS, *stored_in(weights)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_rows_of_the_decoder_are_rounded_each_alone(weights):
    exact, rounded = decoder_of(weights), decoder_of(weights)
    assert quantise(rounded, weights) == 1
    assert "MatMulNBits" in [node.op_type for node in rounded.graph.node]
    rows = np.random.default_rng(1).normal(0, 1, (5, LONG)).astype(np.float32)
    rows[4] *= 1000
    (ours,), (theirs,) = run(rounded, weights, rows), run(exact, weights, rows)
    for one, other in zip(ours, theirs, strict=True):
        assert 0 < (one - other).std() < 0.02 * other.std()
    for count in (1, 3):
        assert np.allclose(run(rounded, weights, rows[:count])[0], ours[:count], atol=1e-4)


def test_a_scale_of_the_decoder_is_that_of_a_block(weights):
    model = decoder_of(weights)
    quantise(model, weights)
    scale = next(numpy_helper.to_array(one) for one in model.graph.initializer if one.name == "result.scale")
    largest = np.abs(load_file(weights)["long"].astype(np.float32)).reshape(-1, BLOCK).max(1)
    assert np.allclose(LEVELS * scale, largest, rtol=2e-3)


def test_a_graph_without_such_products_is_refused(weights, tmp_path):
    model = graph_of(weights)
    del model.graph.initializer[1:]
    path = tmp_path / "encoder.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="no large matrix product"):
        to_eight_bits(path, weights)
