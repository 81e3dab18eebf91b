"""Where sources use what some system's standard library lacks, without asking first.

Asking is ``hasattr(os, "fork")``, ``fcntl is not None``, a constant that holds such an answer, or
AttributeError or ImportError that is caught.  A function is behind the question if all that name
it are.  What says that a system is no Windows lets through all that only Windows lacks.
"""

import ast
from collections import defaultdict

from paths import VECTORS

CAUGHT = {"AttributeError", "ImportError", "ModuleNotFoundError"}


def _lacking():
    """Names that Windows lacks, those of them that macOS lacks too, and modules."""
    windows, macos, modules = set(), set(), set()
    for line in (VECTORS / "not_everywhere.txt").read_text("utf-8").splitlines()[1:]:
        module, names = line.split(": ")
        here, too = names.split("-")
        if module == "modules":
            modules |= {*here.split()}
            continue
        windows |= {f"{module}.{name}" for name in (here + too).split()}
        macos |= {f"{module}.{name}" for name in too.split()}
    return windows, macos, modules


WINDOWS, MACOS, MODULES = _lacking()
PROOF = (WINDOWS | MODULES) - {"os.fchmod", "os.get_blocking", "os.set_blocking"}  # new there


def _of_terms(test, truth, constants):
    """Of `and` and `or`: all that its terms say, or only what each of them does."""
    each = [says(value, truth, constants) for value in test.values]
    return set.union(*each) if isinstance(test.op, ast.And) == truth else set.intersection(*each)


def says(test, truth, constants):
    """The names that are there if a test is true (or false)."""
    match test:
        case ast.BoolOp():
            return _of_terms(test, truth, constants)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return says(operand, not truth, constants)
        case ast.Call(func=ast.Name("hasattr"), args=[ast.Name(module), ast.Constant(name)]):
            return {f"{module}.{name}"} if truth else set()
        case ast.Compare(ast.Name(module), [ast.Is() | ast.IsNot() as how], [ast.Constant(None)]):
            return {module} & MODULES if isinstance(how, ast.IsNot) == truth else set()
        case ast.Name(name):
            return constants.get(name, {name} & MODULES) if truth else set()
    return set()


class _Uses(ast.NodeVisitor):
    """Uses of names, each with the functions it stands in and what is known to be there."""

    def __init__(self, path, constants):
        self.path, self.constants, self.found = path, constants, []
        self.known, self.inside, self.own = set(), (), set()  # own: arguments of functions

    def _called(self, name):
        """A name with an underscore is another one in each file."""
        return f"{self.path}: {name}" if name.startswith("_") else name

    def visit_in(self, nodes, more):
        before, self.known = self.known, self.known | more
        for node in nodes:
            self.visit(node)
            if isinstance(node, ast.If) and _ends(node.body):
                self.known = self.known | says(node.test, False, self.constants)
        self.known = before

    def generic_visit(self, node):
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self.visit_in(value, set())
            else:
                for each in value if isinstance(value, list) else [value]:
                    self.visit(each) if isinstance(each, ast.AST) else None

    def visit_If(self, node):
        self.visit(node.test)
        body, other = ([x] if isinstance(x, ast.expr) else x for x in (node.body, node.orelse))
        self.visit_in(body, says(node.test, True, self.constants))
        self.visit_in(other, says(node.test, False, self.constants))

    visit_IfExp = visit_If  # noqa: N815

    def visit_BoolOp(self, node):
        more = set()
        for value in node.values:
            self.visit_in([value], more)
            more = more | says(value, isinstance(node.op, ast.And), self.constants)

    def visit_Try(self, node):
        caught = {n.id for h in node.handlers for n in ast.walk(h.type) if isinstance(n, ast.Name)}
        self.visit_in(node.body, {"all"} if caught & CAUGHT else set())
        for part in (node.handlers, node.orelse, node.finalbody):
            self.visit_in(part, set())

    def visit_With(self, node):
        calls = [i.context_expr for i in node.items if isinstance(i.context_expr, ast.Call)]
        caught = {n.id for c in calls for n in ast.walk(c) if isinstance(n, ast.Name)}
        for item in node.items:
            self.visit(item)
        self.visit_in(node.body, {"all"} if "suppress" in caught and caught & CAUGHT else set())

    def visit_FunctionDef(self, node):
        before, self.inside = self.inside, (*self.inside, self._called(node.name))
        arguments = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        outer, self.own = self.own, self.own | arguments
        self.generic_visit(node)
        self.inside, self.own = before, outer

    def _use(self, node, name):
        self.found.append((name, node.lineno, frozenset(self.known), self.inside))

    def visit_Attribute(self, node):
        whole = isinstance(node.value, ast.Name) and f"{node.value.id}.{node.attr}"
        self._use(node, whole if whole in WINDOWS else self._called(node.attr))
        self.visit(node.value)

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Store) and node.id not in self.own:
            self._use(node, self._called(node.id))

    def visit_Import(self, node):
        for alias in node.names:
            self._use(node, f"import {alias.name}")

    def visit_ImportFrom(self, node):
        self._use(node, f"import {node.module}")
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            self._use(node, whole if whole in WINDOWS else alias.name)


def _ends(body):
    return isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _constants(tree):
    """Names at the top of a module that hold the answer to such a question."""
    found = {}
    for node in tree.body:
        target = getattr(node, "target", None) or getattr(node, "targets", [None])[0]
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name):
            found[target.id] = says(node.value, True, found)
    return found


def _is_there(name, known):
    if "all" in known or name in known or name in CAUGHT:
        return True
    posix = any(each in PROOF for each in known)
    return posix and name not in MACOS


def _lacks(name):
    return name in WINDOWS or name in {f"import {module}" for module in MODULES}


def uses(sources):
    """Every use of a name that some system lacks: ``path:line name``, and whether it is asked."""
    found = []
    for path, text in sources.items():
        tree = ast.parse(text)
        visitor = _Uses(path, _constants(tree))
        visitor.visit(tree)
        found += [(path, *use) for use in visitor.found]
    by_name = defaultdict(list)
    for _, name, _, known, inside in found:
        by_name[name].append((known, inside))
    safe = _behind(by_name)
    return {
        f"{path}:{line} {name}": _is_there(name, known.union(*(safe.get(f, ()) for f in inside)))
        for path, name, line, known, inside in found
        if _lacks(name)
    }


def _behind(by_name):
    """What is known in a function: what all places that name it know."""
    names = {name for places in by_name.values() for _, inside in places for name in inside}
    safe = {name: None if by_name.get(name) else frozenset() for name in names}  # None: all
    while True:
        now = {name: _common(by_name.get(name, []), safe, name) for name in names}
        if now == safe:
            return {name: known or frozenset() for name, known in safe.items()}
        safe = now


def _common(places, safe, name):
    if not places:
        return frozenset()
    each = []
    for known, inside in places:
        outer = [safe[f] for f in inside if f != name]
        if name not in inside and None not in outer:
            each.append(known.union(*outer))
    return frozenset.intersection(*each) if each else None


def unguarded(sources):
    return [use for use, asked in uses(sources).items() if not asked]
