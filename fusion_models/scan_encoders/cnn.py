"""MONAI's ResNets and DenseNet121, in two or three dimensions, up to a tap before pooling."""

from __future__ import annotations

from torch import nn

from fusion_models.scan_encoders.body import check_tap, stages_up_to

RESNETS = {
    "resnet10": ("basic", (1, 1, 1, 1)),
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
}
DENSENET = "densenet121"
CNNS = (*RESNETS, DENSENET)
RESNET_TAPS = ("layer1", "layer2", "layer3", "layer4")
DENSENET_TAPS = ("denseblock1", "denseblock2", "denseblock3", "norm5")


def cnn(
    architecture: str, *, channels: int, tap: str, width: float, shortcut: str = "B", dimensions: int = 3
) -> nn.Sequential:
    """A CNN by name, its stages named as MONAI names them.

    Parameters
    ----------
    width
        Factor on the channels of a ResNet.
    shortcut
        Of a ResNet's blocks (He et al. 2015): ``B``, a convolution where shapes differ, or ``A``, zeros for the
        channels that are new, without weights.
    dimensions
        2 or 3.

    Raises
    ------
    ValueError
        The net has no such tap.
    """
    if architecture == DENSENET:
        return _densenet(channels, tap, dimensions)
    return _resnet(architecture, channels, tap, width, shortcut, dimensions)


def _resnet(architecture: str, channels: int, tap: str, width: float, shortcut: str, dimensions: int) -> nn.Sequential:
    from monai.networks.nets import ResNet

    check_tap(architecture, tap, RESNET_TAPS)
    block, layers = RESNETS[architecture]
    net = ResNet(
        block=block,
        layers=list(layers),
        block_inplanes=[64, 128, 256, 512],
        spatial_dims=dimensions,
        n_input_channels=channels,
        conv1_t_stride=2,
        shortcut_type=shortcut,
        widen_factor=width,
        feed_forward=False,
        bias_downsample=False,
    )
    named = ("conv1", "bn1", "act", "maxpool", *RESNET_TAPS)
    return stages_up_to([(name, getattr(net, name)) for name in named], tap)


def _densenet(channels: int, tap: str, dimensions: int) -> nn.Sequential:
    from monai.networks.nets import DenseNet121

    check_tap(DENSENET, tap, DENSENET_TAPS)
    net = DenseNet121(spatial_dims=dimensions, in_channels=channels, out_channels=1)
    return stages_up_to(net.features.named_children(), tap)
