"""What a fitted parameter rests on: its default, and the offsets of the groups it came from."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, InferenceCases
from advisor.engine.explain.nodes import Node
from advisor.engine.explain.terms import Basis
from advisor.engine.kriging import Features, Kriging, covariance
from advisor.engine.serving.parameters import NAMES, base_of, key_tables, natural
from catalog.specs import Evidence

_NEAREST = 3
_DEFAULTS = "a planning default; see the method pages for its source"


def serving_basis(name: str, cases: InferenceCases, calibration: Calibration) -> Basis:
    """Default and fitted offsets of a serving parameter, for the first of some cases.

    Source: the serving section of the calibration.
    """
    if name not in NAMES:
        return Basis(evidence=Evidence.ASSUMED.value, source=_DEFAULTS)
    offsets: Mapping[str, float] = calibration.serving.get("offsets", {}).get(name, {})
    keys = [key for index, table in key_tables(cases) for key in table[int(index[0])]]
    moved = {key: offsets[key] for key in keys if offsets.get(key)}
    default = float(natural(name, base_of(name)))
    words = [f"planning default {default:.4g}"]
    general = offsets.get("", 0.0)
    if general:
        words.append(f"{general:+.3f} from all measurements")
    words += [f"{value:+.3f} from {key.replace(':', ' ', 1)}" for key, value in moved.items()]
    words += [
        f"{offsets[key]:+.3f} a unit of {key}" for key in ("year", "youth") if offsets.get(key)
    ]
    if len(words) == 1:
        return Basis(evidence=Evidence.ASSUMED.value, source=_DEFAULTS)
    scale = "logit" if default < 1.0 and _is_share(name) else "logarithm"
    text = f"{words[0]}; fitted offsets on its {scale}: {', '.join(words[1:])}"
    return Basis(evidence=Evidence.CALIBRATED.value, source=text)


def _is_share(name: str) -> bool:
    return float(natural(name, 50.0)) <= 1.0


def fitted_basis(name: str, default: float | None, section: Mapping[str, Any]) -> Basis:
    """A training or samples parameter: fitted for all, or a default.

    Source: that section of the calibration.
    """
    fitted = section.get("parameters", {})
    if name not in fitted or default is None or fitted[name] == default:
        return Basis(evidence=Evidence.ASSUMED.value, source=_DEFAULTS)
    rows = len(section.get("residual", {}).get("rows", ()))
    return Basis(
        evidence=Evidence.CALIBRATED.value,
        source=f"fitted on {rows} measured rows from a planning default of {default:.4g}",
    )


def residual_basis(node: Node, section: Mapping[str, Any]) -> Basis:
    """The measured rows most like the case that a learnt correction is for.

    Source: covariances of the residual model, advisor.engine.kriging.
    """
    predict = node.made_by
    kriging = getattr(predict, "__self__", None)
    features = next((n.value for n in node.inputs if isinstance(n.value, Features)), None)
    if not isinstance(kriging, Kriging) or features is None:
        return Basis(evidence=Evidence.CALIBRATED.value, source="learnt from measured relatives")
    alike: Floats = covariance(kriging.components, features, kriging.known)[0]
    rows = list(section.get("residual", {}).get("rows", ()))
    nearest = [at for at in np.argsort(-alike)[:_NEAREST] if at < len(rows) and alike[at] > 0.0]
    text = f"learnt from {len(kriging.weights)} measured rows"
    if nearest:
        text += f"; most alike: {', '.join(str(rows[at]) for at in nearest)}"
    return Basis(evidence=Evidence.CALIBRATED.value, source=text)
