"""From a recipe to modules with fresh weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from data_schemas.errors import SettingsError
from data_schemas.finding import findings
from data_schemas.recipes import ModelRecipe
from fusion_models.case_model import CaseModel
from fusion_models.concept_encoder import ConceptEncoder
from fusion_models.fusions.kinds import KINDS
from fusion_models.given_tokens import GivenTokens
from fusion_models.linear_diagnoser import LinearDiagnoser
from fusion_models.novelty import Novelty
from fusion_models.observation_encoder import ObservationEncoder
from fusion_models.radiomics import radiomics_features
from fusion_models.scan_encoder import ScanEncoder
from fusion_models.targets import TargetHeads
from fusion_models.value_vector import ValueVector
from fusion_models.word_bag import WordBag
from pipelines.cases.mentions import ASSERTIONS, SIDES
from pipelines.models.own_builder import trusted_builder
from pipelines.models.word_features import WORD_BUCKETS

OBSERVATION_FEATURES = 16


def build_scan_encoder(recipe: ModelRecipe, *, signs: int, builder: str | None = None) -> ScanEncoder:
    """A scan encoder as the recipe has it, with fresh weights.

    Parameters
    ----------
    builder
        The builder that the user's settings name. A recipe may come from a model's files, and those alone never get
        code imported: one that names another builder is refused.

    Raises
    ------
    SettingsError
        The encoder does not have the tap, cannot read volumes of the recipe's shape, or needs a builder that the
        settings do not name, that cannot be imported, or that builds something else.
    """
    own = trusted_builder(recipe.scan.builder, named=builder) if recipe.scan.builder is not None else None
    try:
        return ScanEncoder(
            architecture=recipe.scan.encoder,
            channels=recipe.scan.inputs,
            tap=recipe.scan.tap,
            width=recipe.scan.width,
            signs=max(signs, 1),  # a model that reads no scan has no sign, and never asks this encoder
            shape=recipe.scan.shape,
            slab=recipe.scan.slab,
            shortcut=recipe.scan.shortcut,
            make=own.make if own else None,
            code=own.code if own else b"",
        )
    except ValueError as error:
        raise SettingsError(f"model.scan: {error}") from None


def build_novelty(recipe: ModelRecipe, *, scan_features: int) -> Novelty:
    """The novelty of a recipe's scans, not yet fitted: over scan tokens, or radiomics where it reads those alone."""
    radiomics = "radiomics" in recipe.modalities and "scan" not in recipe.modalities
    return Novelty(features=radiomics_features(recipe.scan.inputs) if radiomics else scan_features)


def build_case_model(
    recipe: ModelRecipe, *, modalities: Sequence[str], scan_features: int, note_features: int
) -> CaseModel:
    """The trainable part as the recipe has it, reading some modalities, with fresh weights.

    Raises
    ------
    SettingsError
        There is no such modality, or none at all.
    """
    linear = recipe.fusion.kind == "linear"
    codes = max(len(recipe.observation_codes), 1)
    makers: dict[str, Callable[[], nn.Module]] = {
        # One unit of each position coordinate: millimetres (scan), section and sentence (note, concept), days.
        "scan": lambda: GivenTokens(features=scan_features, position_scale=(60.0, 60.0, 60.0), centred=True),
        "radiomics": lambda: GivenTokens(
            features=radiomics_features(recipe.scan.inputs), position_scale=(60.0, 60.0, 60.0), centred=True
        ),
        "note": lambda: GivenTokens(features=note_features, position_scale=(4.0, 4.0)),
        "words": lambda: WordBag(features=WORD_BUCKETS),
        "observation": lambda: (
            ValueVector(codes=codes) if linear else ObservationEncoder(codes=codes, features=OBSERVATION_FEATURES)
        ),
        "concept": lambda: ConceptEncoder(
            findings=len(findings()), assertions=len(ASSERTIONS), sides=len(SIDES), features=recipe.concept.width
        ),
    }
    unknown = [name for name in modalities if name not in makers]
    if unknown or not modalities:
        raise SettingsError(f"model.modalities: give some of {', '.join(makers)}; found {', '.join(modalities)}")

    def reader(features: Mapping[str, int], position_scale: Mapping[str, tuple[float, ...]]) -> nn.Module:
        if linear:
            return LinearDiagnoser(findings=len(recipe.findings), features=features)
        return KINDS[recipe.fusion.kind](
            findings=len(recipe.findings) + len(recipe.targets),
            features=features,
            position_scale=position_scale,
            width=recipe.fusion.width,
            heads=recipe.fusion.heads,
            layers=recipe.fusion.layers,
            dropout=recipe.fusion.dropout,
            modality_dropout=recipe.fusion.modality_dropout if len(features) > 1 else 0.0,
        )

    levels = {name: target.levels for name, target in recipe.targets.items()}
    return CaseModel(
        encoders={name: make() for name, make in makers.items() if name in modalities},
        reader=reader,
        targets=TargetHeads(levels) if levels and not linear else None,
    )


def with_window(recipe: ModelRecipe, window: int) -> ModelRecipe:
    """The recipe with the window that its note encoder takes where the settings name none: a model's card holds it.

    Raises
    ------
    SettingsError
        The stride leaves no room in it.
    """
    if recipe.note.stride >= window - 2:
        raise SettingsError(
            f"model.note.stride: {recipe.note.stride} leaves no room in a window of {window} sub-words, which is what "
            "the note encoder reads at once; lower it"
        )
    return recipe.model_copy(update={"note": recipe.note.model_copy(update={"window": window})})
