"""Compiles the Python files of an app, executing nothing of them.

It reads one line, {"entry": module or file, "paths": [folder], "files": {name:
base64}}, and writes one, [{"file", "line", "column", "text", "kind", "what", "certain"}]:
the files that this Python cannot compile. One is certain where the start
imports it whatever happens; others may be of another Python, or never used.
"""

import ast
import base64
import json
import sys
import warnings


def broken(name, data):
    """Why a file cannot be compiled; None where it can."""
    try:
        compile(data, name, "exec", dont_inherit=True)
        return None
    except SyntaxError as e:
        line, column, kind, what = e.lineno or 0, e.offset or 0, type(e).__name__, e.msg
    except ValueError as e:  # null bytes, before Python 3.12
        line, column, kind, what = 0, 0, "SyntaxError", str(e)
    except (RecursionError, MemoryError, OverflowError):
        return None  # too deep to be judged here
    lines = data.decode("utf-8", "replace").splitlines()
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return {"file": name, "line": line, "column": column, "text": text, "kind": kind, "what": what}


class Start:
    """What the start imports whatever happens."""

    def __init__(self, files, paths):
        self.files, self.paths, self.seen = files, paths, set()

    def file(self, module):
        """The file of a module; None where it is none of the app's own."""
        if module.split(".")[0] in sys.stdlib_module_names:
            return None  # may be loaded already, from elsewhere
        for path in self.paths:
            base = path + module.replace(".", "/")
            for name in (base + "/__init__.py", base + ".py"):
                if name in self.files:
                    return name
        return None

    def enter(self, module):
        """Takes in a module, and the packages it is in."""
        parts = module.split(".")
        for n in range(1, len(parts) + 1):
            if name := self.file(".".join(parts[:n])):
                self.read(name, ".".join(parts[:n]))

    def read(self, name, module):
        """Takes in a file, and what it imports at its top level."""
        if name in self.seen:
            return
        self.seen.add(name)
        try:
            tree = ast.parse(self.files[name])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        package = module if name.endswith("/__init__.py") else module.rpartition(".")[0]
        self.follow(tree.body, package)

    def follow(self, body, package):
        for node in body:
            match node:
                case ast.Raise():
                    return
                case ast.Import():
                    for alias in node.names:
                        self.enter(alias.name)
                case ast.ImportFrom():
                    self.follow_from(node, package)
                case ast.With() | ast.ClassDef():
                    self.follow(node.body, package)

    def follow_from(self, node, package):
        base = node.module or ""
        if node.level:
            parts = package.split(".") if package else []
            if node.level > len(parts):
                return
            base = ".".join(parts[: len(parts) - node.level + 1] + ([base] if base else []))
        if not base:
            return
        self.enter(base)
        init = self.file(base)
        if init and not init.endswith("/__init__.py"):
            return
        own = names(self.files[init], base) if init else set()
        for alias in node.names:
            # A name that the package may bind itself is no module of it.
            if alias.name not in own and not own & {"*", "__getattr__"}:
                self.enter(base + "." + alias.name)


def names(data, package):
    """The names that a package may bind itself, beside its own modules."""
    found = set()
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Import():
                found |= {a.asname or a.name.split(".")[0] for a in node.names}
            case ast.ImportFrom(module=module, level=level):
                itself = level == 1 and not module or level == 0 and module == package
                found |= {a.asname or a.name for a in node.names if a.asname or not itself}
    return found


def main():
    warnings.simplefilter("ignore")
    asked = json.loads(sys.stdin.readline() or "null")
    if asked is None:
        return  # nobody needs it any more
    files = {name: base64.b64decode(data) for name, data in asked["files"].items()}
    found = [b for name in sorted(files) if (b := broken(name, files[name]))]
    if found and asked["entry"]:
        start = Start(files, asked["paths"])
        if asked["entry"].endswith(".py"):
            if asked["entry"] in files:
                start.read(asked["entry"], "__main__")
        else:
            start.enter(asked["entry"])
        for b in found:
            b["certain"] = b["file"] in start.seen
    print(json.dumps(found), flush=True)


main()
