"""What processors can do, in LLVM's words."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import llvmlite.binding as llvm

KNOWN: Final = {"x86_64": "x86", "aarch64": "arm", "arm64": "arm"}
FUNCTION: Final = "define {kind} @{name}(i32 %x) {held_to} {{\n{body}\n}}\n"
HELD_TO: Final = '"target-cpu"="{name}" "target-features"="{flags}"'


class Target(NamedTuple):
    """What code is compiled for, in LLVM's words; `flags` have + or - before each feature."""

    triple: str
    name: str
    flags: str


def architecture() -> str:
    """``x86``, ``arm``, or what LLVM calls one that the kernels are not written for."""
    name = llvm.get_process_triple().split("-")[0]
    return KNOWN.get(name, name)


def of_host() -> dict[str, bool]:
    """The features that LLVM looks for, and whether the host has them; none where it can't look."""
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:
        return {}


@cache
def features_of(wanted: Target) -> frozenset[str]:
    """Names of LLVM's."""
    there = of_host()
    all_of_them = ",".join(f"{'-+'[there[name]]}{name}" for name in sorted(there))
    if architecture() == "x86" and wanted.flags != all_of_them:
        return _implied(wanted)
    found = {"neon"} if architecture() == "arm" else set()  # which every ARMv8 has
    for flag in filter(None, wanted.flags.split(",")):
        (found.add if flag[0] == "+" else found.discard)(flag[1:])
    return frozenset(found)


def _implied(wanted: Target) -> frozenset[str]:
    """Features of x86, with those that a processor's name or another feature implies.

    LLVM has no function that says so, but it inlines a function only where that may run: one for
    each feature is called by one that is held to the target, and those that it lacks are left.
    """
    names = sorted(of_host())
    code = f'target triple = "{wanted.triple}"\n'
    for i, name in enumerate(names):
        needs = HELD_TO.format(name="generic", flags=f"+{name}")
        body = "%y = mul i32 %x, %x\nret i32 %y"
        code += FUNCTION.format(kind="internal i32", name=f"f{i}", held_to=needs, body=body)
    calls = [f"%x{i + 1} = call i32 @f{i}(i32 %x{i})" for i in range(len(names))]
    body = "\n".join(["%x0 = add i32 %x, 1", *calls, f"ret i32 %x{len(names)}"])
    held_to = HELD_TO.format(name=wanted.name, flags=wanted.flags)
    code += FUNCTION.format(kind="i32", name="all", held_to=held_to, body=body)
    left = {function.name for function in _optimised(code).functions}
    return frozenset(name for i, name in enumerate(names) if f"f{i}" not in left)


def _optimised(code: str) -> llvm.ModuleRef:
    llvm.initialize_native_target()
    module = llvm.parse_assembly(code)
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    builder.getModulePassManager().run(module, builder)
    return module
