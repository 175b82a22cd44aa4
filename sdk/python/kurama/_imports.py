"""Patches modules as soon as somebody imports them; what nobody imports costs nothing."""

import sys
from importlib.machinery import PathFinder


def on_import(patches):
    """Call patches[name](module) once for each module, now where it is there already."""
    for name in [name for name in patches if name in sys.modules]:
        patches.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _Finder(patches))


class _Finder:
    """Finds modules as everybody does, and patches those that were asked for."""

    def __init__(self, patches):
        self.patches = patches

    def find_spec(self, name, path=None, target=None):
        """Return the spec of a module to be patched; None for all others."""
        if name not in self.patches:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        patch, loaded = self.patches.pop(name), spec.loader.exec_module

        def exec_module(module):
            loaded(module)
            patch(module)

        spec.loader.exec_module = exec_module
        return spec
