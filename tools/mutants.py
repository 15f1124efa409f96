"""`make mutants MODULES=...`: put plausible mistakes, one at a time, into modules that carry rules; tell which no test notices.

A mutant is one change of one expression or statement of a function. It is put into a forked copy of a test process that has
everything imported, by replacing the function's code object; then the tests that run this function are tried, the most
specific ones first, until one fails. Which tests run which function is found once and kept in `var/mutants/reach.json`
(`--reach` finds it anew). Mutants that change nothing a test could see are listed in `tests/mutants_equal.json`, each
with its reason, and count as killed.

    python -m tools.mutants consult_app/signoff/gate.py [more modules] [--reach] [--jobs 2] [--only FUNCTION]
"""

from __future__ import annotations

import argparse
import ast
import collections
import copy
import dataclasses
import gc
import importlib
import itertools
import json
import os
import select
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "var" / "mutants"
REACH = KEPT / "reach.json"
EQUAL = ROOT / "tests" / "mutants_equal.json"
SLOW = ("tests/journeys/", "tests/proofs/", "tests/test_deploy.py", "tests/test_cloning.py")  # browsers, long proofs
MOST = 80  # tests that are tried on one mutant
PATIENCE = 15.0  # seconds of tests after which no further one is begun on a mutant
ENDLESS = 240.0  # seconds after which a mutant is an endless loop, which counts as noticed

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
RENAMED = {
    "is_": "is_not", "is_not": "is_", "in_": "not_in", "not_in": "in_", "min": "max", "max": "min", "any": "all", "all": "any",
    "and_": "or_", "or_": "and_",
}  # fmt: skip
NARROWING = {"where", "filter", "and_", "having"}  # calls of which each argument is a condition
TOLD = {"_", "gettext", "ngettext", "lazy_gettext", "N_"}  # calls whose words are for people


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change: where it is, and the line before and after."""

    module: str  # the path, e.g. consult_app/signoff/gate.py
    function: str  # its qualified name; "" at the module's own level
    line: int
    before: str
    after: str
    number: int  # among those of its module, in the order of the text
    constants: tuple[str, ...] = ()  # the names that a statement at the module's own level binds

    @property
    def key(self) -> str:
        return f"{self.module}::{self.function}::{self.before} => {self.after}"


def _swap(node: ast.AST) -> Iterator[Callable[[Any], None]]:
    """The changes that can be made to a node in its place."""
    if isinstance(node, ast.Compare):
        for n, op in enumerate(node.ops):
            if type(op) in SWAPPED:
                yield lambda it, n=n, op=op: it.ops.__setitem__(n, SWAPPED[type(op)]())
    elif isinstance(node, ast.BoolOp) or (isinstance(node, ast.BinOp) and type(node.op) in SWAPPED and not _is_text(node)):
        yield lambda it: setattr(it, "op", SWAPPED[type(it.op)]())
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda it: setattr(it, "value", not it.value)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield lambda it: setattr(it, "value", it.value + 1)
    elif isinstance(node, ast.Attribute) and node.attr in RENAMED and node.attr.endswith(("_", "_not", "not_in")):
        yield lambda it: setattr(it, "attr", RENAMED[it.attr])
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in RENAMED:
            yield lambda it: setattr(it.func, "id", RENAMED[it.func.id])
        name = _name_of(node)
        if name in NARROWING:
            for n in range(len(node.args)):
                if name != "and_" or len(node.args) > 1:
                    yield lambda it, n=n: it.args.pop(n)


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str) for side in (node.left, node.right))


def _replacements(node: ast.AST) -> Iterator[Callable[[], ast.AST]]:
    """What can stand in a node's place."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield lambda: node.operand
    elif isinstance(node, ast.IfExp):
        yield lambda: node.body
        yield lambda: node.orelse
    elif isinstance(node, ast.Return) and not _is_nothing(node.value):
        yield lambda: ast.Return(value=ast.Constant(value=None))
    elif _can_go(node):
        yield ast.Pass


def _can_go(node: ast.AST) -> bool:
    """Whether a statement can be left out without a name missing afterwards."""
    if isinstance(node, ast.Expr):
        is_line_of_log = ast.unparse(node).startswith("log.")  # what operators read decides nothing
        return not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom) and not is_line_of_log
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    return isinstance(node, ast.Raise | ast.AugAssign | ast.Delete | ast.Continue | ast.Break)


def _is_nothing(node: ast.AST | None) -> bool:
    """Whether None in its place is the same to who asks: None itself, or False."""
    return node is None or (isinstance(node, ast.Constant) and node.value in (None, False))


def _tests(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield "test"


def _name_of(call: ast.Call) -> str:
    """The name of what is called, without the object it is called on."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _walk(node: ast.AST, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], ast.AST]]:
    """Every node below, with the way to it; what is for people and for the type checker is left out."""
    yield path, node
    is_type_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    if is_type_only or isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _name_of(node) in TOLD):
        return
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment", "type_params"}:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and name == "args":
            continue  # defaults stand in the function, not in its code
        if isinstance(value, list):
            for n, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield from _walk(one, (*path, (name, n)))
        elif isinstance(value, ast.AST):
            yield from _walk(value, (*path, (name, None)))


def _at(tree: ast.AST, path: tuple[Any, ...]) -> Any:
    for name, n in path:
        tree = getattr(tree, name) if n is None else getattr(tree, name)[n]
    return tree


def _put(tree: ast.AST, path: tuple[Any, ...], node: ast.AST) -> None:
    *way, (name, n) = path
    parent = _at(tree, tuple(way))
    if n is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[n] = node


def _owner(tree: ast.AST, path: tuple[Any, ...]) -> tuple[str, tuple[Any, ...], int]:
    """The outermost function around a node: its qualified name, and the way to it; where there is none, the top statement."""
    names: list[str] = []
    for end in range(1, len(path) + 1):
        node = _at(tree, path[:end])
        if isinstance(node, ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return ".".join([*names, node.name]), path[:end], node.lineno
    return "", path[:1], getattr(_at(tree, path[:1]), "lineno", 0)


def _statement(tree: ast.AST, path: tuple[Any, ...]) -> ast.AST:
    """The smallest statement around a node; of one that holds others, only its head."""
    for end in range(len(path), 0, -1):
        node = _at(tree, path[:end])
        if isinstance(node, ast.stmt):
            return node
    return tree


AROUND = 50  # characters of a statement that are shown on each side of the change


def _shown(before: ast.AST, after: ast.AST) -> tuple[str, str]:
    """The first line of a statement before and after a change; of a long one what stands around the change."""
    old, new = (ast.unparse(node).split("\n", 1)[0] for node in (before, after))
    start = max(0, _alike(old, new) - AROUND)
    end = max(0, _alike(old[::-1], new[::-1]) - AROUND)
    return old[start : len(old) - end], new[start : len(new) - end]


def _alike(one: str, other: str) -> int:
    """How many characters at the beginning are the same."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def mutants_of(path: str) -> Iterator[tuple[Mutant, ast.Module]]:
    """Every mutant of a module with its changed tree."""
    tree = ast.parse((ROOT / path).read_text())
    number = 0
    for way, node in _walk(tree):
        if not way:
            continue
        function, _owned, _line = _owner(tree, way)
        top = _at(tree, way[:1])
        if not function and not isinstance(top, ast.Assign | ast.AnnAssign):
            continue
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            change(changed, way)
            before = _statement(tree, way)
            after = _statement(changed, way)
            ast.fix_missing_locations(changed)
            number += 1
            line, named = getattr(node, "lineno", 0), () if function else _bound(top)
            yield Mutant(path, function, line, *_shown(before, after), number, named), changed


def _changes(node: ast.AST) -> Iterator[Callable[[ast.Module, tuple[Any, ...]], None]]:
    for swap in _swap(node):
        yield lambda tree, way, swap=swap: swap(_at(tree, way))
    for make in _replacements(node):
        yield lambda tree, way, make=make: _put(tree, way, copy.deepcopy(make()))
    for name in _tests(node):

        def negate(tree: ast.Module, way: tuple[Any, ...], name: str = name) -> None:
            it = _at(tree, way)
            setattr(it, name, ast.UnaryOp(op=ast.Not(), operand=getattr(it, name)))

        yield negate


def _code_named(code: types.CodeType, names: list[str]) -> types.CodeType | None:
    if not names:
        return code
    for const in code.co_consts:
        if isinstance(const, types.CodeType) and const.co_name == names[0]:
            found = _code_named(const, names[1:])
            if found is not None:
                return found
    return None


def _bound(top: Any) -> tuple[str, ...]:
    targets = top.targets if isinstance(top, ast.Assign) else [top.target]
    return tuple(target.id for target in targets if isinstance(target, ast.Name))


def _users(mutant: Mutant) -> list[str]:
    """The functions of a module that use a constant of it."""
    names = set(mutant.constants)
    found: list[str] = []
    for way, node in _walk(ast.parse((ROOT / mutant.module).read_text())):
        if isinstance(node, ast.Name) and node.id in names and way:
            function, _way, _line = _owner(ast.parse((ROOT / mutant.module).read_text()), way)
            found += [function] if function else []
    return found


def _replace_code(module_name: str, function: str, file: str, new: types.CodeType) -> bool:
    """Give every function object of this name its new code; False where there is none that can take it."""
    found: Any = sys.modules[module_name]
    for name in function.split("."):
        found = vars(found).get(name) if hasattr(found, "__dict__") else None
    found = _plain(found)
    if isinstance(found, types.FunctionType) and _is_code(found.__code__, function, file, new):
        found.__code__ = new
        return True
    done = False
    gc.unfreeze()  # what is frozen is not listed
    for one in [f for f in gc.get_objects() if isinstance(f, types.FunctionType)]:
        if _is_code(one.__code__, function, file, new):
            one.__code__ = new
            done = True
    return done


def _plain(found: Any) -> Any:
    """The function inside a property, a class method or a decorator."""
    for name in ("fget", "__func__", "__wrapped__"):
        while isinstance(getattr(found, name, None), types.FunctionType):
            found = getattr(found, name)
    return found


def _is_code(old: types.CodeType, function: str, file: str, new: types.CodeType) -> bool:
    return old.co_qualname == function and old.co_filename == file and old.co_freevars == new.co_freevars


def _put_in(mutant: Mutant, tree: ast.Module) -> bool:
    """Put a mutant into this process; False where there is no place for it (a method that a library made anew, say)."""
    name = mutant.module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    module = importlib.import_module(name)
    file = str(ROOT / mutant.module)
    if mutant.function:
        new = _code_named(compile(tree, file, "exec", dont_inherit=True), mutant.function.split("."))
        return new is not None and _replace_code(name, mutant.function, file, new)
    # a constant of the module: made anew, and replaced in every module that imported it under its name
    whole = ast.parse((ROOT / mutant.module).read_text()).body
    top: Any = next(one for one, old in zip(tree.body, whole, strict=True) if ast.dump(one) != ast.dump(old))
    targets = _bound(top)
    olds = {target: module.__dict__.get(target) for target in targets}
    alone = ast.Module(body=[top], type_ignores=[])
    exec(compile(alone, file, "exec", dont_inherit=True), module.__dict__)
    for other in list(sys.modules.values()):
        for target, old in olds.items():
            if old is not None and getattr(other, "__dict__", {}).get(target) is old:
                setattr(other, target, module.__dict__[target])
    return bool(targets)


# Which tests run which functions


class Reach:
    """A plugin that notes, for every test, which functions of the product it runs, and how long it takes."""

    def __init__(self) -> None:
        self.now: set[tuple[str, str]] = set()
        self.kept: dict[str, dict[str, Any]] = {}
        self.product = str(ROOT / "consult_app")

    def _trace(self, frame: types.FrameType, _event: str, _arg: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(self.product):
            self.now.add((code.co_filename, code.co_qualname.split(".<locals>")[0]))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.now = set()
        begun = time.perf_counter()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        yield
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        took = time.perf_counter() - begun
        ran = sorted(f"{Path(file).relative_to(ROOT)}::{name}" for file, name in self.now)
        self.kept[item.nodeid] = {"seconds": round(took, 3), "ran": ran}

    def pytest_sessionfinish(self) -> None:
        KEPT.mkdir(parents=True, exist_ok=True)
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        (KEPT / f"reach{worker}.json").write_text(json.dumps(self.kept))


def find_reach(jobs: int, tests: list[str]) -> None:
    """Run tests once (without browsers), and keep what each of them runs beside what is known of the others."""
    ignored = [word for path in SLOW for word in ("--ignore", path.rstrip("/"))]
    workers = ["-n", str(jobs), "--dist", "loadgroup"] if jobs > 1 else []
    pytest.main(["-q", "-p", "tools.mutants", *workers, *ignored, *tests])
    together: dict[str, Any] = json.loads(REACH.read_text()) if REACH.exists() else {}
    for part in KEPT.glob("reach?*.json"):
        together |= json.loads(part.read_text())
        part.unlink()
    if together:
        REACH.write_text(json.dumps({name.split("@")[0]: value for name, value in together.items()}))


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin of the workers of `find_reach`."""
    if os.environ.get("CONSULT_REACH"):
        config.pluginmanager.register(Reach())


# The trial


class Trial:
    """A plugin that tries mutants instead of running the tests."""

    def __init__(self, modules: list[str], jobs: int, only: str) -> None:
        self.modules, self.jobs, self.only = modules, jobs, only
        self.equal: dict[str, str] = json.loads(EQUAL.read_text()) if EQUAL.exists() else {}
        self.outcomes: list[tuple[Mutant, str]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        reach = json.loads(REACH.read_text())
        items = {item.nodeid.split("@")[0]: item for item in session.items}
        weight = {name: len(one["ran"]) for name, one in reach.items()}
        by_function: dict[str, list[str]] = collections.defaultdict(list)
        for name, one in reach.items():
            for function in one["ran"] if name in items else ():
                by_function[function].append(name)
        first = min((n for n in items if n in reach), key=lambda n: reach[n]["seconds"])
        runtestprotocol(items[first], nextitem=session.items[-1] if session.items[-1] is not items[first] else session.items[0], log=False)

        def chosen(mutant: Mutant) -> list[pytest.Item]:
            path = mutant.module
            feature = "tests/" + path.split("/")[1].removesuffix(".py") + "/"
            own = "tests/test_" + path.split("/")[1].removesuffix(".py")
            if mutant.function:
                names = by_function.get(f"{path}::{mutant.function}", [])
            else:
                users = _users(mutant)
                names = sorted({n for function in users for n in by_function.get(f"{path}::{function}", [])})
            near = [n for n in names if n.startswith((feature, own))]
            far = [n for n in names if n not in set(near)]

            def cost(name: str) -> float:
                return reach[name]["seconds"] * (0.3 + weight[name] / 200)

            in_turn = itertools.zip_longest(sorted(near, key=cost), sorted(far, key=cost))
            chosen_tests = [n for pair in in_turn for n in pair if n]
            chosen_tests.sort(key=lambda name: f"test_{Path(path).stem}" not in name)  # those of its own name first
            return [items[n] for n in chosen_tests[:MOST]]

        waiting = [pair for module in self.modules for pair in mutants_of(module) if self.only in pair[0].function]
        running: dict[int, tuple[Mutant, float, int]] = {}
        recent: dict[tuple[str, str], list[str]] = collections.defaultdict(list)  # what killed other mutants of a function
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant, tree = waiting.pop(0)
                if mutant.key in self.equal:
                    self._note(mutant, "equal")
                    continue
                tests = chosen(mutant)
                killers = recent[mutant.module, mutant.function]
                tests.sort(key=lambda item: item.nodeid.split("@")[0] not in killers[-8:])
                if not tests:
                    self._note(mutant, "no test runs it")
                    continue
                reader, writer = os.pipe()
                child = os.fork()
                if child == 0:
                    os.close(reader)
                    self._try(mutant, tree, tests, session, writer)
                os.close(writer)
                running[child] = (mutant, time.monotonic(), reader)
            if not running:
                break
            done, status = os.waitpid(-1, os.WNOHANG)
            if done in running:
                mutant, begun, reader = running.pop(done)
                said = os.read(reader, 4096).decode() if select.select([reader], [], [], 0)[0] else ""
                os.close(reader)
                code = os.waitstatus_to_exitcode(status)
                if code == 1 and said:
                    recent[mutant.module, mutant.function].append(said)
                words = {0: "SURVIVED", 1: f"killed by {said}", 3: "not possible"}
                self._note(mutant, words.get(code, "killed (crashed)"), begun)
                continue
            for child, (_mutant, begun, _reader) in running.items():
                if time.monotonic() - begun > ENDLESS:
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        return True

    def _try(self, mutant: Mutant, tree: ast.Module, tests: list[pytest.Item], session: pytest.Session, writer: int) -> None:
        """In the child: never returns."""
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        code = 2
        try:
            if not _put_in(mutant, tree):
                os._exit(3)
            code = 0
            begun = time.process_time()
            for n, item in enumerate(tests):
                if time.process_time() - begun > PATIENCE:
                    break
                after = tests[n + 1] if n + 1 < len(tests) else None
                reports = runtestprotocol(item, nextitem=after, log=False)
                if any(report.failed for report in reports):
                    os.write(writer, item.nodeid.split("@")[0].encode())
                    code = 1
                    break
        finally:
            os._exit(code)

    def _note(self, mutant: Mutant, outcome: str, begun: float = 0.0) -> None:
        self.outcomes.append((mutant, outcome))
        if os.environ.get("CONSULT_MUTANTS_TIMES"):
            print(f"{time.monotonic() - begun:.1f} s {outcome[:100]}", flush=True)
        if not outcome.startswith("killed"):
            print(f"{outcome}: {mutant.module}:{mutant.line} {mutant.function}\n    {mutant.before}\n    {mutant.after}", flush=True)

    def report(self) -> int:
        KEPT.mkdir(parents=True, exist_ok=True)
        worst = 0
        for module in self.modules:
            of_module = [(m, o) for m, o in self.outcomes if m.module == module and o != "not possible"]
            if not of_module:
                continue
            killed = sum(o.startswith("killed") for _m, o in of_module)
            equal = sum(o == "equal" for _m, o in of_module)
            share = (killed + equal) / len(of_module)
            worst = worst or share < 0.9
            print(f"{module}: {len(of_module)} mutants, {killed} killed, {equal} equal: {share:.1%}")
            (KEPT / (module.replace("/", "_") + ".json")).write_text(
                json.dumps([[m.key, m.line, o] for m, o in of_module], indent=1, ensure_ascii=False)
            )
        return int(worst)


def main() -> int:
    """Try the mutants of the modules named; returns 1 where less than nine in ten are noticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("modules", nargs="*")
    tests_help = "find anew which functions these tests run (all: tests)"
    parser.add_argument("--reach", nargs="*", metavar="TESTS", help=tests_help)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="only functions whose name contains this")
    parser.add_argument("--count", action="store_true", help="only count")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    if chosen.count:
        for module in chosen.modules:
            print(module, sum(1 for _m in mutants_of(module)))
        return 0
    if chosen.reach is not None or not REACH.exists():
        os.environ["CONSULT_REACH"] = "1"
        find_reach(chosen.jobs, chosen.reach or ["tests"])
        del os.environ["CONSULT_REACH"]
    if not chosen.modules:
        return 0
    trial = Trial(chosen.modules, chosen.jobs, chosen.only)
    ignored = [word for path in SLOW for word in ("--ignore", path.rstrip("/"))]
    pytest.main(["-q", "-p", "no:cacheprovider", *ignored, "tests"], plugins=[trial])
    return trial.report()


if __name__ == "__main__":
    sys.exit(main())
