"""From a converted folder back to weights that can be trained further.

What is in the repository is enough to go on: rows of 8-bit numbers are divided by their scales, which
costs half a step of 1/127 of each row's largest weight. The classifiers that only training needs are not
in the folder and begin anew.
"""

from __future__ import annotations

from pathlib import Path

import torch

from .naming import named
from .network import Whisper
from .stored import variables, weight


def restore(model: Whisper, folder: Path) -> None:
    """Give `model` the weights of a converted folder.

    Raises ValueError when the folder is of another shape than the model.
    """
    stored = variables(folder / "model.bin")
    with torch.no_grad():
        for name, target in named(model):
            if name not in stored:
                raise ValueError(f"{folder} has no {name}; is it a model of this project?")
            value = torch.from_numpy(weight(stored, name))
            if value.shape != target.shape:
                raise ValueError(f"{name} of {folder} is {tuple(value.shape)}, not {tuple(target.shape)}")
            target.copy_(value)
