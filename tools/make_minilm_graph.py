"""Builds store/minilm.onnx: the MiniLM sentence encoder as a graph without weights.

The graph uses standard operators only; its initialisers are ONNX external data that point at
byte offsets inside the published model.safetensors, so that onnxruntime reads the weights in
place. One text per run, therefore neither padding nor mask. Architecture: BERT (Devlin et al.
2019), 6 layers, 12 heads, 384 dimensions; mean pooling and unit length as sentence-transformers
does for all-MiniLM-L6-v2. The unit vectors of the single word pieces are an output of their own;
onnxruntime leaves out what only an output nobody asks for needs.

    python tools/make_minilm_graph.py MODEL.safetensors OUT.onnx
"""

import json
import struct
import sys
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

LAYERS, HEADS, DIMENSIONS = 6, 12, 384


class Graph:
    """Nodes and initialisers as they are added; every method returns the name of a value."""

    def __init__(self, weights: Path) -> None:
        with weights.open("rb") as f:
            size = struct.unpack("<Q", f.read(8))[0]
            self.header: dict[str, Any] = json.loads(f.read(size))
        self.data_start = 8 + size
        self.nodes: list[Any] = []
        self.initialisers: dict[str, Any] = {}

    def weight(self, name: str) -> str:
        if name not in self.initialisers:
            start, end = self.header[name]["data_offsets"]
            tensor = TensorProto(
                name=name,
                data_type=TensorProto.FLOAT,
                dims=self.header[name]["shape"],
                data_location=TensorProto.EXTERNAL,
            )
            place = {
                "location": "model.safetensors",
                "offset": self.data_start + start,
                "length": end - start,
            }
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            self.initialisers[name] = tensor
        return name

    def integers(self, *values: int) -> str:
        name = "integers_" + "_".join(map(str, values))
        self.initialisers[name] = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        return name

    def scalar(self, value: float) -> str:
        name = f"scalar_{value}"
        self.initialisers[name] = helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        return name

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def linear(self, x: str, layer: str) -> str:
        turned = self.op("Transpose", self.weight(layer + ".weight"), perm=[1, 0])
        return self.op("Add", self.op("MatMul", x, turned), self.weight(layer + ".bias"))

    def norm(self, x: str, layer: str) -> str:
        weight, bias = self.weight(layer + ".weight"), self.weight(layer + ".bias")
        return self.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=1e-12)


def build(weights: Path) -> bytes:
    """The serialised model; the same bytes for the same weights file layout."""
    g = Graph(weights)
    length = g.op("Slice", g.op("Shape", "input_ids"), g.integers(1), g.integers(2))
    zero, one = g.integers(0), g.integers(1)
    position = g.op("Slice", g.weight("embeddings.position_embeddings.weight"), zero, length, zero)
    kind = g.op("Slice", g.weight("embeddings.token_type_embeddings.weight"), zero, one, zero)
    word = g.op("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids")
    x = g.norm(g.op("Add", word, g.op("Add", position, kind)), "embeddings.LayerNorm")
    split, merge = g.integers(0, 0, HEADS, DIMENSIONS // HEADS), g.integers(0, 0, DIMENSIONS)
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}."
        heads = []
        for name, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
            flat = g.linear(x, layer + "attention.self." + name)
            heads.append(g.op("Transpose", g.op("Reshape", flat, split), perm=perm))
        query, key, value = heads
        scale = g.scalar((DIMENSIONS // HEADS) ** -0.5)
        weights_ = g.op("Softmax", g.op("Mul", g.op("MatMul", query, key), scale), axis=-1)
        mixed = g.op("Transpose", g.op("MatMul", weights_, value), perm=[0, 2, 1, 3])
        attended = g.linear(g.op("Reshape", mixed, merge), layer + "attention.output.dense")
        x = g.norm(g.op("Add", attended, x), layer + "attention.output.LayerNorm")
        wide = g.op("Gelu", g.linear(x, layer + "intermediate.dense"))
        narrow = g.linear(wide, layer + "output.dense")
        x = g.norm(g.op("Add", narrow, x), layer + "output.LayerNorm")
    g.op("LpNormalization", x, output="tokens", axis=-1, p=2)
    total = g.op("ReduceSum", x, one, keepdims=0)
    g.op("LpNormalization", total, output="embedding", axis=-1, p=2)
    graph = helper.make_graph(
        g.nodes,
        "minilm",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])],
        [
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIMENSIONS]),
            helper.make_tensor_value_info(
                "tokens", TensorProto.FLOAT, ["batch", "tokens", DIMENSIONS]
            ),
        ],
        list(g.initialisers.values()),
    )
    opset = helper.make_opsetid("", 20)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8, producer_name="corollary")
    return bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_bytes(build(Path(sys.argv[1])))
    print(f"{sys.argv[2]}: onnx {onnx.__version__}")
