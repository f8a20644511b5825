"""The user's own code: found, pinned by the digest of its file, imported, and blamed by file and line."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import sys
import threading
import traceback
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

from torch import nn

from tasks.errors import ConfigError, IntegrityError

_importing = threading.Lock()


def make_importable(folder: Path) -> None:
    """Let this process import from a folder, after every other place, so that nothing there hides a library."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def source_digest(path: str) -> str:
    """Return the SHA-256, in hex, of the file of `package.module:Class`; a package's own `__init__` is executed.

    Raises:
        ConfigError: There is no such module, or it is not one file of Python.
    """
    return hashlib.sha256(_found(path)[1].read_bytes()).hexdigest()


def own_class(path: str, digest: str, settings: Mapping[str, Any]) -> type[nn.Module]:
    """Import the user's class.

    Args:
        path: `package.module:Class`.
        digest: SHA-256, in hex, that the module's file must have.
        settings: What the class will be called with, by name, after the features' spec.

    Raises:
        ConfigError: The module cannot be imported, or what is there is no such class.
        IntegrityError: The file is another one.
    """
    spec, file = _found(path)
    module = _imported(spec, file, digest)
    name = path.partition(":")[2]
    found = getattr(module, name, None)
    if not _is_network(found) or found.__module__ != module.__name__:
        raise _no_such_class(module, file, name)
    _require_signature(found, file, settings)
    return found


def failure(what: str, error: Exception, blamed: type) -> ConfigError:
    """Return an error of the config for one that the user's code raised, with the last line of theirs in it."""
    file = inspect.getfile(blamed)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f"{file}:{lines[-1]}" if lines else file
    said = (str(error).strip() or "no message").splitlines()[0]
    return ConfigError(
        f"train.model: {what}: {where}: {type(error).__name__}: {said}\n"
        "  do: mend the module; docs/own-network.md says what it must meet"
    )


def _is_network(value: object) -> TypeGuard[type[nn.Module]]:
    return isinstance(value, type) and issubclass(value, nn.Module)


def _no_such_class(module: ModuleType, file: Path, name: str) -> ConfigError:
    found = getattr(module, name, None)
    classes = [key for key, value in vars(module).items() if _is_network(value) and value.__module__ == module.__name__]
    what = "nothing of that name" if found is None else f"a {type(found).__name__} that is no such class"
    if isinstance(found, type):
        what = f"the class {found.__module__}.{found.__qualname__}"
    near = difflib.get_close_matches(name, classes, n=1)
    return ConfigError(
        f"train.model.path: {file}: expected a class `{name}`, defined there and derived from torch.nn.Module, found "
        f"{what}\n  do: "
        + (f"write `{near[0]}`" if near else f"name one that the file defines: {', '.join(classes[:5]) or 'none yet'}")
    )


def _found(path: str) -> tuple[ModuleSpec, Path]:
    name = path.partition(":")[0]
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(name)
    except Exception as error:
        # Finding a module runs the packages around it, which may fail in any way.
        if not isinstance(error, ModuleNotFoundError) or not f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(
                f"train.model.path: importing the package of `{name}` fails: {type(error).__name__}: {error}\n"
                "  do: mend its `__init__.py`"
            ) from error
        spec = None
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"train.model.path: there is no module `{name}` beside the config or on the Python path\n"
            "  do: put it into the config's folder, or that of its package on PYTHONPATH"
        )
    file = Path(spec.origin)
    if spec.submodule_search_locations is not None or file.suffix != ".py":
        raise ConfigError(
            f"train.model.path: `{name}` is {file}; expected a module of one Python file\n"
            f"  do: name the file that defines the class, such as {name}.networks:Mine"
        )
    return spec, file


def _imported(spec: ModuleSpec, file: Path, digest: str) -> ModuleType:
    """Run a file under a name that holds its digest: the code is what was digested, also in a process that lives on."""
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise IntegrityError(
            f"{file}: holds other code than the model was made with: expected SHA-256 {digest[:12]}, got {found[:12]}\n"
            "  do: bring the old file back, or train again with the new one (without `digest` in train.model)"
        )
    name = f"{spec.name}_{digest[:12]}"
    with _importing:
        if name in sys.modules:
            return sys.modules[name]
        own = importlib.util.spec_from_file_location(name, file)
        assert own is not None
        module = importlib.util.module_from_spec(own)
        sys.modules[name] = module
        try:
            exec(compile(content, file, "exec"), vars(module))  # noqa: S102 - what an import does, of bytes we hold
        except BaseException as error:
            del sys.modules[name]
            if not isinstance(error, Exception):
                raise
            raise _import_failure(error, file) from error
        return module


def _import_failure(error: Exception, file: Path) -> ConfigError:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 1
    return ConfigError(
        f"train.model.path: {file}:{line}: importing it fails: {type(error).__name__}: {error}\n  do: mend the module"
    )


def _require_signature(found: type[nn.Module], file: Path, settings: Mapping[str, Any]) -> None:
    signature = inspect.signature(found)
    try:
        signature.bind(None, **settings)
    except TypeError as error:
        takes = ", ".join(list(signature.parameters)[1:]) or "none"
        raise ConfigError(
            f"train.model.settings: {file}: {found.__name__}(spec, **settings) cannot be called with the settings "
            f"{', '.join(settings) or 'none'}: {error}\n"
            f"  do: let it take the FeatureSpec first; the settings it takes: {takes}"
        ) from error
    try:
        inspect.signature(found.forward).bind(None, None, None)
    except TypeError as error:
        raise ConfigError(
            f"train.model.path: {file}: {found.__name__}.forward(numeric, categorical) cannot be called: {error}\n"
            "  do: let it take these two tensors, and nothing else that is required"
        ) from error
