"""The fusions by their settings word. To add one: write its function here, and its word in the settings.

Each takes the same flat arguments (:class:`Diagnoser` explains them) and gives a module that reads the tokens of all
modalities and gives a `Reading`; ``fusion_models.contract`` holds what it must keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from torch import nn

from fusion_models.diagnoser import Diagnoser
from fusion_models.fusions.bottleneck import BottleneckFusion
from fusion_models.fusions.concatenation import Concatenation
from fusion_models.fusions.cross_attention import CrossAttentionFusion
from fusion_models.fusions.gated import Gated
from fusion_models.fusions.joint import JointFusion
from fusion_models.fusions.late import Late

Maker = Callable[..., nn.Module]

KINDS: Mapping[str, Maker] = MappingProxyType(
    {
        "cross-attention": partial(Diagnoser, fuse=CrossAttentionFusion),
        "joint": partial(Diagnoser, fuse=JointFusion),
        "bottleneck": partial(Diagnoser, fuse=BottleneckFusion),
        "concatenation": Concatenation,
        "gated": Gated,
        "late": Late,
    }
)
