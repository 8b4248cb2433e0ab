"""ONNX: a raw photo in, class ids or logits out, for any batch, height and width; one file each. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from tessella.bundle.network import load_network
from tessella.core.errors import ParityError
from tessella.predict.runtime_onnx import metadata_of
from tessella.predict.seal import BLANK, KEY_SEAL, seal

if TYPE_CHECKING:
    from onnx import ModelProto

    from tessella.bundle.opening import Bundle
    from tessella.models.network import Network

_AXES: Final = ("batch", "height", "width")
_EXAMPLE_HW: Final = (70, 94)
"""Size of the photo that is traced. No round numbers: the exporter must not take a size for a constant."""


class OnnxFiles(NamedTuple):
    """The two sealed files of an export.

    Args:
        ids: (B, H, W, C) raw photos to (B, H, W) uint8 class ids.
        logits: (B, H, W, C) raw photos to (B, K, H, W) float32 logits.
    """

    ids: bytes
    logits: bytes


def export_onnx(bundle: Bundle, *, precision: str) -> OnnxFiles:
    """Export a bundle; preprocessing, and for ids the decision, are inside the graph.

    Args:
        bundle: An opened bundle.
        precision: Written into the metadata; the arithmetic is that of the network, fp32.

    Returns:
        The bytes of both files.
    """
    model = _trace(load_network(bundle), bundle)
    _remove_traces(model)
    logits = _sealed(model, bundle, output="logits", precision=precision)
    _decide_inside(model)
    return OnnxFiles(_sealed(model, bundle, output="ids", precision=precision), logits)


class _Photo(nn.Module):
    """Takes photos as they lie in memory, (B, H, W, C), and gives (B, K, H, W) float32 logits."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        logits: Tensor = self.network(photo.permute(0, 3, 1, 2))
        return logits.float()


def _trace(network: Network, bundle: Bundle) -> ModelProto:
    preprocess = bundle.plan.preprocess
    example = torch.zeros(2, *_EXAMPLE_HW, len(preprocess.bands), dtype=getattr(torch, preprocess.dtype))
    sizes = {index: torch.export.Dim(name) for index, name in enumerate(_AXES)}
    try:
        program: Any = torch.onnx.export(
            _Photo(network).eval(),
            (example,),
            dynamo=True,
            dynamic_shapes=(sizes,),
            input_names=["photo"],
            output_names=["logits"],
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ParityError(
            f"torch cannot export the network {bundle.plan.model.name!r} to ONNX with free sizes; nothing was written",
            got=str(error).strip().splitlines()[0][:300],
            fix="choose another network, or use the bundle itself",
        ) from error
    model: ModelProto = program.model_proto
    _name_axes(model, ("batch", len(bundle.plan.classes), "height", "width"))
    return model


def _name_axes(model: ModelProto, names: tuple[str | int, ...]) -> None:
    """Call the axes of the output what they are, instead of the exporter's formula for padding and cropping."""
    for axis, name in zip(model.graph.output[0].type.tensor_type.shape.dim, names, strict=True):
        if isinstance(name, int):
            axis.dim_value = name
        else:
            axis.dim_param = name


def _remove_traces(model: ModelProto) -> None:
    """Remove the stack traces that the exporter writes into every node: they name folders of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]


def _decide_inside(model: ModelProto) -> None:
    """Let the graph end in class ids: of equal logits the first class, as everywhere in Tessella."""
    from onnx import TensorProto, helper

    graph = model.graph
    graph.node.append(helper.make_node("ArgMax", ["logits"], ["winner"], axis=1, keepdims=0))
    graph.node.append(helper.make_node("Cast", ["winner"], ["ids"], to=TensorProto.UINT8))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("ids", TensorProto.UINT8, list(_AXES)))


def _sealed(model: ModelProto, bundle: Bundle, *, output: str, precision: str) -> bytes:
    from onnx import helper

    metadata = metadata_of(bundle.plan, bundle=bundle.digest, output=output, precision=precision)
    helper.set_model_props(model, metadata | {KEY_SEAL: BLANK})
    return seal(model.SerializeToString())
