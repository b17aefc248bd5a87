"""Load a configuration with Accelerate's own loader, and print it.

The loader touches no tensor, so where torch is not installed an empty stand-in takes its place.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import sys
import types
from typing import Any
from unittest.mock import MagicMock


class Torch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers every import of torch with an empty module."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name.split(".")[0] == "torch":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__dict__["__version__"] = "2.13.0"
        module.__dict__["__getattr__"] = _anything
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__path__ = []


def _anything(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return MagicMock(name=name)


def main() -> None:
    if importlib.util.find_spec("torch") is None:
        sys.meta_path.insert(0, Torch())
        real = importlib.metadata.version
        importlib.metadata.version = lambda distribution_name: (
            "2.13.0" if distribution_name == "torch" else real(distribution_name)
        )
    from accelerate.commands.config.config_args import (  # type: ignore[import-not-found]
        load_config_from_file,
    )

    sys.stdout.write(json.dumps(load_config_from_file(sys.argv[1]).to_dict()))


if __name__ == "__main__":
    main()
